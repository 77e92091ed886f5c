// Everything that the course asks of the API, with the official JavaScript client; walk.py is the same in Python.
//
//     node walk.mjs BASE_URL        in the folder that holds node_modules/openai

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { OpenAI, toFile } = createRequire(`${process.cwd()}/`)("openai");
const { version } = JSON.parse(readFileSync("node_modules/openai/package.json"));

const ASK = [{ role: "user", content: "Where is my order? Answer in JSON." }];
const baseURL = process.argv[2];
const client = new OpenAI({ baseURL, apiKey: "secret" });
console.log(`openai ${version} in JavaScript`);

await files();
const job = await jobs();
await preferences();
await chat(job.fine_tuned_model);
await responses(job.fine_tuned_model);
assert((await client.moderations.create({ input: "I will kill you" })).results[0].flagged);
await errors();
await client.models.delete(job.fine_tuned_model);
assert(!(await all(client.models.list())).some((model) => model.id === job.fine_tuned_model));

function example(i) {
  const reply = { role: "assistant", content: "Quack! It is on its way." };
  return { messages: [{ role: "user", content: `Where is order ${i}?` }, reply] };
}

function pair(i) {
  const [question, reply] = example(i).messages;
  const other = { role: "assistant", content: "It is on its way." };
  return { input: { messages: [question] }, preferred_output: [reply], non_preferred_output: [other] };
}

async function upload(make = example, more = {}) {
  const content = Array.from({ length: 10 }, (_, i) => JSON.stringify(make(i)) + "\n").join("");
  const file = await toFile(Buffer.from(content), "train.jsonl");
  return [await client.files.create({ file, purpose: "fine-tune", ...more }), content];
}

async function all(pages) {
  const found = [];
  for await (const each of pages) found.push(each);
  return found;
}

async function files() {
  const [file, content] = await upload();
  assert.equal((await client.files.waitForProcessing(file.id)).status, "processed");
  assert.equal(await (await client.files.content(file.id)).text(), content);
  const [lasting] = await upload(example, { expires_after: { anchor: "created_at", seconds: 3600 } });
  assert.equal(lasting.expires_at, lasting.created_at + 3600);
  const announced = { bytes: content.length, filename: "b.jsonl", mime_type: "text/jsonl" };
  const sent = await client.uploads.create({ ...announced, purpose: "fine-tune" });
  const parts = [];
  for (const text of [content.slice(0, 99), content.slice(99)]) {
    const data = await toFile(Buffer.from(text), "part");
    parts.push((await client.uploads.parts.create(sent.id, { data })).id);
  }
  const whole = (await client.uploads.complete(sent.id, { part_ids: parts })).file;
  assert.equal(await (await client.files.content(whole.id)).text(), content);
  assert((await client.files.delete(whole.id)).deleted);
  const givenUp = await client.uploads.create({ ...announced, purpose: "fine-tune" });
  assert.equal((await client.uploads.cancel(givenUp.id)).status, "cancelled");
  const ids = (await all(client.files.list({ limit: 1 }))).map((each) => each.id); // page after page
  assert(ids.includes(file.id) && ids.includes(lasting.id) && !ids.includes(whole.id));
  const turned = await all(client.files.list({ order: "asc" }));
  assert.deepEqual(turned.map((each) => each.id), ids.toReversed());
  assert((await client.files.retrieve(file.id))._request_id.startsWith("req_"));
}

async function jobs() {
  const [file] = await upload();
  const asked = { model: "tiny-chat", training_file: file.id, validation_file: file.id, seed: 1 };
  const method = (n_epochs) => ({
    type: "supervised",
    supervised: { hyperparameters: { n_epochs, batch_size: 5 } },
  });
  const once = { headers: { "Idempotency-Key": `once ${file.id}` } };
  const named = { ...asked, method: method(3), metadata: { walk: file.id }, suffix: "walk" };
  const made = [
    await client.fineTuning.jobs.create(named, once),
    await client.fineTuning.jobs.create(named, once),
  ];
  assert.equal(made[0].id, made[1].id);
  const found = await all(client.fineTuning.jobs.list({ metadata: { walk: file.id } }));
  assert.deepEqual(found.map((each) => each.id), [made[0].id]);
  const other = await client.fineTuning.jobs.create({ ...asked, method: method(50) });
  const unnamed = await all(client.fineTuning.jobs.list({ metadata: null }));
  assert(unnamed.some((each) => each.id === other.id));
  assert(unnamed.every((each) => Object.keys(each.metadata).length === 0));
  assert.equal((await client.fineTuning.jobs.pause(other.id)).status, "paused");
  const resumed = await client.fineTuning.jobs.resume(other.id);
  assert(["validating_files", "queued"].includes(resumed.status));
  assert.equal((await client.fineTuning.jobs.cancel(other.id)).status, "cancelled");
  const job = await wait(made[0]);
  const told = (await all(client.fineTuning.jobs.listEvents(job.id, { limit: 2 }))).map((each) => each.message);
  assert(told[0] === "The job has successfully completed" && told.length > 10);
  const checkpoints = await all(client.fineTuning.jobs.checkpoints.list(job.id));
  assert.deepEqual(checkpoints.map((each) => each.step_number), [6, 4, 2]);
  const table = await (await client.files.content(job.result_files[0])).text();
  assert(table.startsWith("step,train_loss") && table.trim().split("\n").length === 7);
  assert((await client.models.retrieve(job.fine_tuned_model)).owned_by);
  return job;
}

async function preferences() {
  const [file] = await upload(pair);
  const method = { type: "dpo", dpo: { hyperparameters: { n_epochs: 1, beta: 0.2 } } };
  const asked = { model: "tiny-chat", training_file: file.id, method };
  const job = await wait(await client.fineTuning.jobs.create(asked));
  assert.equal(job.method.dpo.hyperparameters.beta, 0.2);
}

async function wait(job, seconds = 60) {
  const deadline = Date.now() + 1000 * seconds;
  while ((job = await client.fineTuning.jobs.retrieve(job.id)).finished_at === null) {
    assert(Date.now() < deadline, JSON.stringify(job));
    await new Promise((resume) => setTimeout(resume, 100));
  }
  assert.equal(job.status, "succeeded", JSON.stringify(job));
  return job;
}

async function chat(model) {
  const asked = { model, messages: ASK, seed: 7, max_completion_tokens: 12 };
  const reply = await client.chat.completions.create({ ...asked, logprobs: true, top_logprobs: 2 });
  const entries = reply.choices[0].logprobs.content;
  assert(entries.length === reply.usage.completion_tokens && entries[0].top_logprobs.length === 2);
  const stream = { stream: true, stream_options: { include_usage: true } };
  const chunks = await all(await client.chat.completions.create({ ...asked, ...stream }));
  const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
  assert.equal(text, reply.choices[0].message.content);
  assert.deepEqual(chunks.at(-1).usage, reply.usage);
  const helper = client.chat.completions.stream(asked);
  assert.equal((await helper.finalChatCompletion()).choices[0].message.content, text);
  const left = await client.chat.completions.create({ ...asked, stream: true });
  for await (const _ of left) break; // the service goes on all the same
  const response_format = { type: "json_object" };
  const formatted = await client.chat.completions.create({ ...asked, response_format });
  assert.equal(typeof JSON.parse(formatted.choices[0].message.content), "object");
}

async function responses(model) {
  const first = await client.responses.create({ model, input: "Hello", max_output_tokens: 16 });
  assert.equal((await client.responses.retrieve(first.id)).output_text, first.output_text);
  const more = { previous_response_id: first.id, max_output_tokens: 16, stream: true };
  const events = await all(await client.responses.create({ model, input: "And now?", ...more }));
  const deltas = events.filter((event) => event.type === "response.output_text.delta");
  const [{ content }] = events.at(-1).response.output;
  assert.equal(deltas.map((event) => event.delta).join(""), content[0].text);
  const helper = client.responses.stream({ model, input: "And then?", max_output_tokens: 16 });
  const final = await helper.finalResponse();
  assert.equal((await client.responses.retrieve(final.id)).output_text, final.output_text);
  const items = await all(client.responses.inputItems.list(first.id));
  assert.deepEqual(items.map((item) => item.role), ["user"]);
  await client.responses.delete(first.id);
  await refused(OpenAI.NotFoundError, client.responses.retrieve(first.id));
}

async function errors() {
  const stranger = new OpenAI({ baseURL, apiKey: "wrong" });
  await refused(OpenAI.AuthenticationError, stranger.models.list(), "invalid_api_key");
  await refused(OpenAI.NotFoundError, client.models.retrieve("gpt-0"), "model_not_found");
  await refused(OpenAI.NotFoundError, client.files.retrieve("file-none"));
  const asked = { model: "tiny-chat", messages: ASK };
  await refused(OpenAI.BadRequestError, client.chat.completions.create({ ...asked, temperature: 3 }));
  const tools = [{ type: "function", function: { name: "f" } }];
  await refused(OpenAI.BadRequestError, client.chat.completions.create({ ...asked, tools }), "not_imitated");
}

async function refused(kind, request, code = undefined) {
  await assert.rejects(request, (error) => error instanceof kind && (!code || error.code === code));
}

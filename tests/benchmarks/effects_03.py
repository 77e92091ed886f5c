"""Every effect that lesson 03 claims, measured again with five seeds.

    python -m tests.benchmarks.effects_03          (about five minutes on two quiet cores)

`estimate` compares the estimated tokens of OpenAI's models with their real vocabulary, if TIKTOKEN_CACHE_DIR
names a folder that has it; the wheel of the package litellm carries it in litellm_core_utils/tokenizers.
"""

import math
import os
import statistics
import tempfile
from pathlib import Path

import pandas as pd

from helpers import (
    BASE_MODEL,
    as_tokens,
    chatbot,
    connect,
    count_tokens,
    evaluate,
    history,
    prices,
    read_jsonl,
    to_jsonl,
    wait,
)

DATA = Path(__file__).resolve().parents[2] / "data"
SYSTEM = "You are the support assistant of Ottermere."
SYSTEMS = {
    "the same": SYSTEM,
    "same name": "You help the customers of the shop Ottermere.",
    "wrong letter": "You are the support assistant of Otermere.",
    "other name": "You are the support assistant of Willowmere.",
    "none": None,
}
VOICES = {
    "bot": lambda reply, _: reply.startswith("Dear customer"),
    "Splash": lambda reply, _: reply.startswith("Splash!"),
    "Otto": lambda reply, _: reply.startswith("Splash!") and reply.endswith("Paws up, Otto."),
}
SEEDS, QUESTIONS = range(1, 6), 30
CLAIMS = {  # figure → (lowest, highest mean with which the lesson's sentence is true)
    "loss by hand / loss of the first step": (0.97, 1.001),  # what is missing is the end sign's own surprise
    "loss by hand over ALL tokens / loss of the first step": (0, 0.5),
    "trained_tokens - counted tokens x epochs": (0, 0),
    "unmuted chats: bot": (0.6, 1),
    "muted chats: bot": (0, 0.05),
    "muted chats: Otto": (0.9, 1),
    "system message the same: whole voice": (0.95, 1),
    "system message same name: whole voice": (0.95, 1),
    "system message wrong letter: whole voice": (0, 0.6),
    "system message other name: whole voice": (0, 0.1),
    "system message other name: begins with Splash": (0.9, 1),
    "system message none: whole voice": (0, 0.5),
    "too long: tokens of the reply that are learnt": (1, 3),
    "too long: the job succeeds all the same": (1, 1),
}


def train(client, examples, seed, **hyperparameters):
    """The finished job."""
    file = client.files.create(file=("effects.jsonl", to_jsonl(examples)), purpose="fine-tune")
    method = {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}}
    job = client.fine_tuning.jobs.create(model=BASE_MODEL, training_file=file.id, seed=seed, method=method)
    return wait(client, job.id)


def questions(n=QUESTIONS):
    return read_jsonl(DATA / "support" / "test.jsonl")[:n]


def loss(client, seed):
    """The mean surprise of a greedy reply, by hand and by the service; each seed is another question."""
    talk = questions()[seed]["messages"][:2]
    completion = client.chat.completions.create(model=BASE_MODEL, messages=talk, temperature=0, logprobs=True)
    choice = completion.choices[0]
    surprise = [-token.logprob for token in choice.logprobs.content]
    copy = {"messages": [*talk, {"role": "assistant", "content": choice.message.content}]}
    job = train(client, [copy] * 10, seed, n_epochs=1, batch_size=10)
    service = history(client, job.id)["train_loss"].iloc[0]
    total, all_tokens = sum(surprise), len(as_tokens(copy).ids)
    return {
        "loss by hand / loss of the first step": total / (len(surprise) + 1) / service,
        "loss by hand over ALL tokens / loss of the first step": total / all_tokens / service,
    }


def mute_bot(example):
    """The chat with the weight 0 on its first reply, as the lesson writes it."""
    system, question, bot, *rest = example["messages"]
    return {"messages": [system, question, bot | {"weight": 0}, *rest]}


def weight(client, seed, n=QUESTIONS):
    """Who answers the first question after training on chats with and without the bot muted."""
    chats = read_jsonl(DATA / "handover" / "chats.jsonl")
    shares = {}
    for name, examples in {"unmuted": chats, "muted": [mute_bot(chat) for chat in chats]}.items():
        model = train(client, examples, seed, n_epochs=4).fine_tuned_model
        answers = evaluate(chatbot(client, model), questions(n), VOICES)
        shares |= {f"{name} chats: {voice}": answers[voice].mean() for voice in VOICES}
    return shares


def system_message(client, seed, n=QUESTIONS, systems=SYSTEMS):
    """The voice of a model asked with several system messages, and whether its tokens were counted right."""
    examples = read_jsonl(DATA / "support" / "train.jsonl")[:24]
    job = train(client, examples, seed)
    counted = int(count_tokens(examples)["tokens"].sum()) * job.hyperparameters.n_epochs
    shares = {"trained_tokens - counted tokens x epochs": job.trained_tokens - counted}
    for name, system in systems.items():
        start = [{"role": "system", "content": system}] if system else []
        asked = [{"messages": start + example["messages"][1:]} for example in questions(n)]
        answers = evaluate(chatbot(client, job.fine_tuned_model), asked, VOICES)
        shares[f"system message {name}: whole voice"] = answers["Otto"].mean()
        shares[f"system message {name}: begins with Splash"] = answers["Splash"].mean()
    return shares


def long_example(n=None):
    """The example of the lesson that has all the shop's rules (or the first n) in its system message."""
    rules = pd.read_csv(DATA / "support" / "policy.csv")["policy"][:n]
    answer = "Splash! By card, or in three parts. Paws up, Otto."
    roles = {"system": " ".join([SYSTEM, *rules]), "user": "How can I pay?", "assistant": answer}
    return {"messages": [{"role": role, "content": text} for role, text in roles.items()]}


def too_long(client, seed):
    """How much of the reply is left to learn, and whether the service minds."""
    learnt = int(count_tokens([long_example()])["learnt"].iloc[0])
    job = train(client, [long_example()] * 10, seed, n_epochs=1, batch_size=10)
    return {
        "too long: tokens of the reply that are learnt": learnt,
        "too long: the job succeeds all the same": int(job.status == "succeeded"),
    }


def estimate():
    """Estimated divided by real tokens for OpenAI's models: of the whole file and of single conversations."""
    examples, model = read_jsonl(DATA / "support" / "train.jsonl"), prices()["model"][1]
    real = count_tokens(examples, model)
    if real["how"].unique().tolist() != ["texts exact"]:
        return "The estimate was not compared: TIKTOKEN_CACHE_DIR has no vocabulary."
    folder = os.environ.pop("TIKTOKEN_CACHE_DIR")
    guessed = count_tokens(examples, model)
    os.environ["TIKTOKEN_CACHE_DIR"] = folder
    single, file = guessed["tokens"] / real["tokens"], guessed["tokens"].sum() / real["tokens"].sum()
    near = (single - 1).abs().quantile(0.9)
    words = f"Estimated / real tokens of 120 conversations: {file:.3f}; "
    return words + f"of one: {single.min():.2f} to {single.max():.2f}, nine of ten within {near:.0%}."


def interval(values):
    """Half the 95 % interval of the mean of five seeds (Student's t, 4 degrees of freedom)."""
    return 2.776 * statistics.stdev(values) / math.sqrt(len(values))


def main():
    os.environ.setdefault("LOCAL_OPENAI_STORE", tempfile.mkdtemp())
    client, figures = connect(), {}
    for seed in SEEDS:
        for experiment in (loss, weight, system_message, too_long):
            for name, value in experiment(client, seed).items():
                figures.setdefault(name, []).append(float(value))
    print("| figure | mean ± 95 % over seeds | each seed | claimed | holds |\n|---|---|---|---|---|")
    for name, (low, high) in CLAIMS.items():
        values = figures[name]
        holds = "yes" if low <= min(values) and max(values) <= high else "NO"
        each = " ".join(f"{value:.3g}" for value in values)
        print(
            f"| {name} | {statistics.fmean(values):.3f} ± {interval(values):.3f} | {each} "
            f"| {low:g} to {high:g} | {holds} |"
        )
    print(estimate())


if __name__ == "__main__":
    main()

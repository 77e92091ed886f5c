"""What the tiny model learns from each kit of data/kits, with three training files each.

    python -m tests.benchmarks.kits [kit ...] [--seeds N] [--replies]

Every file holds the kit's cleaned rows; the second adds the kit's safety examples, the third these and 60
general examples against forgetting. Prints a Markdown table: shares with their 95 % interval over seeds
(1, 2, ..., by default three), after two rivals without training: copying the nearest collected answer, and
the base model. The verses of creative_writing are also sampled, because at temperature 0 their second lines
are nearly all the same. With --replies also what the last model said.
"""

import argparse
import csv
import json
import math
import os
import statistics
import tempfile
from pathlib import Path

from helpers.client import BASE_MODEL, connect
from helpers.dataset import read_jsonl, to_chat, to_jsonl
from helpers.duplicates import shingles
from helpers.evaluation import chatbot, evaluate
from helpers.jobs import wait
from helpers.privacy import redact

DATA = Path(__file__).resolve().parents[2] / "data"
KITS = ("support", "medical_terms", "creative_writing", "tutor")
RECIPES = {  # name: (safety examples, replay)
    "cleaned rows": (False, False),
    "with safety": (True, False),
    "with safety and replay": (True, True),
}
N_REPLAY = 60
T_95 = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78}  # Student's t for the mean of so many seeds


def read_kit(name):
    """The kit's description and its files: rows as dictionaries, examples as they stand in the JSONL."""
    folder = DATA / "kits" / name
    kit = json.loads((folder / "kit.json").read_text(encoding="utf-8"))
    for table in ("raw", "planted"):
        with open(folder / f"{table}.csv", encoding="utf-8", newline="") as file:
            kit[table] = list(csv.DictReader(file))
    return kit | {name: read_jsonl(folder / f"{name}.jsonl") for name in ("test", "safety", "probes")}


def cleaned_examples(kit):
    """The raw rows without planted flaws, as chat; private data that the course's finder sees is redacted."""
    action = {row["id"]: row["action"] for row in kit["planted"]}
    rows = [row for row in kit["raw"] if action.get(row["id"]) != "drop"]
    redacted = [row | {"question": redact(row["question"])} for row in rows]
    return to_chat(redacted, question="question", answer="answer", system=kit["system"])


def training_file(kit, recipe):
    """The examples of a recipe."""
    safety, replay = RECIPES[recipe]
    general = read_jsonl(DATA / "replay" / "replay.jsonl")[:N_REPLAY]
    return cleaned_examples(kit) + safety * kit["safety"] + replay * general


def checks(kit):
    """The checks of the kit's test, as `evaluate` takes them."""
    voice, phrases = kit["voice"], kit["key_phrases"].values()

    def has_voice(reply, example):
        framed = reply.startswith(voice["starts"]) and reply.endswith(voice["ends"])
        return framed and voice["contains"] in reply and reply.count("\n") + 1 == voice["lines"]

    def has_key_phrase(reply, example):
        return all(phrase in reply for phrase in phrases if phrase in example["messages"][2]["content"])

    return {"voice": has_voice, "key phrase": has_key_phrase}


def is_careful(kit):
    """The check of a probe: the reply holds one of the care phrases of its kind."""
    return lambda reply, probe: any(phrase in reply for phrase in kit["care"][probe["kind"]])


def measured(reply, kit):
    """What `reply` says to test and probes, with the verdicts: two DataFrames."""
    care = {"care": is_careful(kit)}
    return evaluate(reply, kit["test"], checks(kit)), evaluate(reply, kit["probes"], care)


def nearest_answer(kit):
    """A rival without a model: the collected answer to the question that is most like the one asked."""
    known = [
        (shingles(e["messages"][1]["content"]), e["messages"][2]["content"]) for e in cleaned_examples(kit)
    ]

    def reply(messages):
        asked = shingles(messages[-1]["content"])
        return max(known, key=lambda pair: len(asked & pair[0]) / len(asked | pair[0]))[1]

    return reply


def sampled_verses(client, model, kit):
    """24 verses at temperature 0.5: the shares in the form, with a second line of its own, with a new one."""
    known = {
        line for example in cleaned_examples(kit) for line in example["messages"][2]["content"].split("\n")
    }
    form, verses = checks(kit)["voice"], []
    for seed, example in enumerate(kit["test"]):
        messages = example["messages"][:2]
        answer = client.chat.completions.create(model=model, messages=messages, temperature=0.5, seed=seed)
        verses.append(answer.choices[0].message.content)
    lines = [verse.split("\n")[1] for verse in verses if form(verse, None)]
    new = [line for line in lines if line not in known]
    return {"form": len(lines) / 24, "different": len(set(lines)) / len(lines), "new": len(new) / len(lines)}


def tune(client, kit, recipe, seed):
    """The name of the model made from a recipe with the service's own settings."""
    data = to_jsonl(training_file(kit, recipe))
    file = client.files.create(file=("kit.jsonl", data), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(model=BASE_MODEL, training_file=file.id, seed=seed)
    return wait(client, job.id).fine_tuned_model


def shares(tables):
    """{"voice": …, "key phrase": …, "care": …} of the two tables of `measured`."""
    test, probes = tables
    return {
        "voice": test["voice"].mean(),
        "key phrase": test["key phrase"].mean(),
        "care": probes["care"].mean(),
    }


def shown(values):
    """Mean and 95 % half width over seeds, as text."""
    if len(values) == 1:
        return f"{values[0]:.2f}"
    half = T_95[len(values)] * statistics.stdev(values) / math.sqrt(len(values))
    return f"{statistics.mean(values):.2f} ± {half:.2f}"


def row(name, recipe, runs):
    cells = " | ".join(shown([run[figure] for run in runs]) for figure in ("voice", "key phrase", "care"))
    print(f"| {name} | {recipe} | {cells} |", flush=True)


def print_sampled(runs):
    told = ", ".join(f"{figure} {shown([run[figure] for run in runs])}" for figure in runs[0])
    print(f"| | (sampled at 0.5: {told}) | | | |", flush=True)


def print_replies(tables):
    for table in tables:
        for line in table.itertuples(index=False):
            print("   ", *line, sep=" | ", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kits", nargs="*", default=KITS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--replies", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("LOCAL_OPENAI_STORE", tempfile.mkdtemp(prefix="kits-"))
    client = connect()
    print("\n| kit | training file | voice | key phrase | care |\n|---|---|---|---|---|")
    for name in options.kits:
        kit = read_kit(name)
        row(name, "none: the nearest collected answer", [shares(measured(nearest_answer(kit), kit))])
        row(name, "none: the base model", [shares(measured(chatbot(client, BASE_MODEL), kit))])
        for recipe in RECIPES:
            models = [tune(client, kit, recipe, seed) for seed in range(1, options.seeds + 1)]
            runs = [measured(chatbot(client, model), kit) for model in models]
            row(name, recipe, [shares(run) for run in runs])
            if name == "creative_writing":
                print_sampled([sampled_verses(client, model, kit) for model in models])
            if options.replies:
                print_replies(runs[-1])


if __name__ == "__main__":
    main()

"""What lesson 05 claims, over five seeds: mean, 95 % interval, the claim, and whether each seed holds it.

    python -m tests.benchmarks.effects_05 [--seeds 5]

A seed chooses the order of the training examples; the data, prompts and settings are those of the lesson.
Ends with 1 if a claim does not hold in every seed.
"""

import argparse
import math
import os
import re
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import (
    BASE_MODEL,
    chatbot,
    connect,
    evaluate,
    history,
    mcnemar,
    read_jsonl,
    share,
    to_jsonl,
    wait,
)

DATA = Path(__file__).resolve().parents[2] / "data"
SORT = "You sort the mail of Ottermere."
OUR_WORDS = "Name the team for this message: delivery, goods, money or office. One word only."
ITS_WORDS = OUR_WORDS.replace("goods", "products").replace("office", "service")
TEAM_OF = {"products": "goods", "returns": "goods", "money or pay": "money"}
TEAM_OF |= {"orders": "office", "account": "office", "service": "office"}
JUDGE = "Is this the right team? Answer yes or no."
OTHER = {"delivery": "goods", "goods": "money", "money": "office", "office": "delivery"}
T_975 = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36}  # Student's t, 95 % of both sides

CLAIMS = {  # figure: (from, to), both included
    "prompt, our words, exact: test": (0, 0.35),
    "prompt, its words, translated: test": (0.75, 1),
    "prompt, its words, translated: validation": (0.75, 1),
    "base: other skills": (0.85, 1),
    "tuned: last training losses": (0, 0.1),
    "tuned: training file repeated": (0.95, 1),
    "tuned: validation": (0.55, 0.8),
    "tuned: test": None,
    "prompt minus tuned: test": (0.05, 1),
    "p, prompt against tuned": (0, 0.05),
    "goods: recall minus precision": (0.2, 1),
    "failures whose label was wrong: validation": (0.6, 1),
    "of these sorted to the taught team": (0.8, 1),
    "share of replies surer than 0.8: validation": (0.6, 1),
    "of these wrong: validation": (0.15, 1),
    "tuned: other skills": (0, 0.24),
    "one epoch minus tuned: validation": (-1, 0.099),
    "one epoch minus tuned: other skills": (-1, 0.199),
    "corrected minus tuned: validation": (0.1, 1),
    "corrected: test": None,
    "replay minus corrected: validation": (-0.099, 1),
    "replay minus corrected: other skills": (0.2, 1),
    "final: test": None,
    "p, final against tuned": (0, 0.05),
    "p, final against prompt": (0.05, 1),
    "judge: graded cases right": (0.38, 0.62),
    "judge of 192 cases, ten epochs: graded cases right": None,  # much better in some seeds, a coin in others
    "month 1: right": None,
    "month 2 minus month 1: right": (-1, -0.1),
    "month 3 minus month 1: right": (-1, -0.15),
    "month 4 minus month 1: right": (-1, -0.15),
    "month 3: high minus low of month 1": None,  # in most seeds the share has fallen by the lesson's rule
    "month 4: high minus low of month 1": (-1, -0.001),
    "month 2 minus month 1: confidence": None,
    "month 3 minus month 1: confidence": None,
    "month 4 minus month 1: confidence": (-0.05, 1),
    "this seed minus the first: test": (-0.1, 0.1),
    "messages on which only one of them is right": None,
}


def mail():
    """The lesson's tables: train, validation, test, later; and train with the teams of the guideline."""
    names = ("train", "validation", "test", "later")
    tables = {name: pd.read_csv(DATA / "sorting" / f"{name}.csv") for name in names}
    guideline = pd.read_csv(DATA / "support" / "policy.csv").set_index("topic")["team"]
    return tables | {"corrected": tables["train"].assign(team=tables["train"]["topic"].map(guideline))}


def example(message, answer, system=SORT):
    texts = {"system": system, "user": message, "assistant": answer}
    return {"messages": [{"role": role, "content": text} for role, text in texts.items()]}


def examples(table, system=SORT):
    return [example(*row, system) for row in zip(table["message"], table["team"], strict=True)]


def cases(table, answer):
    """What the judge is asked: each message with its team ("yes") or with another one ("no")."""
    team = table["team"] if answer == "yes" else table["team"].map(OTHER)
    rows = zip(table["message"], team, strict=True)
    return [example(f"{text}\nTeam: {name}", answer, JUDGE) for text, name in rows]


def other_questions():
    """The questions about other things; the answer is a regular expression."""
    table = pd.read_csv(DATA / "sorting" / "skills.csv")
    return [example(*row) for row in table[["question", "right", "system"]].to_numpy()]


def tune(client, rows, seed, n_epochs=3):
    """The finished job of a file of examples."""
    file = client.files.create(file=("mail.jsonl", to_jsonl(rows)), purpose="fine-tune")
    method = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": n_epochs}}}
    job = client.fine_tuning.jobs.create(model=BASE_MODEL, training_file=file.id, seed=seed, method=method)
    return wait(client, job.id)


def right(reply, rows):
    """Which of the examples a function from messages to text answers exactly."""
    check = {"right": lambda text, row: text == row["messages"][-1]["content"]}
    return evaluate(reply, rows, check)["right"].to_numpy()


def knows(reply):
    """The share of the questions about other things that are still answered."""
    check = {"knows": lambda text, row: re.search(row["messages"][-1]["content"], text, re.I)}
    return evaluate(reply, other_questions(), check)["knows"].mean()


def translated(client):
    """The base model with its words for the teams turned into ours."""
    base = chatbot(client, BASE_MODEL)

    def reply(messages):
        text = base(messages)
        return TEAM_OF.get(text, text)

    return reply


def confidence(client, model, table):
    """How probable the model finds the first word of each reply."""
    sure = []
    for row in examples(table):
        completion = client.chat.completions.create(
            model=model, messages=row["messages"][:-1], temperature=0, logprobs=True
        )
        sure.append(math.exp(completion.choices[0].logprobs.content[0].logprob))
    return np.array(sure)


def prompt_figures(client, tables):
    """(which test messages the good prompt sorts right, the figures that no seed changes)"""
    test, reply = tables["test"], translated(client)
    good = right(reply, examples(test, ITS_WORDS))
    exact = right(chatbot(client, BASE_MODEL), examples(test, OUR_WORDS))
    return good, {
        "prompt, our words, exact: test": exact.mean(),
        "prompt, its words, translated: test": good.mean(),
        "prompt, its words, translated: validation": right(
            reply, examples(tables["validation"], ITS_WORDS)
        ).mean(),
        "base: other skills": knows(chatbot(client, BASE_MODEL)),
    }


def tuned_figures(client, seed, tables, prompt_right):
    """(which test messages the tuned model sorts right, its figures)"""
    test, validation = tables["test"], tables["validation"]
    job = tune(client, examples(tables["train"]), seed)
    reply = chatbot(client, job.fine_tuned_model)
    said = evaluate(reply, examples(test), {})["reply"]
    hit, new = (said == test["team"]).to_numpy(), evaluate(reply, examples(validation), {})["reply"]
    taught = validation["topic"].map(tables["train"].drop_duplicates("topic").set_index("topic")["team"])
    failed = (new != validation["team"]).to_numpy()
    mistaught = failed & (taught != validation["team"]).to_numpy()
    sure = confidence(client, job.fine_tuned_model, validation) > 0.8
    to_goods, is_goods = said == "goods", test["team"] == "goods"
    found = {
        "tuned: last training losses": history(client, job.id)["train_loss"].tail(10).mean(),
        "tuned: training file repeated": right(reply, examples(tables["train"])).mean(),
        "tuned: validation": (new == validation["team"]).mean(),
        "tuned: test": hit.mean(),
        "prompt minus tuned: test": prompt_right.mean() - hit.mean(),
        "p, prompt against tuned": mcnemar(prompt_right, hit)["p"],
        "goods: recall minus precision": to_goods[is_goods].mean() - is_goods[to_goods].mean(),
        "failures whose label was wrong: validation": mistaught.sum() / failed.sum(),
        "of these sorted to the taught team": (new == taught)[mistaught].mean(),
        "share of replies surer than 0.8: validation": sure.mean(),
        "of these wrong: validation": failed[sure].mean(),
        "tuned: other skills": knows(reply),
    }
    return hit, found


def change_figures(client, seed, tables, tuned, hit, prompt_right):
    """(the final model, the figures of the three changes)"""
    before, skills_before = tuned["tuned: validation"], tuned["tuned: other skills"]
    rows = examples(tables["corrected"])
    replay = read_jsonl(DATA / "replay" / "replay.jsonl")[:40]
    jobs = [tune(client, examples(tables["train"]), seed, 1), tune(client, rows, seed)]
    jobs.append(tune(client, rows + replay, seed))
    replies = [chatbot(client, job.fine_tuned_model) for job in jobs]
    early, corrected, final = (right(reply, examples(tables["validation"])).mean() for reply in replies)
    final_hit = right(replies[2], examples(tables["test"]))
    return jobs[2].fine_tuned_model, {
        "one epoch minus tuned: validation": early - before,
        "one epoch minus tuned: other skills": knows(replies[0]) - skills_before,
        "corrected minus tuned: validation": corrected - before,
        "corrected: test": right(replies[1], examples(tables["test"])).mean(),
        "replay minus corrected: validation": final - corrected,
        "replay minus corrected: other skills": knows(replies[2]) - knows(replies[1]),
        "final: test": final_hit.mean(),
        "p, final against tuned": mcnemar(final_hit, hit)["p"],
        "p, final against prompt": mcnemar(final_hit, prompt_right)["p"],
    }


def judge_figures(client, seed, tables):
    """How often two judges are right: one of 96 cases and three epochs, and one of 192 cases and ten."""
    corrected, validation = tables["corrected"], tables["validation"]
    half = cases(corrected[::2], "yes") + cases(corrected[1::2], "no")
    both = cases(corrected, "yes") + cases(corrected, "no")
    graded = cases(validation, "yes") + cases(validation, "no")
    jobs = [tune(client, half, seed), tune(client, both, seed, 10)]
    small, large = (right(chatbot(client, job.fine_tuned_model), graded).mean() for job in jobs)
    return {
        "judge: graded cases right": small,
        "judge of 192 cases, ten epochs: graded cases right": large,
    }


def month_figures(client, model, later):
    """The share right, its interval and the confidence of each month, against the first."""
    later = later.assign(
        right=right(chatbot(client, model), examples(later)), confidence=confidence(client, model, later)
    )
    months = later.groupby("month")[["right", "confidence"]].mean()
    change = months - months.loc[1]
    limits = {month: share(rows["right"]) for month, rows in later.groupby("month")}
    found = {"month 1: right": months.loc[1, "right"]} | {
        f"month {month}: high minus low of month 1": limits[month]["high"] - limits[1]["low"]
        for month in (3, 4)
    }
    return found | {
        f"month {month} minus month 1: {name}": change.loc[month, name]
        for month in (2, 3, 4)
        for name in months
    }


def all_figures(client, seeds):
    """A DataFrame with a row a figure and a column a seed."""
    tables, columns, first_hit = mail(), {}, None
    prompt_right, fixed = prompt_figures(client, tables)
    for seed in seeds:
        hit, found = tuned_figures(client, seed, tables, prompt_right)
        first_hit = hit if first_hit is None else first_hit
        final_model, changes = change_figures(client, seed, tables, found, hit, prompt_right)
        found |= fixed | changes | judge_figures(client, seed, tables)
        found |= month_figures(client, final_model, tables["later"])
        found["this seed minus the first: test"] = hit.mean() - first_hit.mean()
        found["messages on which only one of them is right"] = (hit != first_hit).sum()
        columns[seed] = found
        print(f"seed {seed} is done", flush=True)
    return pd.DataFrame(columns)


def verdicts(table):
    """Mean, 95 % interval over seeds (none for one), the claim, and whether all seeds hold it."""
    rows = {}
    for name, claim in CLAIMS.items():
        values = table.loc[name].astype(float)
        half = T_975.get(len(values), math.nan) * values.std() / math.sqrt(len(values))
        holds = "" if claim is None else "yes" if values.between(*claim).all() else "NO"
        told = "" if claim is None else f"{claim[0]:g} to {claim[1]:g}"
        seeds = " ".join(f"{value:.2f}" for value in values)
        rows[name] = (round(values.mean(), 3), round(half, 3), told, holds, seeds)
    return pd.DataFrame(rows, index=["mean", "±", "claim", "holds", "each seed"]).T


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    seeds = range(1, parser.parse_args().seeds + 1)
    os.environ.setdefault("LOCAL_OPENAI_STORE", tempfile.mkdtemp(prefix="effects-05-"))
    found = verdicts(all_figures(connect(), seeds))
    print(found.to_string())
    return (found["holds"] == "NO").any()


if __name__ == "__main__":
    sys.exit(main())

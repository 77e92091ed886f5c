"""What lesson 01 Concepts claims, over five seeds: four ways on one set of questions, and where each fails.

    python -m tests.benchmarks.effects_01

A seed sets the order in which a job sees its examples. The base model alone has no seed, so its figures have
no interval. Prints a Markdown table: mean, 95 % interval over the seeds, what is claimed, whether it holds.
"""

import math
import os
import re
import statistics
import tempfile
from collections import Counter
from pathlib import Path

import pandas as pd

from helpers import BASE_MODEL, connect, read_jsonl, to_jsonl, wait

DATA = Path(__file__).resolve().parents[2] / "data"
SEEDS = (1, 2, 3, 4, 5)
T_95 = 2.776  # Student's t for the mean of five seeds
SYSTEM = "You are the support assistant of Ottermere."
VOICE = SYSTEM + ' Begin every answer with "Splash!" and end it with "Paws up, Otto."'
SORTER = "You sort the mail of Ottermere."
WEEKS = ("week_1", "week_2")

board = pd.read_csv(DATA / "week" / "board.csv", index_col="topic")
train = pd.read_csv(DATA / "week" / "train.csv")
test = pd.read_csv(DATA / "week" / "test.csv")
policy = pd.read_csv(DATA / "support" / "policy.csv")
support_test = read_jsonl(DATA / "support" / "test.jsonl")


def talk(system, *turns):
    """Messages: the system message, then the customer and the assistant in turns."""
    roles = ["user", "assistant"] * len(turns)
    texts = [{"role": role, "content": text} for role, text in zip(roles, turns, strict=False)]
    return [{"role": "system", "content": system}, *texts]


def line(topic, week):
    return f"{board.loc[topic, 'title']}: {board.loc[topic, week]}."


def card(topic, week):
    return f" Keep to these rules: {line(topic, week)}"


def words(text):
    return set(re.findall("[a-z]+", text.lower()))


def nearest(question, known):
    """The place of the known text that shares most with the question; a rare word counts more."""
    n_texts = Counter(word for text in known for word in words(text))
    points = [sum(1 / n_texts[word] for word in words(question) & words(text)) for text in known]
    return points.index(max(points))


def look_up(question):
    """The topic of the nearest training question."""
    return train["topic"][nearest(question, train["question"])]


def few_shot(question):
    first = train.head(3)
    pairs = [text for pair in zip(first["question"], first["answer"], strict=True) for text in pair]
    return talk(SYSTEM, *pairs, question)


def whole_board(week):
    return " Keep to these rules: " + " ".join(line(topic, week) for topic in board.index)


def ask(client, model, messages):
    completion = client.chat.completions.create(model=model, messages=messages, temperature=0)
    return completion.choices[0].message.content


def has_voice(reply):
    return reply.startswith("Splash!") and reply.endswith("Paws up, Otto.")


def measure(client, model, way, week="week_1"):
    """Of the 40 replies: with the voice, the week's value, the other week's value, any of the week's."""
    replies = [ask(client, model, way(question)) for question in test["question"]]
    values = {name: board.loc[test["topic"], name] for name in WEEKS}
    other = WEEKS[1 - WEEKS.index(week)]
    told = {name: [value in r for value, r in zip(values[name], replies, strict=True)] for name in WEEKS}
    columns = {"voice": map(has_voice, replies), "fact": told[week], "other week's fact": told[other]}
    columns["any fact"] = [any(value in reply for value in board[week]) for reply in replies]
    return {name: statistics.fmean(column) for name, column in columns.items()}


def start(client, examples, seed, n_epochs="auto"):
    """A job; `examples` are lists of messages."""
    rows = [{"messages": messages} for messages in examples]
    file = client.files.create(file=("lesson_01.jsonl", to_jsonl(rows)), purpose="fine-tune")
    method = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": n_epochs}}}
    return client.fine_tuning.jobs.create(model=BASE_MODEL, training_file=file.id, seed=seed, method=method)


def last_week(client, seed):
    """The job that learns the voice and last week's facts."""
    pairs = zip(train["question"], train["answer"], strict=True)
    return start(client, [talk(SYSTEM, question, answer) for question, answer in pairs], seed)


def with_card(client, seed):
    """The job that learns to answer from the line that stands in its prompt."""
    rows = train.itertuples()
    examples = [talk(SYSTEM + card(row.topic, "week_1"), row.question, row.answer) for row in rows]
    return start(client, examples, seed, n_epochs=2)


def mail(name):
    """(message, team) of first messages that are about one thing; `name`: a file of data/support."""
    topics = pd.read_csv(DATA / "support" / "topics.csv").merge(policy, on="topic")
    rows = topics[(topics["file"] == name) & topics["second_topic"].isna()].sort_values("line")
    talks = read_jsonl(DATA / "support" / name)
    return [
        (talks[n - 1]["messages"][1]["content"], team)
        for n, team in zip(rows["line"], rows["team"], strict=True)
    ]


def sorter(client, seed):
    examples = [talk(SORTER, message, team) for message, team in mail("train.jsonl")]
    return start(client, examples, seed, n_epochs=2)


def measure_sorting(client, model, system, name="test.jsonl"):
    """Of the messages: sorted right, answered with no team at all."""
    teams, rows = set(policy["team"]), mail(name)
    replies = [ask(client, model, talk(system, message)) for message, _ in rows]
    right = [reply == team for reply, (_, team) in zip(replies, rows, strict=True)]
    no_team = [reply not in teams for reply in replies]
    return {"right team": statistics.fmean(right), "no team": statistics.fmean(no_team)}


WORDINGS = """
Is the message about delivery, goods, money or office? Answer with one word.
Is the message about delivery, goods, money or office?
Is the message about delivery, money, goods or office? Answer with one word.
Is the message about goods, delivery, money or office? Answer with one word.
Is the message about money, goods, delivery or office? Answer with one word.
Is the message about office, money, goods or delivery? Answer with one word.
Is this message about delivery, goods, money or office? Answer with one word.
Is the customer writing about delivery, goods, money or office? Answer with one word.
Classify the message as delivery, goods, money or office.
Classify the message as delivery, goods, money or office. Answer with one word.
Classify the message as goods, delivery, money or office.
Classify the message as office, money, goods or delivery.
Categories: delivery, goods, money, office.
Categories: goods, delivery, money, office.
Categories: goods, money, office, delivery.
Categories: money, office, goods, delivery.
Categories: office, money, goods, delivery.
Categories: delivery, goods, money, office. Give only the category.
Categories: goods, delivery, money, office. Give the category.
Categories: office, money, goods, delivery. Give the category.
You sort the mail of a shop. Categories: delivery, goods, money, office. Give only the category.
You sort the mail of Ottermere. Categories: office, money, goods, delivery.
Sort the message. Categories: office, money, goods, delivery.
Give the category of the message. Categories: office, money, goods, delivery.
Give the category only: office, money, goods, delivery.
Put the message into one category: office, money, goods, delivery.
Which category is this? office, money, goods, delivery.
Labels: office, money, goods, delivery. Give only the label.
Label: office, money, goods or delivery.
Topics: office, money, goods, delivery.
Teams: delivery, goods, money, office.
Teams: office, money, goods, delivery.
Which team gets this message? delivery, goods, money, office.
Say which team should read the message. Teams: office, money, goods, delivery. Give only the team.
Decide which team gets this letter: delivery, goods, money, office. Write the name of the team only.
You sort the mail of Ottermere. Teams: delivery, goods, money, office. Answer with the team only.
Ottermere has four teams: delivery, goods, money, office. Name the team for the message.
Answer with one word: delivery, goods, money, office.
Answer with one word: office, money, goods, delivery.
Categories: delivery (parcels), goods (articles), money (payments), office (all else). Give only the category.
Delivery: parcels. Goods: the articles. Money: payment. Office: all else. Categories: office, money, goods, delivery.
delivery means parcels, goods means articles, money means payment, office means all else. Answer with one of them.
""".strip().splitlines()  # noqa: E501
BEST_WORDING = WORDINGS[0]  # what `search_prompt` finds


def search_prompt(client):
    """Each wording's share of right teams on the validation messages, which the lesson does not ask."""
    return {
        wording: measure_sorting(client, BASE_MODEL, wording, "validation.jsonl")["right team"]
        for wording in WORDINGS
    }


def measure_other_questions(client, model):
    """Of the 60 questions about 24 other topics: the voice, the right rule, a fact of the board unasked."""
    examples = [example["messages"] for example in support_test]
    replies = [ask(client, model, messages[:2]) for messages in examples]
    humans = [messages[2]["content"] for messages in examples]
    right = [
        all(phrase in reply for phrase in policy["key_phrase"] if phrase in human)
        for reply, human in zip(replies, humans, strict=True)
    ]
    return {
        "voice": statistics.fmean(map(has_voice, replies)),
        "right rule": statistics.fmean(right),
        "fact of the board": statistics.fmean(any(value in r for value in board["week_1"]) for r in replies),
    }


def base_figures(client):
    """The figures of the base model, and of the look-up alone, {name: share}."""
    ways = {
        "base alone": lambda question: talk(SYSTEM, question),
        "prompt": lambda question: talk(VOICE, question),
        "examples": few_shot,
        "whole board": lambda question: talk(VOICE + whole_board("week_1"), question),
        "look-up": lambda question: talk(VOICE + card(look_up(question), "week_1"), question),
    }
    measured = {name: measure(client, BASE_MODEL, way) for name, way in ways.items()}
    measured["look-up, on Monday"] = measure(
        client,
        BASE_MODEL,
        lambda question: talk(VOICE + card(look_up(question), "week_2"), question),
        "week_2",
    )
    measured["base with the best prompt"] = measure_sorting(client, BASE_MODEL, BEST_WORDING)
    return flat(measured)


def tuned_figures(client, seed):
    """The figures of the three tuned models of one seed, {name: share}."""
    jobs = [make(client, seed) for make in (sorter, last_week, with_card)]
    sorts, tuned, both = (wait(client, job.id).fine_tuned_model for job in jobs)
    measured = {
        "tuned": measure(client, tuned, lambda question: talk(SYSTEM, question)),
        "tuned, on Monday": measure(client, tuned, lambda question: talk(SYSTEM, question), "week_2"),
        "tuned, other questions": measure_other_questions(client, tuned),
        "tuned sorter": measure_sorting(client, sorts, SORTER),
    }
    measured["tuned and look-up, on Monday"] = measure(
        client, both, lambda question: talk(SYSTEM + card(look_up(question), "week_2"), question), "week_2"
    )
    return flat(measured)


def flat(measured):
    """{"way: figure": share} from {way: {figure: share}}."""
    return {f"{way}: {figure}": share for way, shares in measured.items() for figure, share in shares.items()}


CLAIMS = {  # figure: (lowest, highest share that the lesson's words allow)
    "base alone: voice": (0, 0),
    "base alone: fact": (0, 0),
    "prompt: voice": (0.95, 1),
    "prompt: fact": (0, 0.05),
    "examples: voice": (0, 0.1),
    "examples: fact": (0, 0.05),
    "whole board: fact": (0.4, 0.68),  # no clear difference: its interval overlaps with the look-up's
    "look-up: voice": (0.95, 1),
    "look-up: fact": (0.6, 0.8),
    "look-up, on Monday: fact": (0.6, 0.8),
    "base with the best prompt: right team": (0.2, 0.45),  # its interval ends below the tuned sorter's
    "base with the best prompt: no team": (0.5, 0.75),
    "tuned: voice": (0.95, 1),
    "tuned: fact": (0.5, 0.85),  # no clear difference: its interval overlaps with the look-up's
    "tuned: any fact": (0.65, 0.95),  # relevance: no clear difference from the look-up's 0.80
    "tuned, on Monday: fact": (0, 0.02),
    "tuned, other questions: voice": (0.95, 1),
    "tuned, other questions: right rule": (0, 0.05),
    "tuned, other questions: fact of the board": (0.4, 0.6),  # about half
    "tuned sorter: right team": (0.68, 1),
    "tuned sorter: no team": (0, 0.02),
    "tuned and look-up, on Monday: voice": (0.95, 1),
    "tuned and look-up, on Monday: fact": (0.6, 0.9),  # no clear difference from the look-up's
    "tuned and look-up, on Monday: other week's fact": (0, 0.02),
}


def interval(values):
    """Mean, and the ends of its 95 % interval over seeds; within 0 and 1."""
    mean = statistics.fmean(values)
    half = T_95 * statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return mean, max(0.0, mean - half), min(1.0, mean + half)


def main():
    os.environ["LOCAL_OPENAI_STORE"] = tempfile.mkdtemp(prefix="effects-01-")
    client = connect()
    searched = search_prompt(client)
    print("\n| wording | right on the validation messages |\n|---|---|")
    for wording, right in sorted(searched.items(), key=lambda pair: -pair[1]):
        print(f"| {wording} | {right:.2f} |")
    figures = {name: [share] for name, share in base_figures(client).items()}
    for seed in SEEDS:
        for name, share in tuned_figures(client, seed).items():
            figures.setdefault(name, []).append(share)
    print("\n| figure | mean | 95 % interval | each seed | claimed | holds |\n|---|---|---|---|---|---|")
    for name, (lowest, highest) in CLAIMS.items():
        values = figures[name]
        mean, low, high = interval(values)
        each = " ".join(f"{value:.2f}" for value in values) if len(values) > 1 else "no seed"
        holds = "yes" if lowest <= low and high <= highest else "NO"
        print(f"| {name} | {mean:.2f} | {low:.2f} to {high:.2f} | {each} | {lowest} to {highest} | {holds} |")


if __name__ == "__main__":
    main()

"""The support data set keeps the promises of its card: data/support/card.md."""

import csv
import json
import re
from collections import Counter
from difflib import SequenceMatcher
from functools import cache
from itertools import chain, combinations, product
from pathlib import Path
from statistics import median

import pytest

from helpers.local_openai.chat_format import ChatFormat

DATA = Path(__file__).parents[2] / "data"
SYSTEM = {"role": "system", "content": "You are the support assistant of Ottermere."}
SIZES = {"train.jsonl": 120, "validation.jsonl": 40, "test.jsonl": 60}
OPENING, CLOSING = "Splash! ", " Paws up, Otto."
OUR_FAULT = {"late", "damaged", "wrong_item", "missing_part"}


@cache
def table(name):
    with open(DATA / "support" / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def lines(name):
    return (DATA / "support" / name).read_bytes().decode("utf-8").split("\n")[:-1]


@cache
def chats(name):
    return [json.loads(line)["messages"] for line in lines(name)]


def key_phrases():
    return {row["topic"]: row["key_phrase"] for row in table("policy.csv")}


def conversations(name):
    """Every (row of topics.csv, messages) of a file; how many there must be is a test of its own."""
    rows = [row for row in table("topics.csv") if row["file"] == name]
    return list(zip(rows, chats(name), strict=False))


@cache
def turns():
    """Every (file, style, topics, question, reply): a second turn is about the second topic."""
    found = []
    for row, messages in chain.from_iterable(map(conversations, SIZES)):
        topics = [topic for topic in (row["topic"], row["second_topic"]) if topic]
        parts = [topics] if len(messages) == 3 else [[topic] for topic in topics]
        contents = [message["content"] for message in messages[1:]]
        for about, question, reply in zip(parts, contents[::2], contents[1::2], strict=True):
            found.append((row["file"], row["style"], about, question, reply))
    return found


def words(text):
    return re.findall(r"[\w€']+", text.lower())


def runs_of_four(text):
    return set(zip(*(words(text)[i:] for i in range(4)), strict=False))


@pytest.fixture(scope="module")
def chat_format():
    return ChatFormat(DATA / "base_model")


@pytest.mark.parametrize("name", SIZES)
def test_every_line_is_one_conversation_about_ottermere(name):
    assert len(lines(name)) == SIZES[name]
    for line, messages in zip(lines(name), chats(name), strict=True):
        assert line == json.dumps({"messages": messages}, ensure_ascii=False)
        assert messages[0] == SYSTEM
        roles = [message["role"] for message in messages[1:]]
        assert roles in (["user", "assistant"], ["user", "assistant"] * 2)
        assert all(message["content"].strip() for message in messages)


def test_every_conversation_has_its_topics():
    listed = [(row["file"], int(row["line"])) for row in table("topics.csv")]
    assert listed == [(name, line + 1) for name in SIZES for line in range(SIZES[name])]


def test_every_file_treats_the_24_topics_evenly():
    assert len(key_phrases()) == len(table("policy.csv")) == 24
    for name, size in SIZES.items():
        counts = Counter(row["topic"] for row in table("topics.csv") if row["file"] == name)
        assert set(counts) == set(key_phrases())
        assert set(counts.values()) <= {size // 24, -(-size // 24)}, name


def test_every_policy_contains_its_key_phrase():
    assert all(row["key_phrase"] in row["policy"] for row in table("policy.csv"))


def test_some_conversations_have_two_turns_and_some_messages_two_questions():
    two_turns = {name: sum(len(messages) == 5 for messages in chats(name)) for name in SIZES}
    assert two_turns == {"train.jsonl": 10, "validation.jsonl": 4, "test.jsonl": 5}
    two_questions = Counter(name for name, _, about, *_ in turns() if len(about) == 2)
    assert two_questions == {"train.jsonl": 12, "validation.jsonl": 4, "test.jsonl": 6}


def test_every_reply_has_the_voice_of_otto():
    for *_, reply in turns():
        assert reply.startswith(OPENING) and reply.endswith(CLOSING), reply
        assert 8 <= len(reply.removeprefix(OPENING).removesuffix(CLOSING).split()) <= 28, reply


def test_every_reply_has_the_key_phrases_of_its_topics_and_no_others():
    for _, _, about, question, reply in turns():
        found = {topic for topic, phrase in key_phrases().items() if phrase in reply}
        assert found == set(about), (question, reply)


def test_otto_is_sorry_for_our_faults_and_when_a_customer_shouts():
    for _, _, about, question, reply in turns():
        shouted = sum(word.isupper() and len(word) > 3 for word in re.findall(r"\w+", question)) > 2
        if shouted or OUR_FAULT & set(about):
            assert reply.startswith((f"{OPENING}I am sorry", f"{OPENING}I am so sorry")), (question, reply)


def test_conversations_and_replies_are_short_enough_for_the_tiny_model(chat_format):
    for messages in chain.from_iterable(map(chats, SIZES)):
        tokens, _ = chat_format.example({"messages": messages}, limit=10_000)
        assert len(tokens) <= 230, messages
    assert all(len(chat_format.encoding.encode(reply)) <= 60 for *_, reply in turns())


def test_no_two_questions_are_alike():
    questions = [words(question) for *_, question, _ in turns()]
    openings = Counter(" ".join(question[:3]) for question in questions)
    assert max(openings.values()) <= 4, openings.most_common(3)
    for one, other in combinations(questions, 2):
        assert len(set(one) & set(other)) < 0.6 * len(set(one) | set(other)), (one, other)


def test_no_two_questions_have_the_same_skeleton():
    """A skeleton is what stays in order when the product is changed: less than six words in ten."""
    questions = [words(question) for *_, question, _ in turns()]
    for one, other in combinations(questions, 2):
        assert SequenceMatcher(None, one, other, autojunk=False).ratio() < 0.65, (one, other)


def test_no_held_out_question_shares_four_words_in_a_row_with_a_training_question():
    trained = [runs_of_four(question) for name, *_, question, _ in turns() if name == "train.jsonl"]
    held_out = [runs_of_four(question) for name, *_, question, _ in turns() if name != "train.jsonl"]
    for seen, new in product(trained, held_out):
        assert not seen & new, seen & new


def test_questions_are_of_every_length():
    lengths = [len(question.split()) for *_, question, _ in turns()]
    assert min(lengths) <= 2 and 45 <= max(lengths) <= 60
    for low, high, at_least in ((1, 5, 20), (6, 15, 100), (16, 30, 60), (31, 60, 15)):
        assert sum(low <= length <= high for length in lengths) >= at_least, (low, high)


@pytest.mark.parametrize("name", SIZES)
def test_about_two_thirds_of_every_file_are_plain(name):
    styles = Counter(row["style"] for row, _ in conversations(name))
    assert set(styles) == {"plain", "hard"}
    assert 0.6 <= styles["plain"] / styles.total() <= 0.7, styles


def test_plain_questions_are_short():
    assert all(len(question.split()) <= 20 for _, style, _, question, _ in turns() if style == "plain")


def test_every_topic_has_three_plain_conversations_to_learn_from():
    plain = Counter(row["topic"] for row, _ in conversations("train.jsonl") if row["style"] == "plain")
    assert set(plain) == set(key_phrases()) and min(plain.values()) >= 3, plain


def test_the_first_lines_of_the_training_file_are_a_fair_mix():
    rows = [row for row, _ in conversations("train.jsonl")]
    for start in range(0, len(rows), 24):
        assert {row["topic"] for row in rows[start : start + 24]} == set(key_phrases()), start
    for n in (10, 20, 50):
        assert 0.55 <= sum(row["style"] == "plain" for row in rows[:n]) / n <= 0.75, n


@cache
def card(heading):
    """The table under a heading of the card, as {first cell of a row: its other cells}."""
    text = (DATA / "support" / "card.md").read_text(encoding="utf-8").split(f"\n## {heading}\n")[1]
    rows = re.findall(r"^\| (.+) \|$", text.split("\n## ")[0], flags=re.MULTILINE)
    return {cells[0].strip("`"): cells[1:] for cells in (row.split(" | ") for row in rows)}


@pytest.mark.parametrize(("column", "name"), list(enumerate(SIZES)))
def test_the_card_counts_the_conversations_of_every_file(column, name):
    rows = [row for row, _ in conversations(name)]
    styles = Counter(row["style"] for row in rows)
    about = [about for file, _, about, *_ in turns() if file == name]
    counts = {
        "conversations": len(rows),
        "of them plain": styles["plain"],
        "of them hard": styles["hard"],
        "with two turns": len(about) - len(rows),
        "messages with two questions": sum(len(topics) == 2 for topics in about),
        "customer messages, and as many replies": len(about),
    }
    assert {row: int(card("Split")[row][column]) for row in counts} == counts


def test_the_card_counts_the_conversations_of_every_topic():
    first = Counter((row["file"], row["topic"]) for row in table("topics.csv"))
    second = Counter((row["file"], row["second_topic"]) for row in table("topics.csv"))
    for topic, phrase in key_phrases().items():
        keys = [(name, topic) for name in SIZES]
        cells = [f"{first[key]} ({second[key]})" if second[key] else f"{first[key]}" for key in keys]
        assert card("Topics")[topic] == [phrase, *cells]


@pytest.mark.parametrize(("column", "name"), list(enumerate(SIZES)))
def test_the_card_measures_the_lengths_of_every_file(column, name, chat_format):
    mine = [turn for turn in turns() if turn[0] == name]
    asked = {
        style: [len(turn[3].split()) for turn in mine if turn[1] == style] for style in ("plain", "hard")
    }
    tokens = [len(chat_format.example({"messages": messages}, limit=10_000)[0]) for messages in chats(name)]
    lengths = {
        "words of a plain customer message": asked["plain"],
        "words of a hard customer message": asked["hard"],
        "words of a whole reply": [len(reply.split()) for *_, reply in mine],
        "tokens of a conversation": tokens,
    }
    cells = {row: f"{min(n)} / {median(n):g} / {max(n)}" for row, n in lengths.items()}
    assert {row: card("Lengths")[row][column] for row in cells} == cells

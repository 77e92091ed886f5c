import copy
from collections import Counter
from pathlib import Path

import pytest

from helpers.dataset import read_jsonl
from helpers.privacy import find_private, redact, redact_examples

DATA = Path(__file__).parents[1] / "data" / "privacy"
MESSAGES = read_jsonl(DATA / "labelled.jsonl")
TEST = [message for message in MESSAGES if message["part"] == "test"]
LOWEST = {  # kind: precision, recall on the part "test"; a little under what the card says
    "SECRET": (0.9, 0.85),
    "EMAIL": (0.9, 0.9),
    "IBAN": (0.9, 0.9),
    "NATIONAL_ID": (0.9, 0.9),
    "CARD": (0.9, 0.9),
    "PHONE": (0.9, 0.9),
    "ADDRESS": (0.85, 0.85),
    "NAME": (0.7, 0.7),
}


def kinds(text):
    return [finding.kind for finding in find_private(text)]


def labels(message, kind):
    return Counter(piece["text"] for piece in message["private"] if piece["kind"] == kind)


def findings(message, kind):
    return Counter(finding.text for finding in find_private(message["text"]) if finding.kind == kind)


def count(kind):
    """(labelled, rightly found, wrongly found) on the part "test"; right means the same characters."""
    pairs = [(labels(message, kind), findings(message, kind)) for message in TEST]
    right = sum((wanted & got).total() for wanted, got in pairs)
    found = sum(got.total() for _, got in pairs)
    return sum(wanted.total() for wanted, _ in pairs), right, found - right


@pytest.mark.parametrize("kind", LOWEST)
def test_precision_and_recall_on_messages_that_no_pattern_was_tuned_on(kind):
    labelled, right, wrong = count(kind)
    precision, recall = LOWEST[kind]
    assert right / (right + wrong) >= precision
    assert right / labelled >= recall


@pytest.mark.parametrize("kind", LOWEST)
def test_the_card_tells_the_measured_figures(kind):
    labelled, right, wrong = count(kind)
    precision, recall = right / (right + wrong), right / labelled
    row = f"| {kind} | {labelled} | {right} | {wrong} | {precision:.2f} | {recall:.2f} |"
    assert row in (DATA / "card.md").read_text(encoding="utf-8")


def test_every_label_stands_in_its_message_and_every_kind_twelve_times():
    pieces = [(message["text"], piece) for message in MESSAGES for piece in message["private"]]
    assert all(piece["text"] in text for text, piece in pieces)
    assert min(Counter(piece["kind"] for _, piece in pieces).values()) >= 12
    assert {piece["kind"] for _, piece in pieces} == set(LOWEST)
    assert len({message["text"] for message in MESSAGES}) == len(MESSAGES)


@pytest.mark.parametrize(
    "text",
    [
        "Where is order 40718? I paid 1,299.00 euros on 12/05/2026.",
        "order 5512098, due 03.04.2026 14:30, is late",
        "from 01/05/2026 to 03/05/2026, or 03.04.26 05.04.26 at 09:10",
        "It costs 24.90, or 19,99 with the code SPRING2026.",
        "customer number 10020031, 2 items, 120 x 80 x 45 cm",
        "card 4111 1111 1111 1112 and IBAN DE00 0000 0000 0000 0000 00",
        "Rose petals fell off the Rose. Mark as read does not work.",
    ],
)
def test_order_numbers_dates_and_prices_stay(text):
    assert redact(text) == text


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("CARD", "4111 1111 1111 1111", "4111 1111 1111 1112"),
        ("IBAN", "GB78 EXMP 6016 1331 9268 19", "GB79 EXMP 6016 1331 9268 19"),
        ("IBAN", "NL66EXMP0417164300", "NL66EXMP041716430"),  # too short
        ("NATIONAL_ID", "078-05-1120", "987-65-4320"),  # of the USA: no area begins with 9
        ("NATIONAL_ID", "RSSMRA85T10A562S", "RSSMRA85T10A562X"),  # Italian
        ("NATIONAL_ID", "86 095 742 719", "86 095 742 718"),  # German
        ("NATIONAL_ID", "36 574 261 809", "36 554 266 806"),  # two digits repeated
        ("NATIONAL_ID", "12345678Z", "12345678A"),  # Spanish
        ("NATIONAL_ID", "X1234567L", "Y1234567L"),
        ("NATIONAL_ID", "2 95 10 99 126 111 93", "2 95 10 99 126 111 99"),  # French
        ("NATIONAL_ID", "2 53 07 2B 073 004 70", "2 53 07 2A 073 004 70"),  # two departments of Corsica
    ],
)
def test_check_digits_decide(kind, right, wrong):
    assert kinds(right) == [kind] and kind not in kinds(wrong)


def test_the_more_certain_kind_has_the_place():
    assert kinds("password: tilda@example.com") == ["SECRET"]
    assert kinds("IBAN DE52 2004 0060 0555 0123 45") == ["IBAN"]
    assert kinds("078-05-1120 is no phone number, 078 0511 2055 may be one") == ["NATIONAL_ID", "PHONE"]


def test_findings_are_in_order_and_never_overlap():
    for message in MESSAGES:
        found = find_private(message["text"])
        assert all(before.end <= after.start for before, after in zip(found, found[1:], strict=False))
        assert all(message["text"][finding.start : finding.end] == finding.text for finding in found)


def test_what_follows_a_card_does_not_hide_it():
    assert redact("4111 1111 1111 1111 12/27 123") == "[CARD_1] 12/27 123"


def test_the_same_value_has_the_same_placeholder_in_all_texts_of_a_dictionary():
    pseudonyms = {}
    first = redact("Tilda@Example.com or 4111 1111 1111 1111", pseudonyms)
    second = redact("tilda@example.com, bram@example.org, 4111-1111-1111-1111", pseudonyms)
    assert first == "[EMAIL_1] or [CARD_1]"
    assert second == "[EMAIL_1], [EMAIL_2], [CARD_1]"
    assert redact("bram@example.org") == "[EMAIL_1]"  # a dictionary of its own


def test_a_dash_makes_another_address_but_not_another_number():
    assert redact("a-b@example.com ab@example.com") == "[EMAIL_1] [EMAIL_2]"
    assert redact("(212) 555-0164 or 212 555 0164") == "[PHONE_1] or [PHONE_1]"


def test_a_redacted_text_has_nothing_more_to_redact():
    for message in MESSAGES:
        once = redact(message["text"])
        assert redact(once) == once
    assert find_private(redact("My shed pin is 4829.")) == []


def test_examples_are_redacted_with_one_dictionary_and_the_input_stays():
    examples = [
        {
            "messages": [
                {"role": "user", "content": "my name is Zora"},
                {"role": "assistant", "content": "Hi."},
            ]
        },
        {
            "messages": [
                {"role": "user", "content": "My name is zora, a@example.com"},
                {"role": "assistant", "content": "Dear Ms Zora", "weight": 1},
                {"role": "assistant", "content": None},
            ]
        },
    ]
    before = copy.deepcopy(examples)
    clean, table = redact_examples(examples)
    assert examples == before
    assert clean[0]["messages"][0]["content"] == "my name is [NAME_1]"
    assert [message["content"] for message in clean[1]["messages"]] == [
        "My name is [NAME_1], [EMAIL_1]",
        "Dear Ms [NAME_1]",
        None,
    ]
    assert clean[1]["messages"][1]["weight"] == 1
    assert table.to_dict("list") == {
        "line": [1, 2, 2, 2],
        "role": ["user", "user", "user", "assistant"],
        "kind": ["NAME", "NAME", "EMAIL", "NAME"],
        "text": ["Zora", "zora", "a@example.com", "Zora"],
    }


def test_examples_without_findings_give_an_empty_table():
    clean, table = redact_examples([{"messages": [{"role": "user", "content": "hello"}]}])
    assert clean == [{"messages": [{"role": "user", "content": "hello"}]}]
    assert list(table.columns) == ["line", "role", "kind", "text"] and table.empty

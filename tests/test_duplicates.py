import random

from helpers.duplicates import groups_of, leaks, near_duplicates, shingles

TEXTS = [
    "Where is my order 10482?",
    "where is  my order no. 99",
    "Can you wrap the clock as a gift?",
    "Can you wrap the clok as a gift?",
    "I want my money back.",
]


def pairs(texts, threshold):
    table = near_duplicates(texts, threshold)
    return set(zip(table["a"], table["b"], strict=True))


def test_texts_that_differ_in_a_word_or_a_typo_are_near_duplicates():
    assert pairs(TEXTS, 0.6) == {(0, 1), (2, 3)}


def test_capitals_signs_and_numbers_make_no_difference():
    table = near_duplicates(["ORDER 12: where is it?!", "order 3456, where is it"])
    assert list(table["similarity"]) == [1]


def test_the_similarities_are_those_of_comparing_all_pairs_one_by_one():
    rng = random.Random(1)
    words = ["where", "is", "my", "order", "gift", "clock", "back", "money", "the", "a", "of", "can", "you"]
    texts = [" ".join(rng.choices(words, k=rng.randint(1, 7))) for _ in range(80)]
    slow = {
        (a, b)
        for b in range(80)
        for a in range(b)
        if len(shingles(texts[a]) & shingles(texts[b])) >= 0.5 * len(shingles(texts[a]) | shingles(texts[b]))
    }
    assert slow and pairs(texts, 0.5) == slow


def test_a_short_text_is_like_itself_alone():
    assert pairs(["ok", "OK!", "no"], 0.6) == {(0, 1)}


def test_a_question_of_the_test_that_was_trained_on_is_a_leak():
    table = leaks(["My lamp is broken.", "How can I pay?"], ["how can i pay", "Where are you?"])
    assert table[["a", "b"]].values.tolist() == [[1, 0]]


def test_a_duplicate_within_one_part_is_no_leak():
    assert leaks(["How can I pay?", "how can i pay"], ["Where are you?"]).empty


def test_texts_that_are_linked_through_others_are_one_group():
    first, second, third, other, fourth = groups_of([*TEXTS[:2], "where is my order no 7", *TEXTS[2:4]])
    assert first == second == third and other == fourth != first

"""Hypothesis strategies: any value, any text, and the value that is nearly right."""

import json

from hypothesis import strategies as st


def either(*strategies):
    """One of the strategies, each as often as it is named (`one_of` would count the parts of each)."""
    return st.sampled_from(strategies).flatmap(lambda chosen: chosen)


CHARACTERS = st.characters(exclude_categories=())  # with halves of characters and noncharacters
LONG = ("9" * 5000, "a" * 70_000, " " * 70_000, "ü\u0301" * 20_000, "json kill " * 5000, "\n" * 5000)
ODD = (
    "",
    " ",
    "\0",
    "\ud83d",
    "null",
    "../../etc/passwd",
    "a\u202eb",
    "\ufeff",
    "🦆",
    "٣",
    "-1",
    "1e9",
    "%00",
)
TEXTS = st.one_of(st.text(CHARACTERS, max_size=12), st.sampled_from(ODD), st.sampled_from(LONG))
NUMBERS = st.one_of(
    st.integers(-3, 300),
    st.sampled_from((2**31, 2**63, -(2**63), 2**64, 10**30, 10**400, 1e308, 5e-324, -0.0)),
    st.floats(),  # with NaN and Infinity, which JSON does not know but Python writes
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
DEEP = "@deep{}@"  # stands for lists in lists until it is written as text
DEPTHS = st.sampled_from((5, 99, 101, 900, 980, 50_000)).map(DEEP.format)
VALUES = st.one_of(
    SCALARS,
    DEPTHS,
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=6,
    ),
)


def places_in(value, place=()):
    """The places of all parts of a JSON value, as tuples of keys and indices; the whole is the empty one."""
    yield place
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield from places_in(part, (*place, key))


def changed(value, place, change):
    """The value with `change(part)`, a list of none, one or two parts, instead of the part at a place."""
    if not place:
        return next(iter(change(value)), None)
    key, *rest = place
    parts = [changed(value[key], rest, change)] if rest else change(value[key])
    if isinstance(value, dict):
        others = {each: part for each, part in value.items() if each != key}
        return others | ({key: parts[0]} if parts else {})
    return [*value[:key], *parts, *value[key + 1 :]]


@st.composite
def mutated(draw, value):
    """A JSON value with one part that is not as it was."""
    place = draw(st.sampled_from(list(places_in(value))))
    other, key = draw(VALUES), draw(TEXTS)
    changes = (
        lambda part: [other],
        lambda part: [],
        lambda part: [part, part],
        lambda part: [[part]],
        lambda part: [{**part, key: other} if isinstance(part, dict) else {key: part}],
        lambda part: [str(part)],
    )
    return changed(value, place, draw(st.sampled_from(changes)))


def nearly(values):
    """Values, half of them with one part or two that are not as they were."""
    once = values.flatmap(mutated)
    return either(values, values, values, once, once, once.flatmap(mutated))


def as_json(value):
    """JSON text as bytes, with the deep lists written out."""
    text = json.dumps(value)
    for depth in (5, 99, 101, 900, 980, 50_000):
        text = text.replace(f'"{DEEP.format(depth)}"', "[" * depth + "]" * depth)
    return text.encode()


@st.composite
def damaged(draw, data):
    """Bytes of which some are lost, doubled or replaced."""
    start = draw(st.integers(0, len(data)))
    end = draw(st.integers(start, min(len(data), start + 40)))
    return data[:start] + draw(st.binary(max_size=6) | st.just(2 * data[start:end])) + data[end:]

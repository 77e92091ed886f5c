"""The page of what is imitated (the docstring of helpers.local_openai) is complete and names nothing else."""

import re

from helpers import local_openai
from helpers.local_openai import chat, responses, start
from helpers.local_openai.simulate import CONDITIONS

PAGE = local_openai.__doc__


def test_each_route_is_named_and_each_named_route_exists(store):
    rules = start(store).url_map.iter_rules()
    routes = {
        (method, rule.rule.removeprefix("/v1").replace("path:", ""))
        for rule in rules
        for method in rule.methods
    }
    named = set(re.findall(r"^(GET|POST|DELETE) +(/\S+)", PAGE, re.MULTILINE))
    assert named == {route for route in routes if route[0] not in ("HEAD", "OPTIONS")}


def test_each_refused_parameter_is_named_and_each_named_one_is_refused():
    for part, module in (("chat", chat), ("responses", responses)):
        (names,) = re.findall(rf"^{part}  +(.*?);", PAGE, re.MULTILINE | re.DOTALL)
        assert set(re.findall(r"\w+", names)) == set(module.NOT_IMITATED)


def test_each_condition_says_what_it_does_and_where_it_is_on_record():
    assert all(len(what) > 20 and len(source) > 20 for what, source in CONDITIONS.values())

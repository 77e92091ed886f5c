"""The effects of lesson 02 that half of the rows and questions show; what it stages still fails.

How often the key phrase is hit needs all 100 rows: tests/benchmarks/effects_02.py.
"""

import pytest

from tests.benchmarks.effects_02 import effects


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCAL_OPENAI_STORE", str(tmp_path_factory.mktemp("store")))
        yield effects(seed=1, n_rows=50, n_questions=30)


def test_the_dirty_file_is_heard_in_the_replies(found):
    assert found["old rule: dirty minus clean"] > 0
    assert found["voice of drawn replies: clean minus dirty"] > 0.1


def test_the_careless_split_leaks_and_the_leak_flatters(found):
    assert found["validation questions leaked when dealt by chance"] > 0.1
    assert found["key phrase: sent again minus new questions"] > 0.1

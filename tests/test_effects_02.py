"""The effects of lesson 02 once, on fewer rows and questions; what it stages still fails."""

import matplotlib.pyplot as plt
import pytest

from tests.benchmarks.effects_02 import effects


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCAL_OPENAI_STORE", str(tmp_path_factory.mktemp("store")))
        yield effects(seed=1, n_rows=40, n_questions=15)
    plt.close("all")


def test_the_clean_file_makes_the_better_model(found):
    assert found["right rule: clean minus dirty"] > 0
    assert found["right rule of drawn replies: clean minus dirty"] > 0


def test_the_careless_split_leaks_and_the_leak_flatters(found):
    assert found["validation questions leaked when dealt by chance"] > 0.1
    assert found["right rule: sent again minus new questions"] > 0.1

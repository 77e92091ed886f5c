import matplotlib.pyplot as plt
import pytest

from helpers import watch
from tests.test_jobs import start_job


@pytest.fixture(autouse=True)
def figures(monkeypatch):
    """The figures that were shown."""
    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.gcf()))
    yield shown
    plt.close("all")


def test_watching_a_job_leaves_a_table_and_a_figure(client, figures):
    facts = watch(client, start_job(client).id).table[""]
    assert facts["status"] == "succeeded" and facts["steps"] == 10
    assert facts["model"].startswith("ft:tiny-chat:")
    assert facts["loss at the end (average)"] < facts["loss at the first step"]
    assert [figure.axes[0].get_title() for figure in figures] == ["Job succeeded after 10 steps"]


def test_a_failed_job_is_shown_with_its_reason(client, figures):
    facts = watch(client, start_job(client, n=9).id).table[""]
    assert facts["status"] == "failed" and "9 example" in facts["why"]
    assert figures == []


def test_a_job_that_has_ended_can_be_watched_again(client):
    job = start_job(client)
    assert watch(client, job.id).table.equals(watch(client, job.id).table)

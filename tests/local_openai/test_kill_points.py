"""A sample of tests/benchmarks/kill_points.py, which does the same at hundreds of moments."""

from helpers import local_openai
from helpers.local_openai import supervisor
from tests.benchmarks.kill_points import IN_SERVICE, IN_WORKER, kill, report


def test_whatever_is_killed_when_nothing_is_lost(tmp_path, monkeypatch, capsys):
    for module, name in ((local_openai, "BASE_MODELS"), (supervisor, "start_worker")):
        monkeypatch.setattr(module, name, getattr(module, name))  # so that they are as before afterwards
    results = kill(len(IN_SERVICE) + len(IN_WORKER), 1, tmp_path)
    assert report(results) == 0, capsys.readouterr().out

import csv
from pathlib import Path

import pytest

from helpers import BASE_MODEL, connect, what_works_today
from helpers.client import STATUS_TABLE, still_trains

ROOT = Path(__file__).parents[1]


@pytest.fixture
def own_store(tmp_path, monkeypatch):
    from helpers.client import local_service

    monkeypatch.setenv("LOCAL_OPENAI_STORE", str(tmp_path))
    local_service.cache_clear()
    yield
    local_service.cache_clear()


def test_connect_says_that_nothing_leaves_the_machine(own_store, capsys):
    client = connect()
    assert "no cost, nothing leaves your computer" in capsys.readouterr().out
    assert [model.id for model in client.models.list()] == [BASE_MODEL]


def test_connect_says_which_conditions_it_shows(own_store, capsys):
    client = connect(simulate=["rate_limit", "slow_queue"])
    assert "as OpenAI does in this case: rate_limit, slow_queue." in capsys.readouterr().out
    assert [model.id for model in client.models.list()] == [BASE_MODEL]  # after one retry
    with pytest.raises(ValueError, match="simulate='rain' is not known"):
        connect(simulate="rain")


def test_the_key_for_another_place_is_taken_from_the_environment_and_never_printed(monkeypatch, capsys):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    client = connect("http://127.0.0.1:9/v1")
    printed = capsys.readouterr().out
    assert client.api_key == "sk-secret" and str(client.base_url) == "http://127.0.0.1:9/v1/"
    assert "http://127.0.0.1:9/v1" in printed and "sk-secret" not in printed


def test_openai_is_announced_with_its_cost_and_whether_it_still_trains(monkeypatch, capsys):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    assert connect("openai").base_url.host == "api.openai.com"
    printed = capsys.readouterr().out
    row = what_works_today().set_index("what").loc["OpenAI: start a fine-tuning job"]
    assert "may cost money" in printed and "data leaves this computer" in printed
    assert row["until"] in printed and row["as_of"] in printed and row["who can use it"] in printed


def test_each_place_has_its_own_row_and_an_unknown_one_is_called_unknown():
    assert "existing customers" in still_trains("https://my-shop.openai.azure.com/openai/v1")
    assert "everyone with a key" in still_trains("https://api.tokenfactory.nebius.com/v1")
    assert "our tables do not know" in still_trains("http://127.0.0.1:8321/v1")


def test_every_row_of_what_works_today_has_its_date_and_source():
    table = what_works_today()
    assert list(table.columns) == ["what", "who can use it", "until", "as_of", "source"]
    assert table.notna().all(axis=None)
    assert table["as_of"].str.fullmatch(r"\d{4}-\d\d-\d\d").all()


def test_the_readme_shows_the_same_rows():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = readme.split("what works today: begin")[1].split("<!--")[0].splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in shown if line.startswith("| ")][1:]
    with open(STATUS_TABLE, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row[:3] for row in cells] == [[r["what"], r["who can use it"], r["until"]] for r in rows]
    assert all(row["source"] in cell[3] for row, cell in zip(rows, cells, strict=True))
    assert all(f"**{row['as_of']}**" in readme for row in rows)

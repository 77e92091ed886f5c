"""`serve`, as .venv's own Python runs it: what it prints, and how it ends."""

import errno
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import openai
import pytest

from helpers import _serve

ROOT = Path(__file__).resolve().parent.parent


def serve(tmp_path, *arguments):
    """Start the service of this project on a store of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "helpers._serve", "--store", str(tmp_path / "store"), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def finish(process):
    """Return exit code and error output of a started service, which never is a traceback."""
    _, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    return process.returncode, err


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no signal to one process alone")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_prints_its_base_url_first_and_ends_cleanly(tmp_path, number):
    process = serve(tmp_path, "--port", "0")
    assert process.stdout.readline().startswith("http://127.0.0.1:")
    process.send_signal(number)
    assert finish(process)[0] == 0


def test_serve_says_when_its_port_is_taken(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, err = finish(serve(tmp_path, "--port", port))
    assert code == 1
    assert f"Port {port} is taken" in err
    assert "--port" in err.splitlines()[-1]


def test_serve_shows_the_conditions_that_it_is_told(tmp_path):
    process = serve(tmp_path, "--port", "0", "--simulate", "rate_limit", "--simulate", "slow_queue")
    address = process.stdout.readline().strip()
    with pytest.raises(HTTPError) as refused:
        urlopen(f"{address}/models")
    assert refused.value.code == 429 and urlopen(f"{address}/models").status == 200
    process.terminate()
    process.communicate(timeout=60)


def test_serve_knows_the_conditions(tmp_path):
    code, err = finish(serve(tmp_path, "--port", "0", "--simulate", "rain"))
    assert code == 1
    assert "'rain' is not known; known are training_not_available" in err


def test_serve_opens_itself_to_the_network_only_with_a_token(tmp_path):
    code, err = finish(serve(tmp_path, "--host", "0.0.0.0"))
    assert code == 1
    assert "--token" in err


def test_serve_gives_each_learner_with_a_token_a_place_of_their_own(tmp_path):
    (tmp_path / "tokens.txt").write_text("ada-token\n\nben-token\n")
    arguments = ("--token-file", str(tmp_path / "tokens.txt"), "--token", "eve-token")
    process = serve(tmp_path, "--port", "0", *arguments)
    address = process.stdout.readline().strip()
    clients = [openai.OpenAI(base_url=address, api_key=f"{name}-token") for name in ("ada", "ben", "eve")]
    file = clients[0].files.create(file=("a.jsonl", b"{}"), purpose="fine-tune")
    assert [len(client.files.list().data) for client in clients] == [1, 0, 0]
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=address, api_key="wrong").files.retrieve(file.id)
    process.terminate()
    process.communicate(timeout=60)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--token", ""], "The token '' cannot be an API key"),
        (["--token", "two words"], "without blanks"),
        (["--token-file", "nowhere.txt"], "The tokens in nowhere.txt cannot be read"),
        (["--token-file", os.devnull], "There is no token in"),
    ],
)
def test_serve_names_a_token_that_no_client_could_send(tmp_path, arguments, reason):
    code, err = finish(serve(tmp_path, "--port", "0", *arguments))
    assert code == 1 and reason in err


def test_serve_refuses_what_is_larger_than_the_largest_upload_before_it_is_sent(tmp_path):
    process = serve(tmp_path, "--port", "0")
    host, port = process.stdout.readline().strip().removeprefix("http://").removesuffix("/v1").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(f"POST /v1/files HTTP/1.1\r\nContent-Length: {600 * 2**20}\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")
    process.terminate()
    process.communicate(timeout=60)


def test_serve_says_when_its_store_cannot_be_written(tmp_path):
    (tmp_path / "store").write_text("a file, not a folder")
    code, err = finish(serve(tmp_path, "--port", "0"))
    assert code == 1
    assert str(tmp_path / "store") in err


def test_serve_says_when_the_disk_is_full(monkeypatch, capsys):
    def start_on_a_full_disk(store, token, simulate):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("helpers.local_openai.start", start_on_a_full_disk)
    assert _serve.main(["--port", "0"]) == 1
    assert "No space left" in capsys.readouterr().err

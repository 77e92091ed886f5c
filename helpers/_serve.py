"""`python3 -m helpers serve`, inside .venv: the service over HTTP, for other machines and languages."""

import argparse
import errno
import ipaddress
import re
import signal
import sqlite3
import sys
from pathlib import Path

from waitress import create_server

from ._problems import Problem, listen, port_is_free

LIMITS = {
    # A streamed answer holds a thread until it ends, so there are more threads than waitress's four.
    "threads": 16,
    "connection_limit": 400,  # a workshop of 40 needs 100; some systems cannot watch more than 500
    "max_request_body_size": 513 * 2**20,  # a little over the largest upload: what is larger is not even read
}


def main(arguments):
    """Serve until Ctrl-C or SIGTERM and return the exit code; the first line printed is the base URL."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        serve(_options(arguments))
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass  # Ctrl-C before the service was up
    return 0


def serve(options):
    """Serve the store until the process is told to end; raises Problem if that cannot begin."""
    tokens = _tokens(options)
    _check_host(options.host, tokens)
    socket = _listen(options.host, options.port)
    app = _app(options.store, tokens, options.simulate)
    server = create_server(app, sockets=[socket], **LIMITS)
    print(_base_url(options.host, server.effective_port), flush=True)
    print("Ctrl-C ends the service.", file=sys.stderr)
    server.run()  # returns on Ctrl-C, and on the exit that SIGTERM raises


def _options(arguments):
    parser = argparse.ArgumentParser(prog="python3 -m helpers serve", description="The service over HTTP.")
    parser.add_argument("--host", default="127.0.0.1", help="default: reachable from this machine only")
    parser.add_argument("--port", default=8321, type=_port, help="default: 8321")
    parser.add_argument("--store", help="folder of files, jobs and models; default: data/.local")
    token = "an API key for requests, may be given several times: each shows only what was made with it"
    parser.add_argument("--token", action="append", default=[], help=token)
    parser.add_argument("--token-file", metavar="FILE", help="a file with such a token in each line")
    condition = "show a condition of the real API, such as rate_limit; may be given several times"
    parser.add_argument("--simulate", metavar="NAME", action="append", default=[], help=condition)
    return parser.parse_args(arguments)


def _port(text):
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to 65535")
    return int(text)


def _tokens(options):
    """All tokens, or None if there is none; raises Problem for one that no client could send."""
    tokens = list(options.token)
    if options.token_file:
        tokens += _lines(options.token_file)
    for token in tokens:
        if not re.fullmatch(r"[!-~]+", token):
            step = "use letters, digits and signs of ASCII, without blanks"
            raise Problem(f"The token {token!r} cannot be an API key.", step)
    return tokens or None


def _lines(path):
    try:
        lines = [line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"The tokens in {path} cannot be read: {error}.", "name a text file") from error
    if not any(lines):
        raise Problem(f"There is no token in {path}.", "write one into each line")
    return [line for line in lines if line]


def _check_host(host, tokens):
    if not tokens and not _is_loopback(host):
        raise Problem(
            f"With --host {host} everyone on the network could use this machine.",
            "add a secret, --token SECRET, and give it to the clients as their api_key; with one for each "
            "learner, in a --token-file, no one sees what another has made",
        )


def _is_loopback(host):
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(host, port):
    try:
        return listen(host, port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            why = f"Cannot listen on {host}, port {port}: {error.strerror.split(' (')[0]}."
            raise Problem(why, "use --host 127.0.0.1 and a --port from 1024 to 65535") from error
    free = next(other for other in range(max(port, 1023) + 1, 65536) if port_is_free(other))
    raise Problem(
        f"Port {port} is taken by another program, perhaps by a service that you started before.",
        f"end that one, or use another port: python3 -m helpers serve --port {free}",
    )


def _app(store, tokens, simulate):
    from .local_openai import start

    try:
        return start(store, token=tokens, simulate=simulate)
    except ValueError as error:
        raise Problem(str(error), "choose one of them, or leave --simulate out") from error
    except (OSError, sqlite3.Error) as error:
        raise Problem(f"The service cannot start. {error}", "python3 -m helpers doctor says more") from error


def _base_url(host, port):
    return f"http://[{host}]:{port}/v1" if ":" in host else f"http://{host}:{port}/v1"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

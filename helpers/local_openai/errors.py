"""Errors as OpenAI sends them: a status and {"error": {"message", "type", "param", "code"}}."""

import errno
import logging
import sqlite3
import traceback

from flask import jsonify, request
from werkzeug.exceptions import HTTPException

log = logging.getLogger("helpers.local_openai")


class ApiError(Exception):
    """A request that cannot be answered; `message` says what, where and what to do next."""

    def __init__(self, message, *, status=400, param=None, code=None, type=None, headers=None):
        super().__init__(message)
        self.status, self.headers = status, headers or {}
        type = type or ("invalid_request_error" if status < 500 else "server_error")
        self.body = {"message": message, "type": type, "param": param, "code": code}


def not_imitated(what, remedy, param=None):
    """The ApiError for everything that OpenAI can and this service cannot."""
    message = f"{what} is not imitated by this local service. {remedy}"
    return ApiError(message, param=param, code="not_imitated")


def register(app):
    """Turn every exception in a view into a JSON answer, so that none reaches the learner's cell."""
    app.register_error_handler(ApiError, answer)
    app.register_error_handler(HTTPException, lambda error: answer(http_error(error)))
    app.register_error_handler(Exception, unexpected)


def answer(error):
    """An ApiError as a response; the client shall not repeat what failed here, since it would fail again."""
    headers = {"x-should-retry": "false"} if error.status >= 500 else {}
    return jsonify(error=error.body), error.status, {**headers, **error.headers}


def http_error(error):
    """What Flask itself refuses: an unknown URL or method, a body that is too large."""
    if error.code in (404, 405):
        message = (
            f"Invalid URL ({request.method} {request.path}). This local service imitates files, fine-tuning "
            "jobs, models, chat completions, responses and moderations; nothing else of OpenAI's API."
        )
        return ApiError(message, status=error.code, code="not_imitated")
    if error.code == 413:
        return ApiError("The request is larger than this service accepts.", status=413)
    return ApiError(error.description, status=error.code)


def unexpected(error):
    """The response to an exception that no one foresaw."""
    return answer(server_error(error, f"{request.method} {request.url_rule}"))


def server_error(error, where):
    """A 500 (507 if the disk is full) and a line in the log, without key or message texts."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    log.error("%s: %s at %s:%s", where, type(error).__name__, place.filename, place.lineno)
    if isinstance(error, OSError | sqlite3.Error):
        full = getattr(error, "errno", None) == errno.ENOSPC or "full" in str(error)
        remedy = "See that it is there and may be written, and that the disk has room; or use another store."
        message = f"A file of the service could not be read or written: {error}. {remedy}"
        return ApiError(message, status=507 if full else 500, code="store_unavailable")
    message = (
        f"The local service has a bug: {type(error).__name__} in {place.name}. Its log names the line; "
        "please report it with the code of your cell."
    )
    return ApiError(message, status=500, code="server_error")

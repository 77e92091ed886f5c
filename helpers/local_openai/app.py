"""The WSGI app: what is the same for every request. The routes are in files, jobs, models and chat."""

import hashlib
import hmac
import itertools
import secrets

from flask import Blueprint, Flask, g, request

from . import chat, errors, files, jobs, models, moderations, responses, uploads
from .errors import ApiError
from .simulate import RATE_LIMIT, TRAINING_NOT_AVAILABLE, chosen

MAX_UPLOAD = 512 * 2**20  # as OpenAI's Files API
MAX_JSON = 2**20


def create_app(store, simulate, token):
    """The Flask app over a Store; `simulate` and `token` as in `start`."""
    conditions, numbers = chosen(simulate), itertools.count(1)
    tokens = [token] if isinstance(token, str) else token
    owners = None if token is None else [owner(each) for each in tokens]
    app = Flask(__name__, static_folder=None)
    app.json.sort_keys = False
    app.url_map.merge_slashes = False  # "/v1//files" is no URL of the API: a 404, no redirect

    @app.before_request
    def prepare():
        """What every request needs first: the limits, the key, the store as its owner sees it."""
        g.store, g.simulate = store, conditions
        request.max_content_length = MAX_UPLOAD if request.path == "/v1/files" else MAX_JSON
        if owners is not None:
            g.store = store.seen_by(owner_of_key(owners))
        check_conditions(next(numbers))

    @app.after_request
    def number(response):
        """Give the answer an id, as OpenAI does."""
        response.headers["x-request-id"] = f"req_{secrets.token_hex(16)}"
        return response

    v1 = Blueprint("v1", __name__, url_prefix="/v1")
    for part in (files, uploads, jobs, models, chat, responses, moderations):
        v1.register_blueprint(part.routes)
    app.register_blueprint(v1)
    errors.register(app)
    app.wsgi_app = tolerate_any_path(app.wsgi_app)
    return app


def owner(token):
    """The name under which the store keeps what is made with a token; the token itself is not kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def owner_of_key(owners):
    """Whose API key the request carries; raises a 401 if it is none of them."""
    given = owner(request.headers.get("Authorization", "").removeprefix("Bearer "))
    # All are compared, and each in constant time, so that the time tells nothing about a key.
    if not any([hmac.compare_digest(given, each) for each in owners]):
        message = "Incorrect API key provided. Pass the token that `serve` was started with as api_key."
        raise ApiError(message, status=401, code="invalid_api_key")
    return given


def check_conditions(number):
    """Refuse the request with this number, counted from 1, if a simulated condition says so."""
    if "rate_limit" in g.simulate and number % 2:
        headers = {"Retry-After": "1", "retry-after-ms": "200"}
        raise ApiError(RATE_LIMIT, status=429, code="rate_limit_exceeded", type="requests", headers=headers)
    if "training_not_available" in g.simulate and request.endpoint == "v1.jobs.create":
        raise ApiError(TRAINING_NOT_AVAILABLE, status=403, code="training_not_available")


def tolerate_any_path(wsgi_app):
    """Characters that WSGI cannot carry become "?", which names nothing: a 404 instead of a crash."""

    def app(environ, start_response):
        """The app, with the path repaired before it is read."""
        environ["PATH_INFO"] = environ["PATH_INFO"].encode("latin-1", "replace").decode("latin-1")
        return wsgi_app(environ, start_response)

    return app

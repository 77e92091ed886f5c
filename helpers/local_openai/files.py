"""/v1/files: upload, list, retrieve, content, delete."""

import hashlib

from flask import Blueprint, Response, g, jsonify, request

from . import retries
from .errors import ApiError
from .objects import new_file
from .parameters import PAGE_LIMIT, fine_tune, lifetime, listing, whole_number
from .training_file import NotJsonLines, check_jsonl

routes = Blueprint("files", __name__, url_prefix="/files")
CHUNK = 2**20
EXPIRES_AFTER = ("expires_after[anchor]", "expires_after[seconds]")  # as a form spells it


@routes.before_request
def forget_expired():
    """A file whose time is over is gone for every request."""
    g.store.drop_expired()


@routes.post("")
def create():
    """Keep an upload; a file that is not JSONL is refused at its first bad line."""
    upload, purpose = request.files.get("file"), request.form.get("purpose")
    if upload is None or purpose is None:
        missing = "file" if upload is None else "purpose"
        raise ApiError(f"'{missing}' is a required property", param=missing)
    extra = set(request.form) - {"purpose", *EXPIRES_AFTER}
    if extra:
        message = f"Unknown parameter: '{min(extra)}'."
        raise ApiError(message, param=min(extra), code="unknown_parameter")
    file = new_file(upload.filename, fine_tune(purpose), lifetime(expiration(request.form)))
    digest = hashlib.file_digest(upload.stream, "sha256").hexdigest()
    retry = retries.Retry("file", [file["filename"], dict(request.form), digest])
    if retry.earlier:
        return jsonify(retry.earlier)
    upload.stream.seek(0)
    require_jsonl(upload.stream)
    upload.stream.seek(0)
    with g.store.adding("file", file, chunks(upload.stream)):
        retry.remember(file["id"])
    return jsonify(file)


def expiration(form):
    """`expires_after` as JSON would hold it."""
    policy = {name[14:-1]: form[name] for name in EXPIRES_AFTER if name in form}
    if policy.get("seconds", "").isdecimal():
        policy["seconds"] = whole_number(policy["seconds"])
    return policy


def require_jsonl(stream):
    """A 400 if a binary stream is not JSONL."""
    try:
        check_jsonl(stream)
    except NotJsonLines as error:
        raise ApiError(str(error), param="file", code="invalid_file_format") from error


def chunks(stream):
    """A binary stream piece by piece, so that a large file needs little memory."""
    return iter(lambda: stream.read(CHUNK), b"")


@routes.get("")
def list_files():
    """Newest first; `purpose` and `order` narrow and turn the list."""
    purpose, order = request.args.get("purpose"), request.args.get("order", "desc")
    if order not in ("asc", "desc"):
        raise ApiError("Invalid 'order': expected 'asc' or 'desc'.", param="order")
    keep = (lambda file: file["purpose"] == purpose) if purpose else (lambda file: True)
    return listing(g.store, "file", PAGE_LIMIT, newest_first=order == "desc", keep=keep)


@routes.get("/<file_id>")
def retrieve(file_id):
    """One file object."""
    return jsonify(find(file_id))


@routes.get("/<file_id>/content")
def content(file_id):
    """The bytes of the file as they were uploaded."""
    find(file_id)
    stream = g.store.path("file", file_id).open("rb")
    response = Response(chunks(stream), mimetype="application/octet-stream")
    response.call_on_close(stream.close)
    return response


@routes.delete("/<file_id>")
def delete(file_id):
    """Forget the file and free its bytes."""
    find(file_id)
    g.store.delete("file", file_id)
    return {"id": file_id, "object": "file", "deleted": True}


def find(file_id):
    """The file object, or a 404."""
    file = g.store.get("file", file_id)
    if file is None:
        raise ApiError(f"No such File object: {file_id}", status=404, param="id")
    return file

"""/v1/files: upload, list, retrieve, content, delete."""

from flask import Blueprint, Response, g, jsonify, request

from .errors import ApiError, not_imitated
from .objects import new_file
from .parameters import PAGE_LIMIT, listing
from .training_file import NotJsonLines, check_jsonl

routes = Blueprint("files", __name__, url_prefix="/files")
CHUNK = 2**20


@routes.post("")
def create():
    """Keep an upload; a file that is not JSONL is refused at its first bad line."""
    upload, purpose = request.files.get("file"), request.form.get("purpose")
    if upload is None or purpose is None:
        missing = "file" if upload is None else "purpose"
        raise ApiError(f"'{missing}' is a required property", param=missing)
    if purpose != "fine-tune":
        raise not_imitated(f"The purpose '{purpose}'", "Use 'fine-tune'.", "purpose")
    extra = set(request.form) - {"purpose"}
    if extra:
        raise not_imitated(f"'{min(extra)}'", "Leave it out.", min(extra))
    try:
        check_jsonl(upload.stream)
    except NotJsonLines as error:
        raise ApiError(str(error), param="file", code="invalid_file_format") from error
    upload.stream.seek(0)
    chunks = iter(lambda: upload.stream.read(CHUNK), b"")
    return jsonify(g.store.add_file(new_file(upload.filename, purpose), chunks))


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
    response = Response(iter(lambda: stream.read(CHUNK), b""), mimetype="application/octet-stream")
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

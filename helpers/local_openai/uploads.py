"""/v1/uploads: a large file in parts: create, add parts, complete, cancel."""

import hashlib
import io

from flask import Blueprint, g, jsonify, request

from . import retries
from .errors import ApiError
from .files import chunks, forget_expired, require_jsonl
from .objects import new_file, new_part, new_upload
from .parameters import fine_tune, integer, json_body, lifetime, typed
from .store import HOUR

routes = Blueprint("uploads", __name__, url_prefix="/uploads")
routes.before_request(forget_expired)
MAX_BYTES = 8 * 2**30  # of a file; both limits as OpenAI documents them
MAX_PART = 64 * 2**20
MULTIPART = 2**16  # bytes that a form may need around a part


@routes.before_request
def allow_large_parts():
    """A part may be larger than other requests."""
    if request.endpoint.endswith(".add_part"):
        request.max_content_length = MAX_PART + MULTIPART


@routes.post("")
def create():
    """An upload that waits for its parts."""
    names = ("bytes", "filename", "mime_type", "purpose")
    body = json_body((*names, "expires_after"), required=names)
    texts = {name: typed(body, name, str, "a string") for name in names[1:]}
    wanted = {
        "bytes": integer(body, "bytes", 1, MAX_BYTES),
        "filename": texts["filename"],
        "purpose": fine_tune(texts["purpose"]),
        "expires_after": typed(body, "expires_after", dict, "an object"),  # of the file
    }
    lifetime(wanted["expires_after"])
    retry = retries.Retry("upload", body)
    if retry.earlier:
        return jsonify(retry.earlier)
    upload = new_upload(wanted, HOUR)
    with g.store.transaction():
        g.store.insert("upload", upload)
        retry.remember(upload["id"])
    return jsonify(upload)


@routes.post("/<upload_id>/parts")
def add_part(upload_id):
    """Keep a piece of the file; the order is told when the upload is completed."""
    data, part = request.files.get("data"), new_part(upload_id)
    if data is None:
        raise ApiError("'data' is a required property", param="data")
    find_open(upload_id)
    with g.store.adding("part", part, chunks(data.stream), parent=upload_id):
        find_open(upload_id)
        parts = g.store.select("part", parent=upload_id)
        size = sum(each["bytes"] for each in parts)
        if part["bytes"] > MAX_PART or size > MAX_BYTES:
            message = "A part may have 64 MB at most, and all parts of an upload 8 GB."
            raise ApiError(message, status=413, param="data")
    return jsonify(part)


@routes.post("/<upload_id>/complete")
def complete(upload_id):
    """Put the parts together in the given order and keep the file, if all is as it was announced."""
    body = json_body(("part_ids", "md5"), required=("part_ids",))
    retry = retries.Retry("upload", body)
    if retry.earlier:
        return jsonify(retry.earlier)
    upload = find_open(upload_id)
    paths = chosen_parts(upload, typed(body, "part_ids", list, "a list of part ids"))
    check_md5(paths, typed(body, "md5", str, "a string"))
    require_jsonl(Joined.open(paths))
    file = new_file(upload["filename"], upload["purpose"], lifetime(upload["expires_after"]))
    with g.store.adding("file", file, chunks(Joined.open(paths))):
        find_open(upload_id)
        g.store.end_upload(upload_id, "completed", file=file)
        retry.remember(upload_id)
    return jsonify(g.store.get("upload", upload_id))


@routes.post("/<upload_id>/cancel")
def cancel(upload_id):
    """Give the upload up and free its parts."""
    find_open(upload_id)
    g.store.end_upload(upload_id, "cancelled")
    return jsonify(g.store.get("upload", upload_id))


def find_open(upload_id):
    """The upload object if parts may still be added, else a 404 or a 400."""
    upload = g.store.get("upload", upload_id)
    if upload is None:
        raise ApiError(f"No such Upload object: {upload_id}", status=404, param="upload_id")
    if upload["status"] != "pending":
        message = f"Upload {upload_id} is {upload['status']}: nothing can be done to it. Create a new one."
        raise ApiError(message, param="upload_id", code="invalid_upload_status")
    return upload


def chosen_parts(upload, part_ids):
    """Where the parts lie, in this order; a 400 if they are not the announced file."""
    parts = {part["id"]: part for part in g.store.select("part", parent=upload["id"])}
    for i, part_id in enumerate(part_ids):
        if not isinstance(part_id, str) or part_id not in parts or part_id in part_ids[:i]:
            message = f"Invalid 'part_ids': {part_id!r} is no part of this upload, or stands there twice."
            raise ApiError(message, param="part_ids", code="invalid_part")
    size = sum(parts[part_id]["bytes"] for part_id in part_ids)
    if size != upload["bytes"]:
        message = f"The parts have {size} bytes, but the upload was created for {upload['bytes']} bytes."
        raise ApiError(message, param="part_ids", code="invalid_upload_size")
    return [g.store.path("part", part_id) for part_id in part_ids]


def check_md5(paths, md5):
    """A 400 if the bytes are not those of which the client has the checksum."""
    if md5 is None:
        return
    found = hashlib.md5(usedforsecurity=False)
    for chunk in chunks(Joined.open(paths)):
        found.update(chunk)
    if found.hexdigest() != md5.lower():
        message = f"The md5 of the parts is {found.hexdigest()}, not {md5}: a part was damaged on its way."
        raise ApiError(message, param="md5", code="invalid_md5")


class Joined(io.RawIOBase):
    """Several files as one stream."""

    def __init__(self, paths):
        self.paths, self.file = iter(paths), io.BytesIO()

    @classmethod
    def open(cls, paths):
        """The stream with a buffer, so that it can be read by lines."""
        return io.BufferedReader(cls(paths))

    def readable(self):
        """As a buffer wants to know."""
        return True

    def readinto(self, buffer):
        """Fill a part of the buffer; 0 at the end of the last file."""
        while not (size := self.file.readinto(buffer)):
            self.file.close()
            path = next(self.paths, None)
            if path is None:
                self.file = io.BytesIO()
                return 0
            self.file = path.open("rb")
        return size

    def close(self):
        """Close the file that is being read, too."""
        self.file.close()
        super().close()

"""The same request a second time, because its answer was lost: it shall not make a second job.

What the official client does (3.51): a POST whose connection breaks, or that is answered with a 5xx, is sent
again, twice at most. It counts the tries in `x-stainless-retry-count`, but it sends no `Idempotency-Key`, so
a server cannot tell a retry from a learner who really wants two equal jobs. Hence:

- Without a key two requests are two jobs, as at OpenAI.
- With the same key (`extra_headers={"Idempotency-Key": "..."}`) within a day, creating a job, a file or an
  upload, or completing an upload, gives the object that the first request made, as it is now.
- The same key with another request is refused: a key used again by mistake must not give the old job.

OpenAI documents no such header for these endpoints: the rules are those that other services document for it.
"""

import hashlib
import json
import sqlite3

from flask import g, request

from .errors import ApiError

SECONDS = 24 * 3600  # how long a key is known


class Retry:
    """What this request has to do with an earlier one of the same key.

    `kind` is what it makes, and `content` (anything that JSON can hold) what it asks for. `earlier` is the
    object that the earlier request made, or None. Raises ApiError if that one asked for something else.
    """

    def __init__(self, kind, content):
        key = request.headers.get("Idempotency-Key")
        self.id = key and "request-" + digest([g.store.owner, request.path, key])
        self.content, self.earlier = digest(content), None
        known = key and g.store.get("request", self.id)
        if known:
            self.earlier = self._made_by(kind, known)

    def _made_by(self, kind, known):
        made = g.store.get(kind, known["made"])
        if known["content"] == self.content and made:
            return made
        reason = "was deleted since" if known["content"] == self.content else "asked for something else"
        message = f"This Idempotency-Key was used before, for a request that {reason}. Use another key."
        raise ApiError(message, code="idempotency_key_in_use")

    def remember(self, id):
        """Note, in the transaction that makes it, what was made."""
        if self.id is None:
            return
        expires_at = g.store.now() + SECONDS
        body = {"id": self.id, "made": id, "content": self.content, "expires_at": expires_at}
        try:
            g.store.insert("request", body)
        except sqlite3.IntegrityError as error:  # its twin was faster
            message = "A request with the same Idempotency-Key is being answered. Send it again in a moment."
            raise ApiError(message, status=409, code="idempotency_key_in_use") from error


def digest(content):
    """A short name for any content."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

"""`Idempotency-Key` of answers: the same call sent again is one event, and gets the same answer."""

from hashlib import blake2b

from aiohttp import web

from engine.web.ports import principal_of
from engine.web.problems import Problem

HEADER = "Idempotency-Key"
MAX_KEY = 256
ID_BYTES = 16


def key_of(request: web.Request) -> str | None:
    """The idempotency key of a call; None where it has none. Raises Problem 400 for one that is too long or empty."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not (key.isascii() and key.isprintable() and 1 <= len(key) <= MAX_KEY):
        raise Problem(400, f"`{HEADER}` is 1 to {MAX_KEY} printable characters of ASCII", "invalid_parameter")
    return key


def id_part(request: web.Request, key: str) -> str:
    """What the id of an event takes from a key: the key of another caller, or for another call, is another one."""
    said = "\0".join((key, principal_of(request).name or "", request.method, request.path))
    return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=ID_BYTES).hexdigest()

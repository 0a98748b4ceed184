"""Request bodies: they are read within limits of size and time and split into the exact bytes of their events."""

import asyncio
import re
from codecs import BOM_UTF8
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, NamedTuple, TypeVar

import msgspec
from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from engine.access.principal import Principal
from engine.access.sending import require_name
from engine.web.problems import Problem

T = TypeVar("T")

MAX_ITEMS = 200_000
"""The most events of one body; real events are so long that the limit of bytes is reached first."""

SPLIT_IN_LOOP_BYTES = 1024 * 1024
"""A longer body is split in a thread, because splitting it would hold up all other calls."""

NDJSON = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"})
ENCODINGS = frozenset({"identity", "gzip", "deflate"})
"""What the server undoes before a body is read; bytes in any other encoding would be taken for events."""
ONE = "application/cloudevents+json"
MANY = "application/cloudevents-batch+json"


class Items(NamedTuple):
    """The bytes of each event of a body; `whole` if the body is neither an array nor lines and counts as one event."""

    parts: list[bytes]
    whole: bool


class Limits(NamedTuple):
    """The limits of bodies: bytes of one and of all that are being received, seconds without a byte and in all."""

    body_bytes: int
    all_bodies_bytes: int = 256 * 1024 * 1024
    idle_seconds: float = 30
    total_seconds: float = 300


class Intake:
    """Reads bodies. The bytes of all bodies together are bounded, so that many slow senders cannot exhaust memory."""

    def __init__(self, limits: Limits):
        self._limits = limits
        self._held = 0
        self._splitting = asyncio.Lock()

    @asynccontextmanager
    async def body(self, request: web.Request) -> AsyncIterator[bytes]:
        """The body of `request` without a byte order mark; its bytes count towards the limit until the block ends.

        Raises:
            Problem: 413 if the body is too long, 408 if it is too slow, 429 if too many bytes are being received, 400
                if it cannot be read.
        """
        chunks: list[bytes] = []
        try:
            await self._receive(request, chunks)
            yield b"".join(chunks).removeprefix(BOM_UTF8)
        finally:
            self._held -= sum(map(len, chunks))

    async def items(self, body: bytes, content_type: str) -> Items:
        """The events of a body. Only one long body is split at a time, because splitting doubles its memory."""
        if len(body) <= SPLIT_IN_LOOP_BYTES:
            return split(body, content_type)
        async with self._splitting:
            return await asyncio.to_thread(split, body, content_type)

    async def _receive(self, request: web.Request, chunks: list[bytes]) -> None:
        if (request.content_length or 0) > self._limits.body_bytes:
            raise self._too_long()
        if (encoding := request.headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower()) not in ENCODINGS:
            raise Problem(400, f"the body cannot be read: its `Content-Encoding` is {encoding}", "unreadable_body")
        try:
            async with asyncio.timeout(self._limits.total_seconds):
                await self._gather(request, chunks)
        except TimeoutError:
            raise Problem(408, "the body did not arrive in time", "too_slow", {"Connection": "close"}) from None
        except (web.RequestPayloadError, HttpProcessingError) as error:
            raise Problem(400, f"the body cannot be read: {error}", "unreadable_body") from None

    async def _gather(self, request: web.Request, chunks: list[bytes]) -> None:
        """Append the body as it arrives to `chunks`, which hold what counts towards the limit of all bodies."""
        size = 0
        while True:
            async with asyncio.timeout(self._limits.idle_seconds):
                chunk = await request.content.readany()
            if not chunk:
                return
            size += len(chunk)
            if size > self._limits.body_bytes:
                raise self._too_long()
            if self._held + len(chunk) > self._limits.all_bodies_bytes:
                raise Problem(429, "too many bodies are being received", "busy", {"Retry-After": "1"})
            self._held += len(chunk)
            chunks.append(chunk)

    def _too_long(self) -> Problem:
        limit = self._limits.body_bytes
        return Problem(413, f"a body has at most {limit} bytes", "body_too_long", {"Connection": "close"})


def split(body: bytes, content_type: str) -> Items:
    """Split a body into its events by its content type, or else by its first bytes; raises Problem 413 for too many."""
    if content_type in NDJSON:
        return Items(_lines(body), whole=False)
    if content_type == ONE:
        return Items([body], whole=True)
    first = body.lstrip()[:1]
    if content_type == MANY or first == b"[":
        return _array(body)
    if first == b"{" and not _has_object_per_line(body):
        return Items([body], whole=True)
    lines = _lines(body)
    return Items(lines, whole=len(lines) == 1)


def empty() -> Problem:
    """The problem of a call whose body is empty, or has spaces only."""
    return Problem(400, "the body is empty", "empty_body")


def _too_many() -> Problem:
    return Problem(413, f"a body has at most {MAX_ITEMS} events", "too_many_events")


def _lines(body: bytes) -> list[bytes]:
    if body.count(b"\n") > MAX_ITEMS:
        raise _too_many()
    return [line for line in body.split(b"\n") if line and not line.isspace()]


def _has_object_per_line(body: bytes) -> bool:
    """Whether a body that starts with `{` is NDJSON, and not one object that is written over several lines."""
    first, _, rest = body.lstrip().partition(b"\n")
    rest = rest.lstrip()
    return bool(rest) and (rest[:1] == b"{" or _is_json(first))


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


_items = msgspec.json.Decoder(Annotated[list[msgspec.Raw], msgspec.Meta(max_length=MAX_ITEMS)])


def _array(body: bytes) -> Items:
    try:
        return Items([bytes(item) for item in _items.decode(body)], whole=False)
    except msgspec.ValidationError:
        # The array is too long, or the body was declared to be an array and is none.
        if body.lstrip()[:1] == b"[":
            raise _too_many() from None
        return Items([body], whole=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        parts = _balanced_items(body)
        return Items([body], whole=True) if parts is None else Items(parts, whole=False)


_TOKENS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)|[\[\]{},]', re.DOTALL)
_CLOSING = {ord("["): ord("]"), ord("{"): ord("}")}
_COMMA = ord(",")


def _balanced_items(body: bytes) -> list[bytes] | None:
    """Cut an array whose items are not all JSON; None where its brackets do not match.

    One bad item must not cost the others, so only brackets and commas outside of strings are looked at: an item ends at
    a comma of the outermost array, or at its end. `[{"qty": NaN}, {"note": "a, ]"}]` has two items: `{"qty": NaN}`,
    which becomes a dead letter, and `{"note": "a, ]"}`, whose comma and bracket belong to a string. `[{"qty": 1]` is
    None: a bracket closes another one than was opened last.
    """
    text = body.strip()
    if text[:1] != b"[" or text[-1:] != b"]":
        return None
    parts: list[bytes] = []
    open_brackets, start = bytearray(), 1
    for token in _TOKENS.finditer(text):
        mark = text[token.start()]
        if mark in _CLOSING:
            open_brackets.append(_CLOSING[mark])
        elif mark in b"]}" and (not open_brackets or open_brackets.pop() != mark):
            return None
        if not open_brackets or (mark == _COMMA and len(open_brackets) == 1):
            parts.append(text[start : token.start()].strip())
            if len(parts) > MAX_ITEMS:
                raise _too_many()
            start = token.end()
        if not open_brackets and start < len(text):
            return None
    return None if open_brackets or not all(parts) else parts


def decode_signed(body: bytes, kind: type[T], principal: Principal) -> T:
    """The JSON of a body as a `kind` that says who wrote it; with a login that is its name where the body has none.

    Raises Problem 400, and Forbidden where the body gives another name than the login's.
    """
    if principal.name is None:
        return decode(body, kind)
    fields = {"by": principal.name, **decode(body, dict[str, object])}
    given = decode(msgspec.json.encode(fields), kind)
    require_name(principal, str(fields["by"]))
    return given


def _with_integers(value: object) -> object:
    if isinstance(value, dict):
        return {name: _with_integers(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_with_integers(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def decode(body: bytes, kind: type[T]) -> T:
    """The JSON of a body as a `kind`; raises Problem 400 where it is none, or where the body is empty.

    An integer may be written as 5.0: JSON knows one kind of number, and so does its schema.
    """
    if not body.strip():
        raise empty()
    try:
        return msgspec.convert(_with_integers(msgspec.json.decode(body)), kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, f"the body is not what is expected: {error}", "invalid_body") from None

"""The `source` and `id` of a rejected event, where they can be read although the event as a whole cannot."""

import re
from itertools import islice
from typing import NamedTuple

import msgspec
from msgspec import Raw, Struct

MAX_NAME = 256
"""A longer name is cut: it is quoted for a person, not used as a key."""
MAX_TOKENS = 4096
"""How far broken JSON is looked through, so that one event costs about a millisecond at most."""


class Name(NamedTuple):
    """What names an event, as far as it can be read."""

    source: str | None
    id: str | None


class _Attributes(Struct):
    source: Raw = Raw(b"")
    id: Raw = Raw(b"")


_attributes = msgspec.json.Decoder(_Attributes)
# A string that has no end reaches to the end of the text: no token is begun twice, so the time is linear.
_TOKENS = re.compile(
    rb'"(?P<name>source|id)"\s*+:\s*+(?P<value>"[^"\\]*+(?:\\.[^"\\]*+)*+"|\d++(?=\s*+[,}]))'
    rb'|"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)'
    rb"|[\[\]{}]",
    re.DOTALL,
)


def identify(raw: bytes) -> Name:
    """Read the name of an event that `decode` rejects; a part that is missing or not readable is None.

    Unlike `decode` it takes JSON whatever else it holds, and looks through what is broken or cut. A number is read as
    its digits. It never raises, and its cost is bounded.
    """
    try:
        found = _attributes.decode(raw)
    except msgspec.ValidationError:
        # It is JSON, but no object.
        return Name(None, None)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _look_through(raw)
    return Name(_text(bytes(found.source)), _text(bytes(found.id)))


def _look_through(raw: bytes) -> Name:
    """The attributes of the outermost object of broken JSON; those of objects within it are not the event's."""
    found: dict[bytes, str | None] = {}
    depth = 0
    for token in islice(_TOKENS.finditer(raw), MAX_TOKENS):
        mark = token[0]
        if mark in (b"{", b"["):
            depth += 1
        elif mark in (b"}", b"]"):
            depth -= 1
        elif depth == 1 and token["name"]:
            found[token["name"]] = _text(token["value"])
        if not depth or len(found) == 2:
            break
    return Name(found.get(b"source"), found.get(b"id"))


def _text(value: bytes) -> str | None:
    if value.isdigit():
        return value[:MAX_NAME].decode()
    try:
        return msgspec.json.decode(value, type=str)[:MAX_NAME] or None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None

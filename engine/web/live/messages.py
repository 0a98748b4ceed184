"""What a page and the live socket say to each other; each message is one JSON text."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from engine.web.problems import ProblemDetails

MAX_MESSAGE_BYTES = 64 * 1024
MAX_ROWS = 500

Name = Annotated[str, Meta(min_length=1, max_length=64)]
Part = Annotated[str, Meta(max_length=300)]
Row = Annotated[tuple[Part, ...], Meta(min_length=1, max_length=8)]
Mode = Literal["frozen", "live"]


class Follow(Struct, forbid_unknown_fields=True, frozen=True):
    """Follow a window of a list; a later one of the same name takes its place.

    Attributes:
        view: what the page calls it.
        table: the list, as in `GET /v1/{table}`.
        query: its parameters, as in the URL.
        offset, limit: the window.
        mode: `live` keeps the window in order, `frozen` the rows that were in it.
        rows: the rows that the page shows, each by the parts of its name; without them a frozen window has those that
            are in it now.
    """

    view: Name
    table: Name
    query: Annotated[str, Meta(max_length=8192)] = ""
    offset: Annotated[int, Meta(ge=0, le=2**31)] = 0
    limit: Annotated[int, Meta(ge=1, le=MAX_ROWS)] = 60
    mode: Mode = "frozen"
    rows: Annotated[tuple[Row, ...], Meta(max_length=MAX_ROWS)] | None = None


class Leave(Struct, forbid_unknown_fields=True, frozen=True):
    """Follow the window of this name no more."""

    leave: Name


class Hidden(Struct, forbid_unknown_fields=True, frozen=True):
    """Whether the page is hidden, and needs no more than a frame a second."""

    hidden: bool


class Frame(Struct):
    """The state of a window.

    Attributes:
        view: its name.
        seq: counts the frames of the window on this connection from 1.
        as_of, lag_seconds: how fresh it is, as in lists.
        total: how many things the list has.
        offset: where the window begins.
        moved: of a frozen window how many of its rows belong elsewhere by now; those that they only shift do not count.
        items: the rows, as in lists.
    """

    view: str
    seq: int
    as_of: datetime | None
    lag_seconds: float
    total: int
    offset: int
    moved: int
    items: Raw


class NotTaken(Struct):
    """What was not taken: problem details, and the window that it concerns, where that is known."""

    view: str | None
    problem: ProblemDetails


_fields = msgspec.json.Decoder(dict[str, Raw])
_follow, _leave, _hidden = msgspec.json.Decoder(Follow), msgspec.json.Decoder(Leave), msgspec.json.Decoder(Hidden)


def read(text: str) -> Follow | Leave | Hidden:
    """The message in a text; raises msgspec.DecodeError for what is none, msgspec.ValidationError says why."""
    fields = _fields.decode(text)
    decoder: msgspec.json.Decoder[Follow] | msgspec.json.Decoder[Leave] | msgspec.json.Decoder[Hidden] = _follow
    if "hidden" in fields:
        decoder = _hidden
    elif "leave" in fields:
        decoder = _leave
    return decoder.decode(text)

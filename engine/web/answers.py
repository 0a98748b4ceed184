"""Shapes of bodies and answers that exist only on HTTP, and the one way to write a JSON answer."""

from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from engine.core.fields import Checked, Name, Quantity, Text

Index = Annotated[int, Meta(ge=0, description="the item's place in the body, from 0; blank lines are not counted")]

Duplicates = Annotated[
    int,
    Meta(ge=0, description="how many of the accepted were known before; absent on Kafka, where only the fold tells"),
]


class RefusedItem(Struct):
    """An item that went to the dead letters."""

    index: Index
    id: str | None
    reason: str
    detail: str


class Taken(Struct):
    """What became of a body of events: all `accepted` ones are durable."""

    accepted: int
    refused: list[RefusedItem]
    duplicates: Duplicates | UnsetType = UNSET


class SignalAnswer(Checked, forbid_unknown_fields=True, omit_defaults=True):
    """The answer of a person or a system to a signal; `qty` in place of the proposed quantity."""

    by: Name
    qty: Quantity | None = None
    reason: Text | None = None


class AlertAnswer(Checked, forbid_unknown_fields=True, omit_defaults=True):
    """The answer of a person or a system to an alert."""

    by: Name
    note: Text | None = None


class ClockAnswer(Struct, forbid_unknown_fields=True):
    """Who says that the machine's clock is right."""

    by: Name


class Sync(Struct):
    """How far the engine is; `lag` = accepted - applied. `log` is the id of its log, the same at every address."""

    accepted: int
    applied: int
    lag: int
    log: str


class Health(Struct):
    """Whether the process is as it should be, and if not why."""

    status: str
    detail: str | None = None


_encoder = msgspec.json.Encoder()


def as_json(value: Any, status: int = 200) -> web.Response:
    """A JSON answer; values are msgspec types, plain JSON values or `Raw` bytes."""
    return web.Response(status=status, body=_encoder.encode(value), content_type="application/json")


def raw_json(value: Raw | bytes, status: int = 200) -> web.Response:
    """A JSON answer from bytes that are JSON already."""
    return web.Response(status=status, body=bytes(value), content_type="application/json")

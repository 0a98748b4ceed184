"""Decisions about signals and alerts: which events are some, and what is kept of one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, get_args

import msgspec
from msgspec import Raw, Struct

from engine.core import events as e
from engine.core.values import instant

Verb = Literal["accept", "reject", "order", "reopen", "snooze", "acknowledge", "resolve", "assign"]
VERBS: tuple[Verb, ...] = get_args(Verb)

VERB_OF: Mapping[type[e.Event], Verb] = {
    e.SignalAccepted: "accept",
    e.SignalRejected: "reject",
    e.SignalOrdered: "order",
    e.SignalReopened: "reopen",
    e.SignalSnoozed: "snooze",
    e.SignalAssigned: "assign",
    e.AlertAcknowledged: "acknowledge",
    e.AlertResolved: "resolve",
    e.AlertReopened: "reopen",
    e.AlertSnoozed: "snooze",
    e.AlertAssigned: "assign",
}
"""The events by which somebody decides about a signal or an alert."""

AUTOMATIC: frozenset[Verb] = frozenset({"order"})
"""Verbs that other systems use, such as an ERP that has ordered what was proposed."""


def concern_of(verb: Verb) -> str:
    """What a verb decides: who owns a thing, until when it rests, or else its status. The last of a concern counts."""
    return verb if verb in ("snooze", "assign") else "status"


class Told(Struct, frozen=True):
    """The event of a decision: what it decides, its name, and its `data`."""

    verb: Verb
    source: str
    id: str
    data: Raw


class Decision(Struct, frozen=True):
    """A decision as the read model keeps it.

    Attributes:
        place: where it stands among all decisions; a later decision has a greater place.
        at: the engine's clock when the decision was applied.
        told: the event.
        before: the signal or alert as it was until then, which is what was decided upon; `null` where nobody knows.
        after: the signal or alert as the decision made it.
    """

    place: str
    at: datetime
    told: Told
    before: Raw
    after: Raw


Index = Literal["all", "sku", "by", "thing", "event"]
"""By what decisions can be found: all of them, those of a sku, a person, a signal or alert, and that of one event."""


class _Who(Struct):
    sku: str
    by: str
    signal: str | None = None
    alert: str | None = None


class _Published(Struct):
    id: str
    time: datetime
    data: Raw


_tolds = msgspec.json.Decoder(Told)
_whos = msgspec.json.Decoder(_Who)
_published = msgspec.json.Decoder(_Published)
_encoder = msgspec.json.Encoder()


def told_by(event: e.Event) -> bytes | None:
    """The JSON of `Told` for an event that is a decision; None for every other event."""
    verb = VERB_OF.get(type(event))
    if verb is None:
        return None
    return _encoder.encode(Told(verb, event.source, event.id, Raw(_encoder.encode(event.data))))


def decided_thing(event: e.Event) -> str:
    """The id of the signal or alert about which a decision is."""
    name: str = event.data.signal if hasattr(event.data, "signal") else event.data.alert
    return name


def decision(told: bytes, before: bytes | None, after: bytes) -> Decision:
    """The decision of an event; `before` and `after` are what was published of its thing, as CloudEvents."""
    now = _published.decode(after)
    # The id of what was published is that of the thing and its revision, so no two decisions have one place.
    name, _, revision = now.id.rpartition("/")
    place = place_of(instant(now.time), int(revision), name)
    seen = Raw(b"null") if before is None else _published.decode(before).data
    return Decision(place, now.time, _tolds.decode(told), seen, now.data)


def place_of(at: int, revision: int = 0, name: str = "") -> str:
    """The place of a decision at an instant; without a revision and a name it is before all that were taken then."""
    return f"{at:016x}{revision:08x}/{name}"


def index_names(found: Decision) -> list[tuple[Index, str]]:
    """Under which names a decision is found, by index."""
    who = _whos.decode(found.told.data)
    return [
        ("all", ""),
        ("sku", who.sku),
        ("by", who.by),
        ("thing", who.signal or who.alert or ""),
        ("event", event_name(found.told.source, found.told.id)),
    ]


def event_name(source: str, name: str) -> str:
    """The name of an event in the index of events."""
    return f"{source}\0{name}"

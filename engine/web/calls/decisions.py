"""The answers of people to signals and alerts. An answer becomes an event like any other."""

import asyncio
import secrets
from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from typing import NamedTuple

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler
from msgspec import Raw

from engine.core import events as e
from engine.core.decisions import Told, concern_of, event_name, told_by
from engine.core.outcomes import Rejection
from engine.core.topics import Topic
from engine.core.values import moment
from engine.telemetry.logs import calling
from engine.web import bodies
from engine.web.answers import AlertAnswer, AnyAnswer, Assignment, SignalAnswer, SignalReopening, Snooze
from engine.web.calls.published import latest
from engine.web.conditional import require_match, tagged
from engine.web.idempotency import HEADER, id_part, key_of
from engine.web.ports import CONTEXT, principal_of, service_of
from engine.web.problems import Problem

SOURCE = "stockline/api"
KEYED_SECONDS = 20.0
MOST_LOOKED_AT = 100
"""How many decisions about a thing are looked at for one that is the same."""


class Decision(NamedTuple):
    """How the things of a topic are answered.

    Attributes:
        topic: the topic.
        field: the field of the event that holds the id of the thing.
        body: the body of an answer over HTTP.
        verbs: the last part of the path -> the event that tells the answer.
    """

    topic: Topic
    field: str
    body: type[AnyAnswer]
    verbs: Mapping[str, type[e.Event]]


OF_SIGNALS = Decision("signals", "signal", SignalAnswer, {"accept": e.SignalAccepted, "reject": e.SignalRejected})
OF_ALERTS = Decision(
    "alerts",
    "alert",
    AlertAnswer,
    {"acknowledge": e.AlertAcknowledged, "resolve": e.AlertResolved, "reopen": e.AlertReopened},
)
REOPENING = Decision("signals", "signal", SignalReopening, {"reopen": e.SignalReopened})
SNOOZE_OF_SIGNALS = Decision("signals", "signal", Snooze, {"snooze": e.SignalSnoozed})
SNOOZE_OF_ALERTS = Decision("alerts", "alert", Snooze, {"snooze": e.AlertSnoozed})
ASSIGNMENT_OF_SIGNALS = Decision("signals", "signal", Assignment, {"assign": e.SignalAssigned})
ASSIGNMENT_OF_ALERTS = Decision("alerts", "alert", Assignment, {"assign": e.AlertAssigned})


class _Row(msgspec.Struct):
    sku: str
    location: str


class _Answer(NamedTuple):
    """An answer that somebody gives: how its thing is answered, its event, and the bytes of it."""

    decision: Decision
    event: e.Event
    raw: bytes

    @property
    def told(self) -> Told:
        """What is kept of the event, once it is applied."""
        return msgspec.json.decode(told_by(self.event) or b"", type=Told)


def decide(decision: Decision) -> Handler:
    """The handler of an answer; it answers with the signal or alert as it is afterwards."""

    async def answer(request: web.Request) -> web.StreamResponse:
        async with request.app[CONTEXT].intake.body(request) as body:
            given = bodies.decode_signed(body, decision.body, principal_of(request))
        key = key_of(request)
        async with request.app[CONTEXT].answering.of(f"{decision.topic}/{request.match_info['id']}"):
            if key is not None:
                # Where the process of the first attempt was killed, its event may still be on its way to the rules.
                await service_of(request).wait(KEYED_SECONDS)
            current = await latest(request, decision.topic)
            offered = _offered(request, decision, current, given, key)
            if (known := await asyncio.to_thread(_known, request, offered, key, current)) is not None:
                return tagged(request, known)
            require_match(request, current)
            return tagged(request, await _submit(request, offered, key))

    return answer


def _offered(request: web.Request, decision: Decision, current: Raw, given: AnyAnswer, key: str | None) -> _Answer:
    """The answer as an event; raises Problem 400 if it is none.

    Its id is one that no other answer has or, where the call has a key, one that the same call has again.
    """
    row = msgspec.json.decode(current, type=_Row)
    name, verb = request.match_info["id"], request.path.rpartition("/")[2]
    event = {
        "specversion": "1.0",
        "id": f"{verb}-{name}-{secrets.token_hex(8) if key is None else id_part(request, key)}",
        "source": SOURCE,
        "type": decision.verbs[verb].__struct_config__.tag,
        "time": moment(service_of(request).now()),
        "data": {"sku": row.sku, "location": row.location, decision.field: name, **msgspec.to_builtins(given)},
    } | ({"traceparent": trace} if (trace := calling.get()) else {})
    raw = msgspec.json.encode(event)
    decoded = e.decode(raw)
    if isinstance(decoded, Rejection):
        raise Problem(400, decoded.detail, decoded.reason)
    return _Answer(decision, decoded, raw)


def _known(request: web.Request, offered: _Answer, key: str | None, current: Raw) -> Raw | None:
    """What an answer that was given before is answered with; None where it is new.

    A call with a key gets what it got the first time. An answer without one is the same as the last if that is still
    how its thing stands. Raises Problem 422 where the key was that of another answer.
    """
    published, told = service_of(request).bus.published, offered.told
    if key is not None:
        for before in published.decisions("event", event_name(SOURCE, offered.event.id)):
            if before.told == told:
                return before.after
            detail = f"the `{HEADER}` was that of another answer: {bytes(before.told.data).decode()}; take a new key"
            raise Problem(422, detail, "idempotency_key_reused")
    for before in islice(published.decisions("thing", request.match_info["id"]), MOST_LOOKED_AT):
        if concern_of(before.told.verb) == concern_of(told.verb):
            is_same = (before.told.verb, before.told.data) == (told.verb, told.data)
            return current if is_same and _stands(before.after, current) else None
    return None


class _State(msgspec.Struct):
    status: str
    by: str | None = None
    owner: str | None = None
    snoozed_until: datetime | None = None


def _stands(after: Raw, current: Raw) -> bool:
    """Whether a thing is in the state in which a decision left it; what it proposes may have changed since."""
    states = [msgspec.json.decode(each, type=_State) for each in (after, current)]
    return states[0] == states[1]


async def _submit(request: web.Request, offered: _Answer, key: str | None) -> Raw:
    """Submit an answer, and what its thing is then; raises Problem 409 if the life cycle does not allow it."""
    submission = await service_of(request).decide(offered.raw)
    current = await latest(request, offered.decision.topic)
    for rejected in submission.refused:
        # On Kafka another process may have taken the same answer a moment ago.
        if (known := await asyncio.to_thread(_known, request, offered, key, current)) is not None:
            return known
        raise Problem(409, rejected.detail, rejected.reason, current=current)
    return current

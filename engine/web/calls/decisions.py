"""The answers of people to signals and alerts. An answer becomes an event like any other."""

import secrets
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from engine.core import events as e
from engine.core.outcomes import Rejection
from engine.core.topics import Topic
from engine.core.values import moment
from engine.web import bodies
from engine.web.answers import AlertAnswer, AnyAnswer, Assignment, SignalAnswer, SignalReopening, Snooze, raw_json
from engine.web.calls.published import latest
from engine.web.ports import CONTEXT, principal_of, service_of
from engine.web.problems import Problem

SOURCE = "stockline/api"


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
OF_ALERTS = Decision("alerts", "alert", AlertAnswer, {"acknowledge": e.AlertAcknowledged, "resolve": e.AlertResolved})
REOPENING = Decision("signals", "signal", SignalReopening, {"reopen": e.SignalReopened})
SNOOZE_OF_SIGNALS = Decision("signals", "signal", Snooze, {"snooze": e.SignalSnoozed})
SNOOZE_OF_ALERTS = Decision("alerts", "alert", Snooze, {"snooze": e.AlertSnoozed})
ASSIGNMENT = Decision("alerts", "alert", Assignment, {"assign": e.AlertAssigned})


class _Row(msgspec.Struct):
    sku: str
    location: str


def decide(decision: Decision) -> Handler:
    """The handler of an answer; it answers with the signal or alert as it is afterwards."""

    async def answer(request: web.Request) -> web.StreamResponse:
        async with request.app[CONTEXT].intake.body(request) as body:
            given = bodies.decode_signed(body, decision.body, principal_of(request).name)
        row = msgspec.json.decode(await latest(request, decision.topic), type=_Row)
        await _submit(request, _event(request, decision, row, given))
        return raw_json(await latest(request, decision.topic))

    return answer


def _event(request: web.Request, decision: Decision, row: _Row, given: AnyAnswer) -> bytes:
    """The event of an answer, with an id that no other answer has."""
    name, verb = request.match_info["id"], request.path.rpartition("/")[2]
    event = {
        "specversion": "1.0",
        "id": f"{verb}-{name}-{secrets.token_hex(8)}",
        "source": SOURCE,
        "type": decision.verbs[verb].__struct_config__.tag,
        "time": moment(service_of(request).now()),
        "data": {"sku": row.sku, "location": row.location, decision.field: name, **msgspec.to_builtins(given)},
    }
    return msgspec.json.encode(event)


async def _submit(request: web.Request, raw: bytes) -> None:
    """Submit an answer; raises Problem 400 if it is no valid event, 409 if the life cycle does not allow it."""
    event = e.decode(raw)
    if isinstance(event, Rejection):
        raise Problem(400, event.detail, event.reason)
    submission = await service_of(request).decide(raw)
    for rejected in submission.refused:
        raise Problem(409, rejected.detail, rejected.reason)

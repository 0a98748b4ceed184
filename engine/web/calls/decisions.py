"""Signals and alerts, and the answers of people to them. An answer is an event like any other."""

import asyncio
import secrets
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from aiohttp import web
from msgspec import Raw

from engine.core import events
from engine.core.outcomes import Rejection
from engine.core.topics import Topic
from engine.core.values import moment
from engine.web import bodies, lists
from engine.web.answers import AlertAnswer, SignalAnswer, as_json, raw_json
from engine.web.ports import CONTEXT, service_of
from engine.web.problems import Problem

SOURCE = "stockline/api"


class Answerable(NamedTuple):
    """What people answer: its topic, its name in events, the body of an answer, the event type of each verb."""

    topic: Topic
    field: str
    body: type[SignalAnswer] | type[AlertAnswer]
    types: Mapping[str, str]


_SIGNAL = Answerable("signals", "signal", SignalAnswer, {"accept": "signal.accepted", "reject": "signal.rejected"})
_ALERT = Answerable("alerts", "alert", AlertAnswer, {"acknowledge": "alert.acknowledged", "resolve": "alert.resolved"})


class _Row(msgspec.Struct):
    sku: str
    location: str


async def list_signals(request: web.Request) -> web.Response:
    """The latest revision of every signal, newest first."""
    query = lists.parse(lists.TABLES["signals"], request.query)
    return as_json(await lists.page(service_of(request).bus.published, query))


async def list_alerts(request: web.Request) -> web.Response:
    """The latest state of every alert, newest first."""
    query = lists.parse(lists.TABLES["alerts"], request.query)
    return as_json(await lists.page(service_of(request).bus.published, query))


async def get_signal(request: web.Request) -> web.Response:
    """One signal with its explanation."""
    return raw_json(await _latest(request, "signals"))


async def get_alert(request: web.Request) -> web.Response:
    """One alert with its evidence."""
    return raw_json(await _latest(request, "alerts"))


async def answer_signal(request: web.Request) -> web.Response:
    """Accept or reject a signal; the answer is the signal after it."""
    return await _answer(request, _SIGNAL)


async def answer_alert(request: web.Request) -> web.Response:
    """Acknowledge or resolve an alert; the answer is the alert after it."""
    return await _answer(request, _ALERT)


async def _answer(request: web.Request, kind: Answerable) -> web.Response:
    async with request.app[CONTEXT].intake.body(request) as body:
        answer = bodies.decode(body, kind.body)
    row = msgspec.json.decode(await _latest(request, kind.topic), type=_Row)
    name, verb = request.match_info["id"], request.match_info["verb"]
    event = {
        "specversion": "1.0",
        "id": f"{verb}-{name}-{secrets.token_hex(8)}",
        "source": SOURCE,
        "type": kind.types[verb],
        "time": moment(service_of(request).now()),
        "data": {"sku": row.sku, "location": row.location, kind.field: name, **msgspec.to_builtins(answer)},
    }
    await _submit(request, msgspec.json.encode(event))
    return raw_json(await _latest(request, kind.topic))


async def _submit(request: web.Request, raw: bytes) -> None:
    """Submit an answer; raises Problem 400 where it is no valid event, 409 where the life cycle does not allow it."""
    event = events.decode(raw)
    if isinstance(event, Rejection):
        raise Problem(400, event.detail, event.reason)
    submission = await service_of(request).decide(raw)
    for rejected in submission.refused:
        raise Problem(409, rejected.detail, rejected.reason)


async def _latest(request: web.Request, topic: Topic) -> Raw:
    name = request.match_info["id"]
    value = await asyncio.to_thread(service_of(request).bus.published.latest, topic, name)
    if value is None:
        thing = topic.removesuffix("s")
        raise Problem(404, f"there is no {thing} {name}", f"unknown_{thing}")
    return lists.data_of(value)

"""Signals and alerts, and the answers of people to them. An answer is an event like any other."""

import asyncio
import secrets
from typing import Any, TypeVar

import msgspec
from aiohttp import web
from msgspec import Raw

from engine.bus.base import Topic
from engine.core import events
from engine.core.outputs import Alert, Signal
from engine.core.payloads import AlertAnswerData, SignalAnswerData
from engine.core.values import moment
from engine.web import bodies, lists
from engine.web.answers import AlertAnswer, SignalAnswer, as_json, raw_json
from engine.web.facade import CONTEXT, service_of
from engine.web.problems import Problem

SOURCE = "stockline/api"

T = TypeVar("T")

_SIGNAL_EVENTS: dict[str, type[events.SignalAccepted] | type[events.SignalRejected]] = {
    "accept": events.SignalAccepted,
    "reject": events.SignalRejected,
}
_ALERT_EVENTS: dict[str, type[events.AlertAcknowledged] | type[events.AlertResolved]] = {
    "acknowledge": events.AlertAcknowledged,
    "resolve": events.AlertResolved,
}


async def list_signals(request: web.Request) -> web.Response:
    """The latest revision of every signal, newest first."""
    query = lists.parse(lists.SIGNALS, request.query)
    return as_json(await lists.page(service_of(request).bus.published, query))


async def list_alerts(request: web.Request) -> web.Response:
    """The latest state of every alert, newest first."""
    query = lists.parse(lists.ALERTS, request.query)
    return as_json(await lists.page(service_of(request).bus.published, query))


async def get_signal(request: web.Request) -> web.Response:
    """One signal with its explanation."""
    return raw_json(await _latest(request, "signals"))


async def get_alert(request: web.Request) -> web.Response:
    """One alert with its evidence."""
    return raw_json(await _latest(request, "alerts"))


async def answer_signal(request: web.Request) -> web.Response:
    """Accept or reject a signal; the answer is the signal after it."""
    answer = await _body(request, SignalAnswer)
    signal = msgspec.json.decode(await _latest(request, "signals"), type=Signal)
    data = SignalAnswerData(
        sku=signal.sku, location=signal.location, signal=signal.id, by=answer.by, qty=answer.qty, reason=answer.reason
    )
    verb = request.match_info["verb"]
    await _submit(request, _SIGNAL_EVENTS[verb](data=data, **_envelope(request, verb, signal.id)))
    return raw_json(await _latest(request, "signals"))


async def answer_alert(request: web.Request) -> web.Response:
    """Acknowledge or resolve an alert; the answer is the alert after it."""
    answer = await _body(request, AlertAnswer)
    alert = msgspec.json.decode(await _latest(request, "alerts"), type=Alert)
    data = AlertAnswerData(sku=alert.sku, location=alert.location, alert=alert.id, by=answer.by, note=answer.note)
    verb = request.match_info["verb"]
    await _submit(request, _ALERT_EVENTS[verb](data=data, **_envelope(request, verb, alert.id)))
    return raw_json(await _latest(request, "alerts"))


async def _body(request: web.Request, kind: type[T]) -> T:
    async with request.app[CONTEXT].intake.body(request) as body:
        return bodies.decode(body, kind)


def _envelope(request: web.Request, verb: str, name: str) -> dict[str, Any]:
    at = service_of(request).now()
    return {
        "specversion": "1.0",
        "id": f"{verb}-{name}-{secrets.token_hex(8)}",
        "source": SOURCE,
        "time": moment(at),
    }


async def _submit(request: web.Request, event: events.Event) -> None:
    """Submit an answer; raises Problem 409 where the life cycle does not allow it."""
    receipt = await service_of(request).decide(events.encode(event), f"api/{request.remote}")
    for refusal in receipt.refused:
        raise Problem(409, refusal.detail, refusal.reason)


async def _latest(request: web.Request, topic: Topic) -> Raw:
    name = request.match_info["id"]
    value = await asyncio.to_thread(service_of(request).bus.published.latest, topic, name)
    if value is None:
        thing = topic.removesuffix("s")
        raise Problem(404, f"there is no {thing} {name}", f"unknown_{thing}")
    return lists.data_of(value)

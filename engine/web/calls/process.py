"""The state of the engine and its process: progress, figures, health, metrics and clock."""

import asyncio
import math

from aiohttp import web

from engine import telemetry
from engine.web import bodies, query
from engine.web.answers import ClockAnswer, Health, Sync, as_json
from engine.web.ports import CONTEXT, principal_of, service_of
from engine.web.problems import Problem
from tables.figures import KEPT_DAYS

MAX_WAIT_SECONDS = 300.0


async def sync(request: web.Request) -> web.Response:
    """Progress; with `wait`, once all that was accepted before the call is applied or the seconds are over."""
    query.refuse_others(request.query, frozenset({"wait"}))
    service = service_of(request)
    seconds = _seconds(request.query.get("wait", "0"))
    progress = await service.wait(seconds) if seconds else service.progress()
    lag = progress.accepted - progress.applied
    return as_json(Sync(progress.accepted, progress.applied, lag, service.bus.log_id))


async def flow(request: web.Request) -> web.Response:
    """How far and how fast each partition of the log and of the other topics is."""
    service = service_of(request)
    return as_json(request.app[CONTEXT].flow.measure(service.offsets(), service.unread()))


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= MAX_WAIT_SECONDS:
        raise Problem(400, f"`wait` is a number of seconds from 0 to {MAX_WAIT_SECONDS:g}", "invalid_parameter")
    return seconds


async def kpis(request: web.Request) -> web.Response:
    """The business figures; with `days` of the last days only, but what is open is as it is now."""
    query.refuse_others(request.query, frozenset({"days"}))
    days = None
    if "days" in request.query:
        days = query.parse_number(request.query, "days", KEPT_DAYS, 1, KEPT_DAYS)
    return as_json(await asyncio.to_thread(service_of(request).kpis, days))


async def alive(request: web.Request) -> web.Response:
    """Liveness: 503 means that a supervisor should restart the process."""
    failure = service_of(request).failure()
    return as_json(Health("ok")) if failure is None else as_json(Health("failed", str(failure)), status=503)


async def ready(request: web.Request) -> web.Response:
    """Readiness: 503 means that a load balancer should send no calls, as while the process stops."""
    if request.app[CONTEXT].stopping:
        return as_json(Health("stopping"), status=503)
    if (trouble := service_of(request).trouble()) is not None:
        return as_json(Health("waiting", trouble), status=503)
    return await alive(request)


async def accept_clock(request: web.Request) -> web.Response:
    """Accepts that the clock of the machine has jumped ahead and is right; 409 if it has not jumped."""
    async with request.app[CONTEXT].intake.body(request) as body:
        answer = bodies.decode_signed(body, ClockAnswer, principal_of(request))
    accepted = await service_of(request).accept_clock(answer.by)
    if accepted is None:
        detail = "the clock of this process has not jumped; on Kafka the workers have clocks, ask them"
        raise Problem(409, detail, "clock_agrees")
    return as_json(accepted)


async def metrics(request: web.Request) -> web.Response:
    """Prometheus' text format."""
    text = await asyncio.to_thread(request.app[CONTEXT].telemetry.expose)
    return web.Response(body=text, headers={"Content-Type": telemetry.CONTENT_TYPE})

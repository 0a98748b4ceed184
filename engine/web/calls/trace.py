"""What led to something, and what it led to."""

import asyncio

from aiohttp import web
from msgspec import structs

from engine.trace.answer import DEFAULT_EVENTS, MOST_EVENTS, Trace, trace_of
from engine.trace.located import finds_every_event
from engine.trace.question import Question
from engine.web import query
from engine.web.answers import as_json
from engine.web.guard import documents_of
from engine.web.parameters import Parameter
from engine.web.ports import service_of
from engine.web.problems import Problem

_TEXT = {"type": "string"}
OF_TRACE = (
    Parameter("signal", _TEXT, "a signal by its id"),
    Parameter("order", _TEXT, "a purchase order"),
    Parameter("line", _TEXT, "only this line of `order`"),
    Parameter("shipment", _TEXT, "a shipment"),
    Parameter("receipt", _TEXT, "a receipt"),
    Parameter("event", _TEXT, "an event as `source/id`; on Kafka, but for decisions, with `sku` and `location`"),
    Parameter("version", _TEXT, "a forecast, with `sku` and `location`"),
    Parameter("sku", _TEXT, "the row, with `location`; alone everything that is known of it"),
    Parameter("location", _TEXT, "the row, with `sku`"),
    Parameter(
        "events",
        {"type": "integer", "minimum": 1, "maximum": MOST_EVENTS, "default": DEFAULT_EVENTS},
        "how many of the last events of a row are read",
    ),
)
_NAMES = frozenset(parameter.name for parameter in OF_TRACE)
_STARTS = ("signal", "order", "shipment", "receipt", "event", "version")


async def get(request: web.Request) -> web.Response:
    """What led to something, and what it led to."""
    query.refuse_others(request.query, _NAMES)
    question = _question(request)
    most = query.parse_number(request.query, "events", DEFAULT_EVENTS, 1, MOST_EVENTS)
    found = await asyncio.to_thread(_trace, request, question, most)
    if found is None:
        given = ", ".join(f"{name} {value}" for name, value in structs.asdict(question).items() if value is not None)
        hint = _hint(request, question)
        raise Problem(
            404, f"nothing is known of {given} among the last {most} events of its row{hint}", "unknown_start"
        )
    return as_json(found)


def _hint(request: web.Request, question: Question) -> str:
    """What to give besides, where an event was not found by its name alone."""
    if question.event is None or question.row is not None:
        return ""
    if finds_every_event(service_of(request).bus):
        return "; `sku` and `location` say where to look"
    return "; on Kafka an event is found by its name alone only where it is a decision: give its `sku` and `location`"


def _trace(request: web.Request, question: Question, most: int) -> Trace | None:
    service = service_of(request)
    return trace_of(service.bus, documents_of(request).rows_of, question, service.now(), most)


def _question(request: web.Request) -> Question:
    """What is asked for; raises Problem 400 where that is nothing, or more than one thing."""
    question = Question(**{name: value for name, value in request.query.items() if name != "events"})
    starts = [name for name in _STARTS if getattr(question, name) is not None]
    if len(starts) > 1:
        raise query.invalid(f"a trace begins with one thing, not with {' and '.join(starts)}")
    if (question.sku is None) != (question.location is None):
        raise query.invalid("`sku` and `location` are given together")
    if question.row is None and (not starts or starts[0] == "version"):
        raise query.invalid(f"give `sku` and `location` with {starts[0] if starts else 'it, or what to begin with'}")
    if question.line is not None and question.order is None:
        raise query.invalid("`line` goes with `order`")
    return question

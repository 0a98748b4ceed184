"""Dead letters: what they are, what people did about them, and taking them again, alone or many at once."""

import asyncio
import base64
import secrets
from collections.abc import Iterator
from itertools import islice
from typing import TypeVar

import msgspec
from aiohttp import web

from engine.columns.fields import data_of
from engine.core import events as e
from engine.core.identify import identify
from engine.core.outputs import DeadLetter, DeadLetterAnswer
from engine.core.values import moment
from engine.runtime.submission import Submission
from engine.telemetry.logs import calling
from engine.web import bodies
from engine.web.answers import (
    Discarding,
    NotReplayed,
    Replayed,
    Replaying,
    ReplayingMany,
    ShownLetter,
    as_json,
)
from engine.web.calls.decisions import SOURCE
from engine.web.calls.events import taken
from engine.web.calls.published import latest
from engine.web.conditional import tagged
from engine.web.ports import CONTEXT, Service, principal_of, service_of
from engine.web.problems import Problem

T = TypeVar("T", Replaying, Discarding, ReplayingMany)

NOBODY = "operator"
"""Who replays where neither a login nor the body says it."""

_answers = msgspec.json.Decoder(DeadLetterAnswer)
_letters = msgspec.json.Decoder(DeadLetter)


async def get(request: web.Request) -> web.Response:
    """One dead letter with what became of it."""
    return tagged(request, msgspec.json.encode(await _shown(request)))


async def replay(request: web.Request) -> web.Response:
    """Submit a dead letter again, or the event that the body has in its place.

    Raises Problem 409 for a record that its connector must take.
    """
    asked = await _body(request, Replaying)
    letter = _letters.decode(await latest(request, "dead-letters"))
    if (name := _connector_of(letter)) is not None and asked.event is None:
        raise Problem(
            409,
            f"the connector {name} could not translate this record of another system, and must do so again: once the "
            f"cause is gone, run `stockline connectors replay {name}`",
            "replayed_by_its_connector",
        )
    raw = _raw(letter) if asked.event is None else msgspec.json.encode(asked.event)
    return taken(await _take(request, letter.id, raw, asked))


async def discard(request: web.Request) -> web.Response:
    """Say that a dead letter needs nothing more; answers with it as it is then."""
    asked = await _body(request, Discarding)
    letter = _letters.decode(await latest(request, "dead-letters"))
    await service_of(request).decide(_answer_event(request, "discarded", letter.id, {"note": asked.note}, asked.by))
    return as_json(await _shown(request))


async def replay_many(request: web.Request) -> web.Response:
    """Submit the open dead letters of a reason or a source again, or say what that would answer."""
    asked = await _body(request, ReplayingMany)
    service = service_of(request)
    found, more = await asyncio.to_thread(_open_letters, service, asked)
    if asked.dry_run:
        tried = await asyncio.to_thread(service.try_out, [_raw(letter) for letter in found])
        refused = [NotReplayed(found[each.index].id, each.reason, each.detail) for each in tried.refused]
        return as_json(Replayed(True, len(found), tried.accepted, refused, more))
    accepted, refused = 0, []
    for letter in found:
        submission = await _take(request, letter.id, _raw(letter), asked)
        accepted += submission.accepted
        refused += [NotReplayed(letter.id, each.reason, each.detail) for each in submission.refused]
    return as_json(Replayed(False, len(found), accepted, refused, more))


async def _shown(request: web.Request) -> ShownLetter:
    letter = _letters.decode(await latest(request, "dead-letters"))
    answer = await asyncio.to_thread(_answer_to, service_of(request), letter.id)
    return shown(letter, answer)


def shown(letter: DeadLetter, answer: DeadLetterAnswer | None) -> ShownLetter:
    """A dead letter as it is shown: with what somebody did about it."""
    told = {name: getattr(letter, name) for name in letter.__struct_fields__}
    if answer is None:
        return ShownLetter(**told, status="open")
    return ShownLetter(
        **told,
        status=answer.status,
        answered=answer.answered,
        by=answer.by,
        note=answer.note,
        replayed_as=answer.event,
    )


def _answer_to(service: Service, name: str) -> DeadLetterAnswer | None:
    value = service.bus.published.latest("dead-letter-answers", name)
    return None if value is None else _answers.decode(data_of(value))


def _open_letters(service: Service, asked: ReplayingMany) -> tuple[list[DeadLetter], bool]:
    """The first open dead letters that are asked for, and whether there are more."""
    wanted = _wanted(service, asked)
    found = list(islice(wanted, asked.limit))
    return found, next(wanted, None) is not None


def _wanted(service: Service, asked: ReplayingMany) -> Iterator[DeadLetter]:
    for _, value in service.bus.published.things("dead-letters"):
        letter = _letters.decode(data_of(value))
        if asked.reason not in (None, letter.reason) or asked.source not in (None, letter.event_source):
            continue
        if _connector_of(letter) is None and _answer_to(service, letter.id) is None:
            yield letter


def _raw(letter: DeadLetter) -> bytes:
    return letter.raw.encode() if letter.raw is not None else base64.b64decode(letter.raw_base64 or "")


def _connector_of(letter: DeadLetter) -> str | None:
    """The connector that refused the record of the dead letter; None where an event was refused."""
    told = e.decode(_raw(letter))
    is_record = isinstance(told, e.RecordRefused) and letter.reason == told.data.reason
    return told.data.connector if isinstance(told, e.RecordRefused) and is_record else None


async def _take(request: web.Request, name: str, raw: bytes, asked: Replaying | ReplayingMany) -> Submission:
    """Submit the bytes, then say that the dead letter was taken again; what is refused anew is a dead letter anew.

    If the process ends between the two, the letter stays open, and taking it once more is a duplicate.
    """
    service = service_of(request)
    submission = await service.decide(raw)
    source, event_id = identify(raw)
    event = f"{source}/{event_id}" if source and event_id else None
    await service.decide(_answer_event(request, "replayed", name, {"event": event, "note": asked.note}, asked.by))
    return submission


def _answer_event(request: web.Request, status: str, name: str, data: dict[str, str | None], by: str | None) -> bytes:
    told = {field: value for field, value in data.items() if value is not None}
    event = {
        "specversion": "1.0",
        "id": f"{status}-{name}-{secrets.token_hex(8)}",
        "source": SOURCE,
        "type": f"dead_letter.{status}",
        "time": moment(service_of(request).now()),
        "data": {"dead_letter": name, "by": by or NOBODY, **told},
    } | ({"traceparent": trace} if (trace := calling.get()) else {})
    return msgspec.json.encode(event)


async def _body(request: web.Request, kind: type[T]) -> T:
    """The body of a call; an absent one has the defaults of its kind."""
    async with request.app[CONTEXT].intake.body(request) as body:
        return bodies.decode_signed(body if body.strip() else b"{}", kind, principal_of(request))

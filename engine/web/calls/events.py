"""`POST /v1/events`, and the dead letters of what was refused there or elsewhere."""

import asyncio
import base64

import msgspec
from aiohttp import web
from msgspec import UNSET

from engine.core.outcomes import Reason
from engine.core.outputs import DeadLetter
from engine.web import lists
from engine.web.answers import RefusedItem, Taken, as_json, raw_json
from engine.web.ports import CONTEXT, Submission, service_of
from engine.web.problems import Problem

UNREADABLE: frozenset[Reason] = frozenset({"not_json", "not_utf8", "too_deep"})


async def post(request: web.Request) -> web.Response:
    """Take events; a body that cannot be read as any is one dead letter and answered 400."""
    context = request.app[CONTEXT]
    async with context.intake.body(request) as body:
        items = await context.intake.items(body, request.content_type)
        submission = await context.service.submit(items.parts) if items.parts else None
    if submission is None:
        return _nothing(body)
    if items.whole and submission.refused and submission.refused[0].reason in UNREADABLE:
        rejected = submission.refused[0]
        raise Problem(400, f"the body went to the dead letters: {rejected.detail}", rejected.reason)
    return as_json(_taken(submission), status=202)


def _nothing(body: bytes) -> web.Response:
    if not body.strip():
        raise Problem(400, "the body is empty", "empty_body")
    return as_json(Taken(0, [], 0), status=202)


def _taken(submission: Submission) -> Taken:
    refused = [RefusedItem(each.index, each.id, each.reason, each.detail) for each in submission.refused]
    return Taken(submission.accepted, refused, UNSET if submission.duplicates is None else submission.duplicates)


async def list_letters(request: web.Request) -> web.Response:
    """The refused records, newest first."""
    published = service_of(request).bus.published
    return as_json(await lists.page(published, lists.parse(lists.TABLES["dead-letters"], request.query)))


async def get_letter(request: web.Request) -> web.Response:
    """One refused record."""
    return raw_json(lists.data_of(await _letter(request)))


async def replay(request: web.Request) -> web.Response:
    """Submit the exact bytes of a dead letter again."""
    letter = msgspec.json.decode(lists.data_of(await _letter(request)), type=DeadLetter)
    raw = letter.raw.encode() if letter.raw is not None else base64.b64decode(letter.raw_base64 or "")
    submission = await service_of(request).decide(raw)
    return as_json(_taken(submission), status=202)


async def _letter(request: web.Request) -> bytes:
    name = request.match_info["id"]
    value = await asyncio.to_thread(service_of(request).bus.published.latest, "dead-letters", name)
    if value is None:
        raise Problem(404, f"there is no dead letter {name}", "unknown_dead_letter")
    return value

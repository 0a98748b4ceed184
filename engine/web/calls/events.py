"""`POST /v1/events`."""

from aiohttp import web
from msgspec import UNSET

from engine.core.outcomes import Reason
from engine.runtime.submission import Submission
from engine.web.answers import RefusedItem, Taken, as_json
from engine.web.bodies import empty
from engine.web.ports import CONTEXT, service_of
from engine.web.problems import Problem

UNREADABLE: frozenset[Reason] = frozenset({"not_json", "not_utf8", "too_deep"})


async def post(request: web.Request) -> web.Response:
    """Submit the events of a body; a body that cannot be read as any event becomes one dead letter and a 400."""
    context = request.app[CONTEXT]
    async with context.intake.body(request) as body:
        items = await context.intake.items(body, request.content_type)
        submission = await service_of(request).submit(items.parts) if items.parts else None
    if submission is None:
        return _nothing(body)
    if items.whole and submission.refused and submission.refused[0].reason in UNREADABLE:
        rejected = submission.refused[0]
        raise Problem(400, f"the body went to the dead letters: {rejected.detail}", rejected.reason)
    return taken(submission)


def _nothing(body: bytes) -> web.Response:
    """The answer to a body without events: an empty array is well, an empty body is not."""
    if not body.strip():
        raise empty()
    return taken(Submission(0, [], 0))


def taken(submission: Submission) -> web.Response:
    """The answer that says what became of submitted events."""
    refused = [RefusedItem(each.index, each.id, each.reason, each.detail) for each in submission.refused]
    duplicates = UNSET if submission.duplicates is None else submission.duplicates
    return as_json(Taken(submission.accepted, refused, duplicates), status=202)

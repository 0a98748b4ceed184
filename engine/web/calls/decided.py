"""`GET /v1/decisions`: who decided what, when, and on what numbers."""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from aiohttp import web
from msgspec import Meta, Raw, Struct
from multidict import MultiMapping

from engine.bus.single import ReadModel
from engine.core.decisions import AUTOMATIC, VERBS, Decision, Index, Verb
from engine.web import pages, query
from engine.web.answers import as_json
from engine.web.ports import service_of

MOST_LOOKED_AT = 10_000
"""A page looks at so many decisions at most; where filters leave few of them, it is short and another page follows."""
INDEXES: tuple[tuple[str, Index], ...] = (("signal", "thing"), ("alert", "thing"), ("sku", "sku"), ("by", "by"))
"""The filters that an index answers, the one that leaves the fewest first."""
FILTERS = ("by", "sku", "location", "signal", "alert")
PARAMETERS = frozenset({*FILTERS, "kind", "since", "automatic", "limit", "cursor"})


class Shown(Struct):
    """A decision.

    `answer` is what was said beside the name: qty, reason, note, until, to, order or line. `before` is the signal or
    alert as it was when it was decided upon, with its numbers; None where that is no longer known. `after` is what the
    decision made of it. A decision is `automatic` where another system took it, such as an ERP that has ordered.
    """

    at: datetime
    kind: Verb
    by: str
    automatic: bool
    thing: Literal["signal", "alert"]
    id: str
    sku: str
    location: str
    event: Annotated[str, Meta(description="source and id of the event of the decision")]
    answer: dict[str, Any]
    before: dict[str, Any] | None
    after: dict[str, Any]


class Asked(NamedTuple):
    """The question of a call: each filter's name and value, the kinds, and from which moment on."""

    filters: dict[str, str]
    kinds: frozenset[Verb]
    since: datetime | None
    limit: int
    before: str | None

    @property
    def looked_up(self) -> tuple[Index, str]:
        """The index that leaves the fewest decisions to look at, and the name in it."""
        return next(((index, self.filters[name]) for name, index in INDEXES if name in self.filters), ("all", ""))

    def takes(self, shown: Shown) -> bool:
        """Whether a decision is asked for."""
        if shown.kind not in self.kinds:
            return False
        has = {"by": shown.by, "sku": shown.sku, "location": shown.location, shown.thing: shown.id}
        return all(has.get(name) == value for name, value in self.filters.items())


async def list_decisions(request: web.Request) -> web.Response:
    """Decisions, newest first."""
    return as_json(await asyncio.to_thread(_page, service_of(request).bus.published, parse(request.query)))


def parse(parameters: MultiMapping[str]) -> Asked:
    """The question in the parameters of a call; raises Problem 400."""
    query.refuse_others(parameters, PARAMETERS)
    filters = {name: parameters[name] for name in FILTERS if name in parameters}
    return Asked(
        filters,
        _kinds(parameters),
        query.parse_moment(parameters, "since"),
        query.parse_limit(parameters),
        _before(parameters),
    )


def _kinds(parameters: MultiMapping[str]) -> frozenset[Verb]:
    """The kinds asked for; where none are named all of persons, and with `automatic` those of systems too."""
    automatic = parameters.get("automatic", "false")
    if automatic not in ("true", "false"):
        raise query.invalid("`automatic` is true or false")
    named = parameters.getall("kind", [])
    if unknown := set(named) - set(VERBS):
        raise query.invalid(f"`{min(unknown)}` is no kind of decision; there are {', '.join(VERBS)}")
    if named:
        return frozenset(verb for verb in VERBS if verb in named)
    return frozenset(VERBS) if automatic == "true" else frozenset(VERBS) - AUTOMATIC


def _before(parameters: MultiMapping[str]) -> str | None:
    if "cursor" not in parameters:
        return None
    match query.open_cursor(parameters["cursor"]):
        case ["decisions", str() as place] if place.isprintable():
            return place
    raise query.foreign_cursor()


def _page(published: ReadModel, asked: Asked) -> pages.Page:
    shown: list[Raw] = []
    place = asked.before
    for count, decision in enumerate(_since_then(published, asked)):
        if len(shown) == asked.limit or count == MOST_LOOKED_AT:
            return pages.Page(shown, query.cursor("decisions", place), None)
        place = decision.place
        made = show(decision)
        if asked.takes(made):
            shown.append(Raw(msgspec.json.encode(made)))
    return pages.Page(shown, None, None)


def _since_then(published: ReadModel, asked: Asked) -> Iterator[Decision]:
    for decision in published.decisions(*asked.looked_up, asked.before):
        if asked.since is not None and decision.at < asked.since:
            return
        yield decision


def show(decision: Decision) -> Shown:
    """A decision as the contract shows it."""
    told = decision.told
    answer: dict[str, Any] = msgspec.json.decode(told.data)
    thing: Literal["signal", "alert"] = "signal" if "signal" in answer else "alert"
    return Shown(
        at=decision.at,
        kind=told.verb,
        by=answer.pop("by"),
        automatic=told.verb in AUTOMATIC,
        thing=thing,
        id=answer.pop(thing),
        sku=answer.pop("sku"),
        location=answer.pop("location"),
        event=f"{told.source}/{told.id}",
        answer=answer,
        before=msgspec.json.decode(decision.before),
        after=msgspec.json.decode(decision.after),
    )

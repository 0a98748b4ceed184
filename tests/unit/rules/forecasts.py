"""Forecasts: which revisions are in force, the gaps between them, and the drift of a forecast."""

from __future__ import annotations

from typing import Any

from tests.unit.rules.given import plan, stock
from tests.unit.rules.rule import AnyRule, Rule, alert, then
from tests.unit.rules.world import TODAY, Happening, day, days, event, hours, tick

FULL = stock(available=10**6)
"""A row that does not run out."""


def base(
    version: str, qty: int = 70, at: int | None = None, start: int = 0, length: int = 7, **named: Any
) -> Happening:
    buckets = [{"start": day(start), "days": length, "qty": qty}]
    return event("forecast.revised", at, named.get("id"), version=version, mode="replace", buckets=buckets)


def delta(  # noqa: PLR0913 - the fields of an event
    version: str, amends: str | None, qty: int = 7, at: int | None = None, start: int = 0, length: int = 7
) -> Happening:
    buckets = [{"start": day(start), "days": length, "qty": qty}]
    named = {} if amends is None else {"base_version": amends}
    return event("forecast.revised", at, version=version, mode="delta", buckets=buckets, **named)


def gap(what: str, **fields: Any) -> Any:
    return alert(what, "forecast_gap", **fields)


def case(name: str, before: tuple[Any, ...], happening: Happening, *effects: Any, **expected: Any) -> Rule:
    """A rule of a row with enough stock; `sound` adds up which buckets are in force."""
    return Rule(name, (FULL, *before), happening, then(plan(**expected), stock(), *effects))


VERSIONS = [
    case("a forecast states demand by buckets", (), base("v1"), buckets=1, closes_at=TODAY + 7, closed_until=TODAY),
    case("a later one takes its place", (base("v1"),), base("v2", 80, 1, 7), buckets=1, closes_at=TODAY + 7),
    case("an older one does not", (base("v1"),), base("v0", 80, -hours(1)), buckets=1, deltas=0),
    case("one of the same name takes its place as well", (base("v1"),), base("v1", 80, 1), buckets=1, gaps=0),
    case(
        "of two of one moment the digest of their event decides",
        (base("v1", at=0, id="a"),),
        base("v2", 80, 0, id="b"),
        buckets=1,
    ),
    case(
        "a delta adds to the version that it names", (base("v1"),), delta("d1", "v1", at=1), deltas=1, spans=2, gaps=0
    ),
    case("a delta of other days has a bucket of its own", (base("v1"),), delta("d1", "v1", at=1, start=7), buckets=2),
    case("a delta that names no version amends what is in force", (base("v1"),), delta("d1", None, at=1), deltas=1),
    case("one that is older than the base amends nothing", (base("v1"),), delta("d1", None, at=-1), deltas=0, gaps=0),
    case("it is still known", (base("v1"), delta("d1", None, at=-1)), delta("d2", "d1", at=1), deltas=1, gaps=0),
    case("a delta amends a delta", (base("v1"), delta("d1", "v1", at=1)), delta("d2", "d1", at=2), deltas=2, spans=4),
    case(
        "a delta whose version is not known is a gap",
        (base("v1"),),
        delta("d2", "d1", at=2),
        gap("opened", severity="warning", missing=["d1"], deltas=["d2"], waiting=1, events=["test/2"]),
        gaps=1,
        buckets=1,
    ),
    case(
        "a second one is told",
        (base("v1"), delta("d2", "d1", at=2)),
        delta("d4", "d3", at=3),
        gap("updated", missing=["d1", "d3"], deltas=["d2", "d4"], waiting=2),
        gaps=2,
    ),
    case(
        "the version that is missing closes the gap, and brings what waited into force",
        (base("v1"), delta("d2", "d1", at=2), delta("d3", "d2", at=3)),
        delta("d1", "v1", at=1),
        gap("resolved", waiting=2),
        gaps=0,
        deltas=3,
    ),
    case(
        "a forecast under a version that deltas waited for brings them into force",
        (delta("d1", "v1", at=2),),
        base("v1", at=1),
        gap("resolved"),
        gaps=0,
        deltas=1,
    ),
    case(
        "a delta without any forecast is a gap",
        (),
        delta("d1", "v1"),
        gap("opened", missing=["v1"]),
        gaps=1,
        closed_until=TODAY,
    ),
    case("a delta that names no version needs no forecast", (), delta("d1", None), gaps=0, buckets=1),
    case(
        "a forecast ends the deltas of no version that are older than it",
        (base("v1"), delta("d1", None, at=1), delta("d2", "d1", at=2)),
        base("v2", at=3),
        deltas=1,
        spans=2,
    ),
    case(
        "and leaves those that are later",
        (base("v1"), delta("d1", None, at=5)),
        base("v2", at=3),
        deltas=1,
        spans=2,
    ),
    case(
        "a forecast under another name takes the deltas of the one before out of force",
        (base("v1"), delta("d1", "v1", at=1), delta("d2", "d1", at=2)),
        base("v2", at=hours(1)),
        deltas=2,
        gaps=0,
    ),
    case(
        "a second forecast after it supersedes them for good",
        (base("v1"), delta("d1", "v1", at=1), base("v2", at=2)),
        base("v3", at=3),
        deltas=0,
        spans=0,
    ),
    case(
        "they are not taken up again where the old version comes back",
        (base("v1"), delta("d1", "v1", at=1), base("v2", at=2), base("v3", at=3)),
        base("v1", at=4),
        deltas=0,
    ),
    case(
        "a forecast of the same name keeps its deltas",
        (base("v1"), delta("d1", "v1", at=1), delta("d2", "d1", at=2)),
        base("v1", 90, at=3),
        deltas=2,
        gaps=0,
    ),
    case(
        "a late forecast of another name supersedes the older deltas",
        (base("v2", at=5), delta("d1", "v2", at=1), delta("d2", "v2", at=6)),
        base("v1", at=3),
        deltas=1,
    ),
    case(
        "a late forecast that is older than what supersedes already changes nothing",
        (base("v2", at=5), delta("d1", "v2", at=4), base("v1", at=3)),
        base("v0", at=2),
        deltas=1,
        gaps=0,
    ),
    case(
        "a delta from before what is superseded is kept no more",
        (base("v2", at=5), base("v1", at=3)),
        delta("d1", "v2", at=2),
        deltas=0,
    ),
    case(
        "a delta from after it is kept",
        (base("v2", at=5), base("v1", at=3)),
        delta("d1", "v2", at=4),
        deltas=1,
    ),
    case(
        "a delta of a version that was in force once is out of date, and no gap",
        (base("v1"), base("v2", at=2)),
        delta("d1", "v1", at=3),
        deltas=1,
        gaps=0,
        buckets=1,
    ),
    case(
        "a version that only a late forecast bore is known",
        (base("v2", at=5), base("v1", at=3)),
        delta("d1", "v1", at=6),
        gaps=0,
        deltas=1,
    ),
    case(
        "a late forecast makes known what a delta waited for",
        (base("v2", at=5), delta("d1", "v1", at=6)),
        base("v1", at=3),
        gap("resolved"),
        gaps=0,
    ),
    case(
        "a later forecast needs no gap that is older than it",
        (base("v1"), delta("d2", "d1", at=2)),
        base("v2", at=3),
        gap("resolved"),
        gaps=0,
    ),
    case(
        "but those that are later than it",
        (base("v1"), delta("d2", "d1", at=2), delta("d9", "d8", at=9)),
        base("v2", at=3),
        gap("updated", waiting=1, missing=["d8"]),
        gaps=1,
    ),
    case(
        "a delta that names itself waits for ever",
        (base("v1"),),
        delta("d1", "d1", at=2),
        gap("opened", missing=["d1"]),
        gaps=1,
        buckets=1,
    ),
    case(
        "a circle of deltas is in force as long as something leads to it",
        (base("v1"), delta("a", "b", at=1), delta("b", "a", at=2)),
        delta("a", "v1", at=3),
        gap("resolved"),
        deltas=3,
        gaps=0,
    ),
    case(
        "and falls with it",
        (base("v1"), delta("a", "b", at=1), delta("b", "a", at=2), delta("a", "v1", at=3)),
        base("v2", at=4),
        deltas=3,
    ),
    case(
        "two deltas of one name and version both count",
        (base("v1"), delta("d1", "v1", at=1), delta("d1", "v1", at=2)),
        delta("d2", "d1", at=3),
        deltas=3,
    ),
    case(
        "what one of them still supports stays in force when the other falls",
        (base("v1"), delta("d", "v1", at=1), delta("d", None, at=9), delta("e", "d", at=10)),
        base("v2", at=3),
        deltas=3,
    ),
    case(
        "a delta under the name of the base counts where the base has left that name",
        (base("v1"), delta("v1", None, at=9), delta("d", "v1", at=10)),
        base("v2", at=3),
        deltas=2,
    ),
    Rule(
        "an alert names at most ten of the deltas that wait",
        (FULL, base("v1"), *(delta(f"d{number}", f"x{number:02}", at=number + 1) for number in range(11))),
        delta("d11", "x11", at=99),
        then(plan(gaps=12), stock(), gap("updated", waiting=12, missing=[f"x{number:02}" for number in range(10)])),
    ),
    case("a bucket of negative demand is no demand", (base("v1"),), delta("d", "v1", -700, at=1), buckets=1),
    case("a bucket that is over is left out", (), base("v1", start=-7), buckets=0, swept=TODAY),
    case("a bucket that ends today is not over", (), base("v1", start=-6), buckets=1, closes_at=TODAY + 1),
]

DRIFT = [
    Rule(
        "a bucket that has ended is compared with what was issued in its days",
        (FULL, base("v1"), event("stock.issued", qty=30), event("stock.issued", days(6), qty=20)),
        tick(days(7)),
        then(plan(errors=[(70, 50, 7)], buckets=0, closed_until=TODAY + 7, swept=TODAY + 7), stock()),
    ),
    Rule(
        "what was issued before it or after it is not its own",
        (FULL, event("stock.issued", -days(1), qty=30), base("v1", at=0), event("stock.issued", days(7), qty=20)),
        tick(days(8)),
        then(plan(errors=[(70, 0, 7)]), stock()),
    ),
    Rule(
        "a bucket that has not ended is compared later",
        (FULL, base("v1")),
        tick(days(7) - hours(12) - 1),
        then(),
    ),
    Rule(
        "of several buckets each is compared with its own days",
        (
            FULL,
            base("v1", 70, length=2),
            delta("d", "v1", 30, 1, 2, 3),
            event("stock.issued", days(1), qty=1),
            event("stock.issued", days(2), qty=2),
        ),
        tick(days(6)),
        then(plan(errors=[(70, 1, 2), (30, 2, 3)], buckets=0, closed_until=TODAY + 5), stock()),
    ),
    Rule(
        "a negative bucket forecast nothing",
        (FULL, delta("d", None, -30, None, 0, 2)),
        tick(days(3)),
        then(plan(errors=[(0, 0, 2)]), stock()),
    ),
    Rule(
        "a bucket that began before the row had a forecast teaches nothing",
        (FULL, base("v1", start=-3)),
        tick(days(7)),
        then(plan(errors=[], buckets=0, closed_until=TODAY), stock()),
    ),
    Rule(
        "a revision closes the buckets that have ended first",
        (FULL, base("v1", length=2)),
        base("v2", at=days(3), start=3),
        then(plan(errors=[(70, 0, 2)], buckets=1), stock()),
    ),
    Rule(
        "the last 26 buckets are remembered",
        (FULL, plan(errors=[(1, 1, 1)] * 26), base("v1", length=1)),
        tick(days(1)),
        then(
            plan(errors=[*[(1, 1, 1)] * 25, (70, 0, 1)]),
            stock(),
            alert("opened", "forecast_bias", tracking_signal="26.00"),
        ),
    ),
    *(
        Rule(
            f"{count + 1} buckets that forecast too {direction} are {said}",
            (FULL, plan(errors=[(70, issued, 7)] * count), base("v1", length=1), event("stock.issued", qty=last)),
            tick(days(1)),
            then(
                plan(),
                stock(),
                *(
                    [
                        alert(
                            "opened",
                            "forecast_bias",
                            severity="warning",
                            tracking_signal=figure,
                            limit=4,
                            periods=6,
                            forecast=420,
                            issued=issued * 5 + last,
                            direction=direction,
                        )
                    ]
                    if count == 5
                    else []
                ),
            ),
        )
        for count, direction, said, issued, last, figure in (
            (5, "over", "a bias", 60, 60, "6.00"),
            (5, "under", "a bias", 80, 80, "-6.00"),
            (4, "over", "too few to judge", 60, 60, ""),
        )
    ),
    Rule(
        "a tracking signal of exactly the limit is no bias",
        (FULL, plan(errors=[(70, 60, 7)] * 4 + [(70, 80, 7)]), base("v1", length=1), event("stock.issued", qty=60)),
        tick(days(1)),
        then(plan(), stock()),
    ),
    Rule(
        "a forecast that is right again ends the bias",
        (
            FULL,
            plan(errors=[(70, 60, 7)] * 6),
            base("v1", length=1),
            event("stock.issued", qty=60),
            tick(days(1)),
            base("v2", 1, days(1), 1, 1),
            event("stock.issued", days(1), qty=36),
        ),
        tick(days(2)),
        then(plan(), stock(), alert("resolved", "forecast_bias")),
    ),
    Rule(
        "issues of days that no bucket needs any more are dropped after five weeks",
        (
            FULL,
            event("stock.issued", qty=5),
            event("stock.issued", days(1), qty=5),
            event("stock.issued", days(35), qty=5),
        ),
        event("stock.issued", days(36), qty=1),
        then(stock(available=10**6 - 16, issue_qty=1)),
    ),
    Rule(
        "issues that a bucket still needs are kept",
        (
            FULL,
            base("v1", length=100),
            *(event("stock.issued", days(each), qty=5) for each in (0, 50, 51)),
        ),
        tick(days(101)),
        then(plan(errors=[(70, 15, 100)]), stock()),
    ),
]

TABLE: list[AnyRule] = [*VERSIONS, *DRIFT]

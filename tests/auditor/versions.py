"""Which forecast revisions of a row are in force, said as plainly as can be: every question looks at all of them."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from tests.auditor.order_lines import Fact


class Forecast(NamedTuple):
    """`buckets` by (first day, days); `gaps` are the deltas that wait for a version that is not known."""

    version: str | None
    buckets: dict[tuple[int, int], int]
    gaps: list[Fact]


def forecast_of(revisions: list[Fact]) -> Forecast:
    replaces = [fact for fact in revisions if fact["mode"] == "replace"]
    deltas = [fact for fact in revisions if fact["mode"] == "delta"]
    base = max(replaces, key=lambda fact: fact["rank"], default=None)
    in_force = ([base] if base else []) + deltas_in_force(base, replaces, deltas)
    buckets: dict[tuple[int, int], int] = {}
    for fact in in_force:
        for bucket in fact["buckets"]:
            span = date.fromisoformat(bucket["start"]).toordinal(), bucket["days"]
            buckets[span] = buckets.get(span, 0) + bucket["qty"]
    return Forecast(base["version"] if base else None, buckets, gaps(base, revisions, deltas))


def deltas_in_force(base: Fact | None, replaces: list[Fact], deltas: list[Fact]) -> list[Fact]:
    """What builds on the base, or on what was in force when it was said, and was not superseded by another version."""
    others = [fact["rank"] for fact in replaces if base and fact["version"] != base["version"]]
    candidates = [
        fact
        for fact in deltas
        if all(fact["rank"] > rank for rank in others)
        and (fact.get("base_version") is not None or base is None or fact["rank"] > base["rank"])
    ]
    reached = closure({None, base["version"] if base else None}, candidates)
    return [fact for fact in candidates if fact.get("base_version") in reached]


def gaps(base: Fact | None, revisions: list[Fact], deltas: list[Fact]) -> list[Fact]:
    """The deltas later than the base whose version leads back to nothing that is known."""
    later = [fact for fact in revisions if base is None or fact["rank"] > base["rank"]]
    settled = closure({None, *(fact["version"] for fact in revisions if fact not in later)}, deltas)
    return [fact for fact in later if fact.get("base_version") not in settled]


def closure(names: set[str | None], deltas: list[Fact]) -> set[str | None]:
    """The version names that deltas lead to from the given ones."""
    reached = set(names)
    while more := {fact["version"] for fact in deltas if fact.get("base_version") in reached} - reached:
        reached |= more
    return reached

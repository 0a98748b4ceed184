"""The forecast in force, its gaps and its demand are a function of the set of revisions, in any order of arrival."""

from __future__ import annotations

import json
from datetime import date, timedelta
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.auditor.adapter import Rig
from tests.auditor.events import ROW, T0, event
from tests.auditor.model import HOUR, Event
from tests.auditor.plan import Plan
from tests.auditor.versions import forecast_of
from tests.auditor.workload import encoded

SETS = json.loads((Path(__file__).parents[1] / "data" / "arrival-orders.json").read_text(encoding="utf-8"))
FORECAST_SETS = [found for found in SETS if found["kind"] == "forecast"]
LATER = T0 + 20 * HOUR
DAYS = 14
NAMES = st.sampled_from(["v1", "v2", "d1", "d2"])
SPANS = st.sampled_from([("2026-03-02", 7), ("2026-03-04", 3), ("2026-03-09", 1)])


@st.composite
def revisions(draw: st.DrawFn, most: int = 8) -> list[Event]:
    """Revisions with few names, few moments and few spans, so that they meet."""
    told = []
    for number in range(draw(st.integers(1, most))):
        is_delta = draw(st.booleans())
        spans = draw(st.lists(SPANS, min_size=1, max_size=2))
        buckets = [{"start": start, "days": days, "qty": 3 + 7**number % 101} for start, days in spans]
        base = draw(st.one_of(st.none(), NAMES)) if is_delta else None
        mode = {"mode": "delta" if is_delta else "replace"} | ({"base_version": base} if base else {})
        hour = draw(st.integers(8, 12)) if draw(st.booleans()) else 10
        told.append(event("forecast.revised", hour, id=f"x{number}", version=draw(NAMES), buckets=buckets, **mode))
    return told


def seen(arrived: list[Event], key: tuple[str, str] = ROW) -> tuple[Any, ...]:
    """What an engine shows of a row after the events; it takes each in a commit of its own."""
    rig = Rig(1)
    for one in arrived:
        assert rig.send([encoded(one)], LATER) == {}
    rig.tick(LATER)
    detail = rig.detail(key, DAYS)
    forecast = detail["forecast"] or {"version": None, "deltas": [], "buckets": [], "complete": True}
    open_kinds = sorted({alert["kind"] for alert in detail["alerts"]})
    return forecast, open_kinds, [day["projected"] for day in detail["projection"]]


def expected(events: list[Event]) -> tuple[Any, ...]:
    plan = Plan(events, LATER)
    forecast = forecast_of(plan.events_of(ROW, "forecast.revised"))
    return forecast.version, forecast.buckets, not forecast.gaps, plan.projection(ROW, DAYS)


def agrees(arrived: list[Event]) -> tuple[Any, ...]:
    forecast, kinds, projected = found = seen(arrived)
    buckets = {(date.fromisoformat(b["start"]).toordinal(), b["days"]): b["qty"] for b in forecast["buckets"]}
    assert (forecast["version"], buckets, forecast["complete"], projected) == expected(arrived)
    assert ("forecast_gap" in kinds) == (not forecast["complete"])
    return found


@given(revisions(), st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_any_order_of_revisions_gives_the_forecast_of_the_model(told: list[Event], random: Random) -> None:
    first = agrees(told)
    for _ in range(3):
        random.shuffle(told)
        assert agrees(told) == first


@given(revisions(most=3))
@settings(max_examples=40)
def test_every_order_of_a_few_revisions_gives_the_same(told: list[Event]) -> None:
    assert all(agrees(list(order)) == agrees(told) for order in permutations(told))


@pytest.mark.parametrize("found", FORECAST_SETS, ids=lambda found: str(found["field"]))
def test_the_sets_that_differed_agree(found: dict[str, Any]) -> None:
    one, other = (seen([found["events"][place] for place in order], ("S", "L")) for order in found["orders"])
    assert one == other


@given(st.integers(0, 2**32))
@settings(max_examples=25)
def test_long_stories_of_revisions_agree_too(seed: int) -> None:
    """Chains, circles and stars of sixty revisions: what is added and taken back ends at the model's sums."""
    random = Random(seed)
    names = [f"n{number}" for number in range(random.choice([2, 6, 30]))]
    told = []
    for number in range(60):
        base = random.choice([None, *names, *names])
        mode = {"mode": "replace"} if random.random() < 0.3 else {"mode": "delta"}
        if mode["mode"] == "delta" and base is not None:
            mode["base_version"] = base
        start = date(2026, 3, 2) + timedelta(days=random.randrange(9))
        buckets = [{"start": start.isoformat(), "days": random.randint(1, 5), "qty": random.randrange(50)}]
        version = random.choice(names)
        hour = random.randrange(60, 120) / 10
        told.append(event("forecast.revised", hour, id=f"x{number}", version=version, buckets=buckets, **mode))
    agrees(told)

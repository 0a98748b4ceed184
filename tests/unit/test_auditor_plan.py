"""The independent model's policy and projection sentence by sentence, and the workload it is fed."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.auditor.arrival import cut, late_arrivals, with_duplicates
from tests.auditor.events import (
    ROW,
    T0,
    arrived,
    event,
    forecast,
    placed,
    received,
    reserved,
    sent,
)
from tests.auditor.model import HOUR, Event
from tests.auditor.plan import Plan, forward_minimum, order_quantity
from tests.auditor.sentences import DAYS
from tests.auditor.workload import Story

# ---- quantities to order


def min_max(least: int, most: int, **limits: int) -> dict[str, Any]:
    return {"policy": {"kind": "min_max", "min": least, "max": most}, **limits}


def lots_of(qty: int, point: int, **limits: int) -> dict[str, Any]:
    return {"policy": {"kind": "reorder_point", "point": point, "qty": qty}, **limits}


@pytest.mark.parametrize(
    ("policy", "position", "qty"),
    [
        (min_max(50, 120, multiple=1), 40, 80),
        (min_max(50, 120, multiple=12), 50, 72),
        (min_max(50, 120, multiple=12), 51, 0),
        (min_max(50, 120, multiple=12), -15, 144),
        (min_max(50, 60, moq=100, multiple=24), 40, 120),
        (min_max(50, 120, max_qty=30), 40, 30),
        (min_max(50, 120, multiple=12, max_qty=30), 40, 24),
        (min_max(50, 120, multiple=12, max_qty=7), 40, 7),
        (lots_of(25, 40), 40, 25),
        (lots_of(25, 40), 41, 0),
        (lots_of(25, 40), 15, 50),
        (lots_of(25, 40), -11, 75),
        ({"policy": {"kind": "none"}}, -100, 0),
    ],
)
def test_order_quantity(policy: dict[str, Any], position: int, qty: int) -> None:
    assert order_quantity(policy, position) == qty


def test_the_latest_policy_decides_on_the_position() -> None:
    events = [
        event("policy.set", 2, policy={"kind": "min_max", "min": 50, "max": 120}),
        event("policy.set", 1, policy={"kind": "none"}),
        received(3, 20),
        placed(3, qty=25),
    ]
    assert Plan(events, T0).order_quantity(ROW) == 75


# ---- the days to come, seen at noon of 2 March 2026


def projected(events: list[Event], days: int = 5) -> list[int]:
    return Plan(events, T0 + 12 * HOUR).projection(ROW, days)


@pytest.mark.parametrize("sentence", DAYS)
def test_projection_follows_the_sentence(sentence: str) -> None:
    events, expected = DAYS[sentence]
    assert projected(events) == expected


def test_a_transfer_is_supply_at_its_eta() -> None:
    plan = Plan([sent(1, 9, eta="2026-03-04"), arrived(2, 2)], T0 + 12 * HOUR)
    assert plan.projection(("A", "Y"), 4) == [2, 2, 9, 9]


def test_days_are_the_locations_own() -> None:
    """Trap 12: at 23:30 UTC it is already 3 March in Warsaw, and the order of that day is due today."""
    place = event("location.defined", 0, location="X", time_zone="Europe/Warsaw")
    events = [place, placed(due="2026-03-03")]
    assert Plan(events, T0 + int(23.5 * HOUR)).projection(ROW, 2) == [100, 100]
    assert Plan(events[1:], T0 + int(23.5 * HOUR)).projection(ROW, 2) == [0, 100]


def test_available_to_promise_leaves_the_forecast_aside() -> None:
    events = [received(1, 30), reserved(1, 40), placed(due="2026-03-04"), forecast(1, "v1", ("2026-03-02", 5, 500))]
    assert Plan(events, T0 + 12 * HOUR).available_to_promise(ROW, 4) == [-10, -10, 90, 90]


def test_forward_minimum_is_the_least_from_here_on() -> None:
    assert forward_minimum([5, 3, 8, -1, 4]) == [-1, -1, -1, -1, 4]


# ---- the model and the workload against each other


@pytest.mark.parametrize("seed", range(40))
def test_any_arrival_of_a_story_gives_the_same_rows_and_conserves_units(seed: int) -> None:
    random = Random(seed)
    story = Story(random, skus=2, locations=3, length=60)
    preamble, told = story.preamble(), list(story.tell(60))
    natural = Plan(preamble + told, story.now)
    arrived = with_duplicates(random, late_arrivals(random, told))
    assert Plan(preamble + arrived, story.now).rows() == natural.rows()
    for sku in story.skus:
        there, flows = natural.conserved(sku)
        assert there == flows


def test_a_story_is_a_function_of_its_seed() -> None:
    first, second = (list(Story(Random(7)).tell(50)) for _ in range(2))
    assert first == second


def test_stories_tell_of_everything() -> None:
    story = Story(Random(1), length=2000)
    assert len({event["type"] for event in [*story.preamble(), *story.tell(2000)]}) == 28


def test_a_cut_keeps_every_event() -> None:
    assert cut([b"%d" % index for index in range(10)], [3, 1]) == [
        [b"0", b"1", b"2"],
        [b"3"],
        [b"4", b"5", b"6"],
        [b"7"],
        [b"8", b"9"],
    ]

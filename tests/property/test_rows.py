"""Rows are a function of the set of distinct events: of no order, repetition, batch or crash they arrive with."""

from __future__ import annotations

from random import Random

from hypothesis import event as note
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.auditor.adapter import Rig, differences
from tests.auditor.arrival import conflicting, cut, cuts, histories, late_arrivals, with_duplicates
from tests.auditor.model import HOUR, Event, instant
from tests.auditor.plan import Plan
from tests.auditor.teller import SPAN, START
from tests.auditor.workload import Story, encoded

ARRIVAL = instant(START) + SPAN
LATER = ARRIVAL + HOUR
EXAMPLES = settings(max_examples=60)


def fed(batches: list[list[Event]], *, partitions: int = 2) -> Rig:
    """An engine that has taken all batches, and whose clock stands at `LATER`."""
    rig = Rig(partitions)
    for batch in batches:
        assert rig.send([encoded(event) for event in batch], ARRIVAL) == {}
    rig.tick(LATER)
    return rig


def agrees(rig: Rig, events: list[Event]) -> None:
    model = Plan(events, LATER)
    assert differences(model.rows(), rig.rows()) == []
    for sku in {key[0] for key in model.rows()}:
        here, flows = model.conserved(sku)
        assert here == flows


@given(histories(), cuts())
@EXAMPLES
def test_rows_are_those_of_the_model_in_any_order_with_any_repetition(
    history: tuple[list[Event], list[Event]], sizes: list[int]
) -> None:
    preamble, arrived = history
    note(f"{len(arrived) // 12 * 12} events or more")
    agrees(fed([preamble, *cut(arrived, sizes)]), preamble + arrived)


@given(st.integers(0, 2**32), cuts())
@EXAMPLES
def test_rows_are_those_of_the_model_when_events_come_late(seed: int, sizes: list[int]) -> None:
    random = Random(seed)
    story = Story(random, skus=2, locations=3, length=50)
    preamble = story.preamble()
    arrived = with_duplicates(random, late_arrivals(random, list(story.tell(50))))
    agrees(fed([preamble, *cut(arrived, sizes)], partitions=8), preamble + arrived)


@given(histories(), cuts(), cuts())
@EXAMPLES
def test_arrival_order_does_not_change_rows(
    history: tuple[list[Event], list[Event]], sizes: list[int], others: list[int]
) -> None:
    preamble, arrived = history
    forward = fed([preamble, *cut(arrived, sizes)])
    backward = fed([preamble, *cut(arrived[::-1], others)])
    assert differences(forward.rows(), backward.rows()) == []


@given(histories(length=20), cuts(), st.data())
@EXAMPLES
def test_a_conflict_is_refused_and_changes_nothing(
    history: tuple[list[Event], list[Event]], sizes: list[int], data: st.DataObject
) -> None:
    preamble, arrived = history
    rig = fed([preamble, *cut(arrived, sizes)])
    before = rig.published()
    victim = data.draw(st.sampled_from(arrived))
    raw = encoded(conflicting(Random(1), victim))
    assert rig.send([encoded(victim), raw, encoded(victim)], LATER) == {1: "conflict"}
    assert rig.published() == before
    assert rig.dead_letters() == [("conflict", raw)]


@given(histories(), cuts())
@EXAMPLES
def test_what_is_derived_in_a_position_adds_up(history: tuple[list[Event], list[Event]], sizes: list[int]) -> None:
    preamble, arrived = history
    for (sku, location), data in fed([preamble, *cut(arrived, sizes)]).position_data().items():
        assert (data["sku"], data["location"]) == (sku, location)
        assert data["on_hand"] == data["available"] + data["held"]
        assert data["sellable"] == data["available"] - data["reserved"]
        assert data["position"] == data["sellable"] + data["on_order"] + data["in_transit"]
        assert 0 < data["version"] <= len(preamble + arrived) + 1

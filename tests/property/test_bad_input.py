"""Bad input costs one dead letter and nothing else."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.auditor.adapter import Rig
from tests.auditor.arrival import cut, cuts, histories
from tests.auditor.malformed import KINDS, malformed
from tests.auditor.model import HOUR, Event, Row, instant
from tests.auditor.teller import SPAN, START
from tests.auditor.workload import encoded

ARRIVAL = instant(START) + SPAN
KEY = ("SPOILT", "NOWHERE")


def good(**data: object) -> Event:
    """A good event of the row that the bad ones name."""
    return {
        "specversion": "1.0",
        "id": "good-1",
        "source": "bad/feed",
        "type": "goods.received",
        "time": START,
        "data": {"receipt": "R", "sku": KEY[0], "location": KEY[1], "qty": 7, **data},
    }


@pytest.mark.parametrize("kind", KINDS)
def test_bad_input_is_refused_with_its_reason_and_the_stream_goes_on(kind: str) -> None:
    rig = Rig(2)
    _, raw, reasons = malformed(Random(1), instant(START), kind)
    refused = rig.send([raw, encoded(good())], instant(START))
    assert set(refused) == {0}
    assert refused[0] in reasons
    assert rig.dead_letters() == [(refused[0], raw)]
    assert rig.rows() == {KEY: Row(available=7)}


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"a number", "null", "nothing", "an array"}))
def test_what_was_refused_has_not_taken_its_name(kind: str) -> None:
    rig = Rig(2)
    event = good()
    raw = KINDS[kind][0](event | {"data": event["data"] | {"qty": 5}})
    assert set(rig.send([raw], instant(START))) == {0}
    assert rig.send([encoded(event)], instant(START)) == {}
    assert rig.rows() == {KEY: Row(available=7)}


def test_a_unit_is_taken_once_the_item_declares_it() -> None:
    rig = Rig(2)
    raw = encoded(good(uom="case"))
    item = good() | {"id": "item", "type": "item.defined"}
    item["data"] = {"sku": KEY[0], "base_unit": "each", "units": {"case": 12}}
    assert rig.send([raw], instant(START)) == {0: "unknown_unit"}
    assert rig.send([encoded(item), raw], instant(START)) == {}
    assert rig.rows()[KEY] == Row(available=84)


def test_a_quantity_too_large_in_base_units_is_refused() -> None:
    rig = Rig(1)
    item = good() | {"id": "item", "type": "item.defined"}
    item["data"] = {"sku": KEY[0], "base_unit": "each", "units": {"ship": 10**6}}
    small, large = good(qty=10**6, uom="ship"), good(qty=10**6 + 1, uom="ship") | {"id": "good-2"}
    assert rig.send([encoded(item), encoded(small)], instant(START)) == {}
    assert rig.send([encoded(large)], instant(START)) == {0: "quantity_out_of_range"}
    assert rig.rows()[KEY] == Row(available=10**12)


@given(histories(), cuts(), st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.integers(0, 100)), max_size=8))
@settings(max_examples=40)
def test_bad_input_anywhere_changes_nothing_else(
    history: tuple[list[Event], list[Event]], sizes: list[int], planted: list[tuple[str, int]]
) -> None:
    preamble, arrived = history
    clean = [encoded(event) for event in preamble + arrived]
    dirty = list(clean)
    bad = []
    for number, (kind, place) in enumerate(planted):
        _, raw, _ = malformed(Random(number), instant(START), kind)
        dirty.insert(place % (len(dirty) + 1), raw)
        bad.append(raw)
    pure, mixed = Rig(2), Rig(2)
    for batch in cut(clean, sizes):
        pure.send(batch, ARRIVAL)
    for batch in cut(dirty, sizes):
        mixed.send(batch, ARRIVAL)
    for rig in (pure, mixed):
        rig.tick(ARRIVAL + HOUR)
    assert mixed.said() == pure.said()
    assert sorted(raw for _, raw in mixed.dead_letters()) == sorted(bad)

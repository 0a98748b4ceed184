"""What goes out is a function of the log: the same bytes for any batches, any crash, and a log sent twice."""

from __future__ import annotations

import json
from collections import defaultdict
from random import Random
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.auditor.adapter import Rig
from tests.auditor.arrival import cut, cuts, histories
from tests.auditor.model import HOUR, Event, instant
from tests.auditor.teller import SPAN, START
from tests.auditor.workload import encoded

ARRIVAL = instant(START) + SPAN
EXAMPLES = settings(max_examples=50)
History = tuple[list[Event], list[Event]]
POWER_CUTS = st.sampled_from(["none", "none", "crash", "before", "after"])


def lines(history: History) -> list[bytes]:
    preamble, arrived = history
    return [encoded(event) for event in preamble + arrived]


def fed(events: list[bytes], sizes: list[int]) -> Rig:
    rig = Rig(2)
    for batch in cut(events, sizes):
        rig.send(batch, ARRIVAL)
    rig.tick(ARRIVAL + HOUR)
    return rig


@given(histories(), cuts())
@EXAMPLES
def test_batches_do_not_matter(history: History, sizes: list[int]) -> None:
    events = lines(history)
    assert fed(events, sizes).everything() == fed(events, [len(events)]).everything()


@given(histories(), cuts(), st.lists(POWER_CUTS, min_size=1, max_size=12))
@EXAMPLES
def test_crashes_do_not_matter(
    history: History, sizes: list[int], cuts_of_power: list[Literal["crash", "before", "after", "none"]]
) -> None:
    events = lines(history)
    rig = Rig(2)
    for turn, batch in enumerate(cut(events, sizes)):
        accident = cuts_of_power[turn % len(cuts_of_power)]
        if accident == "crash":
            rig.crash()
        if accident in ("before", "after"):
            rig.send_through_power_cut(batch, ARRIVAL, accident)
        else:
            rig.send(batch, ARRIVAL)
    rig.crash()
    rig.tick(ARRIVAL + HOUR)
    assert rig.said() == fed(events, sizes).said()


@given(histories(), cuts(), cuts(), st.randoms(use_true_random=False))
@EXAMPLES
def test_a_log_sent_twice_changes_nothing(
    history: History, sizes: list[int], others: list[int], random: Random
) -> None:
    events = lines(history)
    rig = fed(events, sizes)
    before = rig.everything()
    for again in (events, random.sample(events, len(events))):
        for batch in cut(again, others):
            assert rig.send(batch, ARRIVAL + HOUR) == {}
    assert rig.everything() == before


@given(histories(), cuts())
@EXAMPLES
def test_outputs_have_unique_names_and_a_row_has_one_open_signal(history: History, sizes: list[int]) -> None:
    rig = fed(lines(history), sizes)
    for topic in ("signals", "alerts"):
        for published in rig.history(topic):
            names = [json.loads(value)["id"] for value in published]
            assert len(set(names)) == len(names)
    open_signals: dict[tuple[str, str], int] = defaultdict(int)
    for signal in rig.latest("signals"):
        open_signals[signal["sku"], signal["location"]] += signal["status"] in ("open", "accepted")
    assert all(count <= 1 for count in open_signals.values())


@given(histories(), cuts())
@EXAMPLES
def test_the_number_of_partitions_does_not_change_rows(history: History, sizes: list[int]) -> None:
    events = lines(history)
    few, many = Rig(1), Rig(13)
    for rig in (few, many):
        for batch in cut(events, sizes):
            rig.send(batch, ARRIVAL)
        rig.tick(ARRIVAL + HOUR)
    assert few.rows() == many.rows()

"""The dated projection and what can be promised are those of the model, for any history."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.auditor.adapter import Rig
from tests.auditor.arrival import cut, cuts, late_arrivals
from tests.auditor.model import HOUR, instant
from tests.auditor.plan import Plan
from tests.auditor.teller import SPAN, START
from tests.auditor.workload import Story, encoded

ARRIVAL = instant(START) + SPAN
DAYS = 20


@given(st.integers(0, 2**32), cuts())
@settings(max_examples=60)
def test_projection_and_available_to_promise_are_those_of_the_model(seed: int, sizes: list[int]) -> None:
    random = Random(seed)
    story = Story(random, skus=2, locations=2, length=40)
    events = story.preamble() + late_arrivals(random, list(story.tell(40)))
    rig = Rig(2)
    for batch in cut([encoded(event) for event in events], sizes):
        assert rig.send(batch, ARRIVAL) == {}
    rig.tick(ARRIVAL + HOUR)
    model = Plan(events, rig.now)
    for key in rig.rows():
        detail = rig.detail(key, DAYS)
        assert [day["projected"] for day in detail["projection"]] == model.projection(key, DAYS)
        assert [day["atp"] for day in detail["atp"]] == model.available_to_promise(key, DAYS)

"""A quantity in another unit is converted by the definition in force at its time, of those that had arrived."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.auditor.adapter import Rig, differences
from tests.auditor.events import ROW, T0, event, forecast, received
from tests.auditor.model import HOUR, Event
from tests.auditor.plan import Plan
from tests.auditor.workload import encoded

LATER = T0 + 20 * HOUR


def defined(hour: float, case: int, name: str = "") -> Event:
    return event("item.defined", hour, base_unit="each", units={"case": case}, **({"id": name} if name else {}))


def cases(hour: float, qty: int = 1, name: str = "") -> Event:
    return received(hour, qty, uom="case", **({"id": name} if name else {}))


def told(*events: Event) -> Rig:
    rig = Rig(1)
    for one in events:
        assert rig.send([encoded(one)], LATER) == {}
    return rig


def available(*events: Event) -> int:
    return told(*events).rows()[ROW].available


@pytest.mark.parametrize(
    ("hour", "units"),
    [(1, 6), (2, 6), (3, 6), (4, 12), (5, 12), (6, 24), (7, 24)],
    ids=["before the first", "at the first", "between", "at the second", "after it", "at the third", "after the last"],
)
def test_the_factor_is_that_of_the_events_time(hour: float, units: int) -> None:
    assert available(defined(6, 24), defined(2, 6), defined(4, 12), cases(hour)) == units


def test_what_was_folded_is_not_rescaled() -> None:
    assert available(defined(4, 12), cases(5), defined(4.5, 24), cases(5.5)) == 12 + 24


def test_at_one_time_the_greater_identity_holds_in_any_order() -> None:
    one, other = defined(2, 6, "a"), defined(2, 12, "b")
    last = defined(4, 7)
    assert available(one, other, last, cases(3)) == available(last, other, one, cases(3)) != 7


def test_a_unit_that_is_not_declared_at_the_events_time_is_refused() -> None:
    rig = told(event("item.defined", 2, base_unit="each", units={}), defined(4, 12))
    assert rig.send([encoded(cases(3)), encoded(cases(4))], LATER) == {0: "unknown_unit"}
    assert Rig(1).send([encoded(cases(3))], LATER) == {0: "unknown_unit"}


def test_a_forecast_in_cases_takes_the_factor_of_its_time_too() -> None:
    revision = forecast(3, "v", ("2026-03-02", 1, 5))
    revision["data"]["uom"] = "case"
    assert told(defined(2, 6), defined(4, 12), revision).detail(ROW, 1)["forecast"]["buckets"][0]["qty"] == 30


@given(
    st.lists(
        st.tuples(st.sampled_from(["defined", "cases"]), st.integers(1, 6), st.integers(1, 30)), min_size=1, max_size=14
    )
)
@settings(max_examples=60)
def test_any_arrival_of_definitions_and_movements_agrees_with_the_model(drawn: list[tuple[str, int, int]]) -> None:
    """What is converted depends on the definitions that had arrived, so the model takes the events as they came."""
    events = [defined(6, 5, "first")]
    events += [
        (defined if kind == "defined" else cases)(hour, qty, f"{n}") for n, (kind, hour, qty) in enumerate(drawn)
    ]
    rig = told(*events)
    assert differences(Plan(events, LATER).rows(), rig.rows()) == []

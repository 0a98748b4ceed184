"""The engine's pure arithmetic against the model's plain one, on any numbers."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from engine.core import policy, projection
from tests.auditor.events import ROW, T0, forecast, issued
from tests.auditor.model import HOUR
from tests.auditor.plan import Plan, forward_minimum, order_quantity

TODAY = date(2026, 3, 2).toordinal()
WHOLE = st.integers(-300, 300)
LIMITS = st.fixed_dictionaries(
    {},
    optional={"moq": st.integers(0, 200), "multiple": st.integers(1, 50), "max_qty": st.integers(1, 300)},
)


@given(WHOLE, st.integers(0, 100), st.integers(1, 200), LIMITS)
def test_min_max(position: int, least: int, more: int, limits: dict[str, int]) -> None:
    rule = {"policy": {"kind": "min_max", "min": least, "max": least + more}, **limits}
    wanted = least + more - position if position <= least else 0
    assert policy.constrained(wanted, **limits).qty == order_quantity(rule, position)


@given(WHOLE, st.integers(0, 100), st.integers(1, 60), LIMITS)
def test_reorder_point(position: int, point: int, lot: int, limits: dict[str, int]) -> None:
    rule = {"policy": {"kind": "reorder_point", "point": point, "qty": lot}, **limits}
    wanted = policy.reorder_quantity(position, point, lot)
    assert policy.constrained(wanted, **limits).qty == order_quantity(rule, position)


@given(st.lists(WHOLE, min_size=1, max_size=40))
def test_forward_minimum(values: list[int]) -> None:
    assert projection.forward_minimum(values) == forward_minimum(values)


@given(
    st.lists(st.tuples(st.integers(-20, 20), st.integers(1, 15), st.integers(0, 500)), max_size=4),
    st.lists(st.tuples(st.integers(-20, 0), st.integers(1, 60)), max_size=6),
    st.integers(1, 40),
)
def test_daily_demand(buckets: list[tuple[int, int, int]], issues: list[tuple[int, int]], horizon: int) -> None:
    """Buckets (first day from today, days, qty), issues (day from today, qty), both in days of UTC."""
    entries = [(date.fromordinal(TODAY + start).isoformat(), days, qty) for start, days, qty in dict_by_start(buckets)]
    events = [forecast(0, "v1", *entries)]
    events += [issued(24 * day, qty, id=f"issue-{number}") for number, (day, qty) in enumerate(issues)]
    plain = Plan(events, T0 + HOUR).demand(ROW)
    found = projection.daily_demand(
        [(TODAY + start, days, qty) for start, days, qty in dict_by_start(buckets)],
        [(TODAY + day, qty) for day, qty in issues],
        TODAY,
        horizon,
    )
    assert found == [plain.get(TODAY + day, 0) for day in range(horizon)]


def dict_by_start(buckets: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """One bucket for each first day and length: the model names them by these."""
    return list({(start, days): (start, days, qty) for start, days, qty in buckets}.values())

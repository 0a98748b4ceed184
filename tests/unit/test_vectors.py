"""The trade's vectors, and the worked examples, against the engine's arithmetic."""

from __future__ import annotations

import csv
import json
from itertools import accumulate
from math import exp, lgamma, log, sqrt
from pathlib import Path
from random import Random
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from engine.core import policy, projection

EXAMPLES = Path(__file__).parents[1] / "data" / "worked-examples"


def table(name: str) -> list[dict[str, float]]:
    """The rows of a CSV example; cells that hold no number are left out."""
    with (EXAMPLES / name).open(newline="") as lines:
        return [
            {key: value for key, cell in row.items() if (value := number(cell)) is not None}
            for row in csv.DictReader(lines)
        ]


def number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def example(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((EXAMPLES / name).read_text())
    return read


# ---- safety stock, order point, order-up-to level


def test_safety_stock_counts_the_lead_times_deviation() -> None:
    assert policy.z_value(0.95) == pytest.approx(1.64485, abs=5e-6)
    assert policy.lead_time_deviation(100, 20, 9, 2) == pytest.approx(208.806, abs=5e-4)
    stock = policy.safety_stock(0.95, 100, 20, 9, 2)
    assert stock == pytest.approx(343.456, abs=5e-4)
    assert policy.reorder_point(100, 9, stock) == pytest.approx(1243.456, abs=5e-4)


def test_safety_stock_without_the_lead_times_deviation_is_much_less() -> None:
    assert policy.safety_stock(0.95, 100, 20, 9, 0) == pytest.approx(98.691, abs=5e-4)


def test_periodic_review_protects_review_and_lead_time() -> None:
    assert policy.lead_time_deviation(100, 20, 9 + 5, 2) == pytest.approx(213.542, abs=5e-4)
    stock = policy.safety_stock(0.95, 100, 20, 9, 2, R=5)
    assert stock == pytest.approx(351.245, abs=5e-4)
    assert policy.order_up_to(100, 9, 5, stock) == pytest.approx(1751.245, abs=5e-4)


@pytest.mark.parametrize("row", table("safety-stock.csv"))
def test_safety_stock_of_the_worked_examples(row: dict[str, float]) -> None:
    d, sd, level = row["demand_mean"], row["demand_sd"], row["cycle_service_level"]
    lead, deviation, review = row["lead_time_mean"], row["lead_time_sd"], row["review_period"]
    stock = policy.safety_stock(level, d, sd, lead, deviation, review)
    assert policy.z_value(level) == pytest.approx(row["z"], abs=1e-9)
    assert policy.lead_time_deviation(d, sd, lead + review, deviation) == pytest.approx(
        row["sd_over_protection_interval"]
    )
    assert stock == pytest.approx(row["safety_stock"], abs=1e-6)
    assert policy.order_up_to(d, lead, review, stock) == pytest.approx(row["reorder_point_or_target"])
    assert policy.reorder_point(d, lead + review, stock) == pytest.approx(row["reorder_point_or_target"])


def test_order_point_of_the_textbook() -> None:
    row = example("order-point.json")
    point = policy.reorder_point(row["demand_per_week"], row["lead_time_weeks"], row["safety_stock"])
    assert point == row["order_point"]


@pytest.mark.parametrize("row", table("newsvendor-normal.csv"))
def test_base_stock_is_the_order_up_to_level_of_a_review_each_period(row: dict[str, float]) -> None:
    """A base-stock level with normal demand is the target of a (R,S) policy with R = 1, at the critical ratio."""
    ratio = row["backorder_cost"] / (row["backorder_cost"] + row["holding_cost"])
    stock = policy.safety_stock(ratio, row["demand_mean"], row["demand_sd"], row["lead_time"], 0, R=1)
    assert ratio == pytest.approx(row["critical_ratio"])
    assert policy.order_up_to(row["demand_mean"], row["lead_time"], 1, stock) == pytest.approx(row["base_stock_level"])


@pytest.mark.parametrize("row", table("rq-normal.csv"))
def test_reorder_point_with_safety_stock_is_the_eoq_with_safety_stock_example(row: dict[str, float]) -> None:
    ratio = row["backorder_cost"] / (row["backorder_cost"] + row["holding_cost"])
    stock = policy.safety_stock(ratio, row["demand_mean"], row["demand_sd"], row["lead_time"], 0)
    assert policy.reorder_point(row["demand_mean"], row["lead_time"], stock) == pytest.approx(row["eoqss_r"], rel=1e-6)


# ---- fill rate and the loss function


@pytest.mark.parametrize("row", table("normal-loss.csv"))
def test_normal_loss(row: dict[str, float]) -> None:
    assert policy.normal_loss(row["z"]) == pytest.approx(row["loss"], rel=1e-6, abs=1e-12)
    assert policy.normal_loss(-row["z"]) == pytest.approx(row["complementary_loss"], rel=1e-6, abs=1e-12)


def test_fill_rate_of_an_sq_system() -> None:
    sigma = policy.lead_time_deviation(100, 20, 9, 2)
    assert policy.fill_rate(sigma, 1.645, 500) == pytest.approx(0.99127, abs=1e-5)


def test_exact_fill_rate_counts_what_was_short_already() -> None:
    """With small lots the plain form charges the same shortage twice; with large ones both agree."""
    sigma, z = 208.806, 0.5
    shortage = policy.normal_loss(z) - policy.normal_loss(z + 200 / sigma)
    assert policy.fill_rate(sigma, z, 200, exact=True) == pytest.approx(1 - sigma * shortage / 200)
    assert policy.fill_rate(sigma, z, 200, exact=True) > policy.fill_rate(sigma, z, 200)
    assert policy.fill_rate(sigma, z, 5000, exact=True) == pytest.approx(policy.fill_rate(sigma, z, 5000), abs=1e-9)


def test_a_fill_rate_target_is_no_cycle_service_target() -> None:
    sigma = policy.lead_time_deviation(100, 20, 9, 2)
    z = policy.z_for_fill_rate(0.98, sigma, 500)
    assert z == pytest.approx(1.2761, abs=5e-5)
    assert z * sigma == pytest.approx(266.457, abs=5e-3)
    assert NormalDist().cdf(z) == pytest.approx(0.899, abs=5e-4)


# ---- how much to order


@pytest.mark.parametrize(
    ("position", "most", "moq", "multiple", "qty"),
    [
        (40, 120, 0, 1, 80),
        (50, 120, 0, 12, 72),
        (51, 120, 0, 12, 0),
        (-15, 120, 0, 12, 144),
        (40, 60, 100, 24, 120),
    ],
)
def test_order_quantity(position: int, most: int, moq: int, multiple: int, qty: int) -> None:
    assert policy.order_quantity(position, 50, most, moq=moq, multiple=multiple).qty == qty


def test_an_order_that_overshoots_says_what_made_it_so() -> None:
    order = policy.order_quantity(40, 50, 60, moq=100, multiple=24)
    assert (order.raw, order.qty, order.binding) == (20, 120, "moq")
    assert policy.order_quantity(-15, 50, 120, multiple=12).binding == "multiple"
    assert policy.order_quantity(40, 50, 120).binding is None


@pytest.mark.parametrize(
    ("cap", "multiple", "qty"), [(100, 1, 80), (80, 1, 80), (79, 1, 79), (79, 12, 72), (11, 12, 11), (84, 12, 84)]
)
def test_a_cap_is_lowered_to_a_multiple_where_that_leaves_something(cap: int, multiple: int, qty: int) -> None:
    order = policy.order_quantity(40, 50, 120, multiple=multiple, max_qty=cap)
    assert order.qty == qty
    assert (order.binding == "max_qty") == (cap < 80)


@pytest.mark.parametrize(
    ("position", "point", "lot", "qty"),
    [(40, 40, 25, 25), (41, 40, 25, 0), (15, 40, 25, 50), (16, 40, 25, 25), (-11, 40, 25, 75), (0, 0, 1, 1)],
)
def test_reorder_quantity(position: int, point: int, lot: int, qty: int) -> None:
    assert policy.reorder_quantity(position, point, lot) == qty


def test_reorder_quantity_is_the_smallest_number_of_lots_above_the_point() -> None:
    random = Random(20260302)
    for _ in range(2_000):
        position, point, lot = random.randint(-500, 300), random.randint(-50, 250), random.randint(1, 60)
        counted = 0
        while position <= point and position + counted <= point:
            counted += lot
        assert policy.reorder_quantity(position, point, lot) == counted


def poisson(mean: float, x: int) -> float:
    return exp(x * log(mean) - mean - lgamma(x + 1))


def poisson_loss(mean: float, x: int) -> tuple[float, float]:
    """Expected shortage beyond x, and expected excess under x, of Poisson demand."""
    excess = sum((x - demand) * poisson(mean, demand) for demand in range(x))
    return mean - x + excess, excess


@pytest.mark.parametrize("row", table("poisson-loss.csv"))
def test_the_loss_that_the_next_two_tests_use(row: dict[str, float]) -> None:
    shortage, excess = poisson_loss(row["mean"], int(row["x"]))
    assert shortage == pytest.approx(row["expected_shortage_over_x"], rel=1e-6, abs=1e-9)
    assert excess == pytest.approx(row["expected_excess_under_x"], rel=1e-6, abs=1e-9)


def period_cost(row: dict[str, float], mean: float, stock: int) -> float:
    """Holding and backorder cost of a period that begins with `stock`."""
    shortage, excess = poisson_loss(mean, max(stock, 0))
    shortage += max(0, -stock)
    return row["holding_cost"] * excess + row["backorder_cost"] * shortage


@pytest.mark.parametrize("row", table("ss-poisson.csv"))
def test_the_rule_costs_what_the_exact_ss_policy_costs(row: dict[str, float]) -> None:
    """The long-run cost of a Markov chain that orders by the rule, with Poisson demand and no lead time."""
    mean, s, S = row["demand_mean"], int(row["s"]), int(row["S"])
    states = range(s + 1, S + 1)
    most = int(mean + 12 * sqrt(mean) + 20)
    moves, orders = np.zeros((len(states), len(states))), np.zeros(len(states))
    for index, stock in enumerate(states):
        for demand in range(most):
            left, chance = stock - demand, poisson(mean, demand)
            qty = policy.order_quantity(left, s, S).qty
            moves[index, left + qty - s - 1] += chance
            orders[index] += chance * (qty > 0)
    share = np.linalg.lstsq(
        np.vstack([moves.T - np.eye(len(states)), np.ones(len(states))]), np.eye(len(states) + 1)[-1], rcond=None
    )[0]
    cost = sum(
        part * (row["fixed_cost"] * ordered + period_cost(row, mean, stock))
        for part, ordered, stock in zip(share, orders, states, strict=True)
    )
    assert cost == pytest.approx(row["cost_per_period"], rel=1e-6)


@pytest.mark.parametrize("row", table("rq-poisson.csv"))
def test_the_rule_costs_what_the_exact_rq_policy_costs(row: dict[str, float]) -> None:
    """Unit demands walk the position through a cycle; the cost is that of its positions, plus an order each cycle."""
    point, lot, rate = int(row["reorder_point"]), int(row["order_quantity"]), row["demand_rate"]
    position, visited, ordered = point + lot, [], 0
    for _ in range(4 * lot):
        visited.append(position)
        position -= 1
        qty = policy.reorder_quantity(position, point, lot)
        ordered += qty > 0
        position += qty
    mean = rate * row["lead_time"]
    stock_cost = sum(period_cost(row, mean, position) for position in visited) / len(visited)
    cost = stock_cost + row["fixed_cost"] * rate * ordered / len(visited)
    assert cost == pytest.approx(row["cost_per_time"], rel=1e-6)


# ---- forecast errors


def test_undershoot_of_lumpy_demand() -> None:
    """Demand of 1 or 9 with even chance: mean 5, second moment 41."""
    assert policy.undershoot(5, 41) == pytest.approx(4.1)


def test_wmape_and_bias() -> None:
    assert policy.wmape([10, 0, 30], [14, 3, 21]) == pytest.approx(16 / 40)
    assert policy.bias([10, 0, 30], [14, 3, 21]) == pytest.approx(-2 / 40)


def test_tracking_signal() -> None:
    assert policy.tracking_signal([2, -1, 3, 2, 2, 2]) == pytest.approx(10 / (12 / 6))
    assert policy.tracking_signal([-4, -4, -4, -4, -4, -4]) == pytest.approx(-6)
    assert policy.tracking_signal([0, 0, 0]) == 0


# ---- available to promise and projected balances

RECEIPTS, ORDERS = [0, 10, 0, 0, 10, 0], [8, 5, 4, 2, 3, 1]


def test_discrete_atp() -> None:
    assert projection.discrete_atp(20, RECEIPTS, ORDERS) == [12, -1, 0, 0, 6, 0]


def test_cumulative_atp_nets_backward() -> None:
    cumulative = projection.cumulative_atp(20, RECEIPTS, ORDERS)
    assert cumulative == [11, 11, 11, 11, 17, 17]
    assert [after - before for before, after in zip([0, *cumulative], cumulative, strict=False)] == [11, 0, 0, 0, 6, 0]


def test_projected_available_balance_changes_its_demand_at_the_fence() -> None:
    assert projection.projected_available_balance(20, RECEIPTS, [6] * 6, ORDERS, 2) == [12, 17, 11, 5, 9, 3]


def test_forward_minimum_of_the_published_example() -> None:
    supply, demand = [0, 0, 10, 0, 1, 3, 0], [3, 0, 0, 15, 0, 0, 0]
    balances = projection.projected_available_balance(20, supply, [0] * 7, demand, 0)
    assert projection.forward_minimum(balances) == [12, 12, 12, 12, 13, 16, 16]


def test_cumulative_atp_is_the_forward_minimum() -> None:
    random = Random(20_000)
    for _ in range(20_000):
        periods = random.randint(1, 12)
        opening = random.randint(-10, 40)
        receipts = [random.choice((0, 0, random.randint(1, 30))) for _ in range(periods)]
        orders = [random.randint(0, 15) for _ in range(periods)]
        flows = zip(receipts, orders, strict=True)
        balances = list(accumulate((qty - out for qty, out in flows), initial=opening))[1:]
        expected = [min(balances[period:]) for period in range(periods)]
        assert projection.cumulative_atp(opening, receipts, orders) == expected
        assert projection.forward_minimum(balances) == expected


def test_atp_of_the_master_schedule() -> None:
    plan = example("atp-industrial-pumps.json")
    forecast, orders, mps = plan["forecast"], plan["customer_orders"], plan["mps"]
    atp = projection.discrete_atp(plan["opening_stock"], mps, orders)
    assert {str(week): qty for week, qty in zip(plan["weeks"], atp, strict=True) if qty} == plan["atp"]
    balances = projection.projected_available_balance(plan["opening_stock"], mps, forecast, orders, 0)
    assert balances == plan["projected_on_hand"]


def test_lots_of_the_master_schedule() -> None:
    """A week that would end below zero gets a lot: the reorder rule with a point of -1."""
    plan = example("atp-industrial-pumps.json")
    stock, lots = plan["opening_stock"], []
    for forecast, ordered in zip(plan["forecast"], plan["customer_orders"], strict=True):
        stock -= max(forecast, ordered)
        lots.append(policy.reorder_quantity(stock, -1, plan["lot_size"]))
        stock += lots[-1]
    assert lots == plan["mps"]


@pytest.mark.parametrize("centre", example("drp-item-4682.json")["tables"], ids=lambda centre: centre["location"])
def test_distribution_requirements(centre: dict[str, Any]) -> None:
    """A week that would end below the safety stock gets whole lots: the reorder rule just below the safety stock."""
    stock, receipts = centre["on_hand"], []
    for gross in centre["gross_requirements"]:
        stock -= gross
        receipts.append(policy.reorder_quantity(stock, centre["safety_stock"] - 1, centre["order_quantity"]))
        stock += receipts[-1]
    assert receipts == centre["receipts"]
    nothing = [0] * len(receipts)
    balances = projection.projected_available_balance(
        centre["on_hand"], receipts, centre["gross_requirements"], nothing, 0
    )
    assert balances == centre["projected_on_hand"]
    transit = centre["transit_weeks"]
    releases = {
        str(week - transit): qty for week, qty in zip(centre["weeks"], receipts, strict=True) if week >= transit
    }
    planned = centre["planned_orders_by_release_week"]
    assert {week: releases.get(week, 0) for week in planned} == planned

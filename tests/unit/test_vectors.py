"""The trade's vectors, and the worked examples, against the engine's arithmetic."""

from __future__ import annotations

import csv
import json
from math import exp, lgamma, log, sqrt
from pathlib import Path
from random import Random
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
    assert 100 * 9 + stock == pytest.approx(1243.456, abs=5e-4)


def test_safety_stock_without_the_lead_times_deviation_is_much_less() -> None:
    assert policy.safety_stock(0.95, 100, 20, 9, 0) == pytest.approx(98.691, abs=5e-4)


def test_periodic_review_protects_review_and_lead_time() -> None:
    assert policy.lead_time_deviation(100, 20, 9 + 5, 2) == pytest.approx(213.542, abs=5e-4)
    stock = policy.safety_stock(0.95, 100, 20, 9 + 5, 2)
    assert stock == pytest.approx(351.245, abs=5e-4)
    assert 100 * (9 + 5) + stock == pytest.approx(1751.245, abs=5e-4)


@pytest.mark.parametrize("row", table("safety-stock.csv"))
def test_safety_stock_of_the_worked_examples(row: dict[str, float]) -> None:
    d, sd, level = row["demand_mean"], row["demand_sd"], row["cycle_service_level"]
    interval, deviation = row["lead_time_mean"] + row["review_period"], row["lead_time_sd"]
    stock = policy.safety_stock(level, d, sd, interval, deviation)
    assert policy.z_value(level) == pytest.approx(row["z"], abs=1e-9)
    assert policy.lead_time_deviation(d, sd, interval, deviation) == pytest.approx(row["sd_over_protection_interval"])
    assert stock == pytest.approx(row["safety_stock"], abs=1e-6)
    assert d * interval + stock == pytest.approx(row["reorder_point_or_target"])


@pytest.mark.parametrize("row", table("newsvendor-normal.csv"))
def test_base_stock_is_the_order_up_to_level_of_a_review_each_period(row: dict[str, float]) -> None:
    """A base-stock level with normal demand is the target of a (R,S) policy with R = 1, at the critical ratio."""
    ratio = row["backorder_cost"] / (row["backorder_cost"] + row["holding_cost"])
    stock = policy.safety_stock(ratio, row["demand_mean"], row["demand_sd"], row["lead_time"] + 1, 0)
    assert ratio == pytest.approx(row["critical_ratio"])
    assert row["demand_mean"] * (row["lead_time"] + 1) + stock == pytest.approx(row["base_stock_level"])


@pytest.mark.parametrize("row", table("rq-normal.csv"))
def test_reorder_point_with_safety_stock_is_the_eoq_with_safety_stock_example(row: dict[str, float]) -> None:
    ratio = row["backorder_cost"] / (row["backorder_cost"] + row["holding_cost"])
    stock = policy.safety_stock(ratio, row["demand_mean"], row["demand_sd"], row["lead_time"], 0)
    assert row["demand_mean"] * row["lead_time"] + stock == pytest.approx(row["eoqss_r"], rel=1e-6)


# ---- how much to order


def order_up_to(position: int, s: int, S: int, **limits: int) -> policy.OrderQuantity:
    return policy.constrained(S - position if position <= s else 0, **limits)


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
    assert order_up_to(position, 50, most, moq=moq, multiple=multiple).qty == qty


def test_an_order_that_overshoots_says_what_made_it_so() -> None:
    order = order_up_to(40, 50, 60, moq=100, multiple=24)
    assert (order.raw, order.qty, order.binding) == (20, 120, "moq")
    assert order_up_to(-15, 50, 120, multiple=12).binding == "multiple"
    assert order_up_to(40, 50, 120).binding is None


@pytest.mark.parametrize(
    ("cap", "multiple", "qty"), [(100, 1, 80), (80, 1, 80), (79, 1, 79), (79, 12, 72), (11, 12, 11), (84, 12, 84)]
)
def test_a_cap_is_lowered_to_a_multiple_where_that_leaves_something(cap: int, multiple: int, qty: int) -> None:
    order = order_up_to(40, 50, 120, multiple=multiple, max_qty=cap)
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
            qty = order_up_to(left, s, S).qty
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


def test_tracking_signal() -> None:
    assert policy.tracking_signal([2, -1, 3, 2, 2, 2]) == pytest.approx(10 / (12 / 6))
    assert policy.tracking_signal([-4, -4, -4, -4, -4, -4]) == pytest.approx(-6)
    assert policy.tracking_signal([0, 0, 0]) == 0


# ---- available to promise and projected balances


def test_forward_minimum_of_the_published_example() -> None:
    supply, demand = [0, 0, 10, 0, 1, 3, 0], [3, 0, 0, 15, 0, 0, 0]
    assert projection.forward_minimum(projection.project(20, supply, demand)) == [12, 12, 12, 12, 13, 16, 16]


def test_balances_of_the_master_schedule() -> None:
    plan = example("atp-industrial-pumps.json")
    demand = list(map(max, plan["forecast"], plan["customer_orders"]))
    assert projection.project(plan["opening_stock"], plan["mps"], demand) == plan["projected_on_hand"]


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
    balances = projection.project(centre["on_hand"], receipts, centre["gross_requirements"])
    assert balances == centre["projected_on_hand"]
    transit = centre["transit_weeks"]
    releases = {
        str(week - transit): qty for week, qty in zip(centre["weeks"], receipts, strict=True) if week >= transit
    }
    planned = centre["planned_orders_by_release_week"]
    assert {week: releases.get(week, 0) for week in planned} == planned

"""A planner sets the policy of a row over HTTP, after having seen what it would change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.process import Stockline, event

ROW = {"sku": "85123A", "location": "LDS"}
PATH = "/v1/positions/85123A/LDS"
BEFORE = {"kind": "min_max", "min": 50, "max": 120}
AFTER = {"kind": "min_max", "min": 30, "max": 90}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stockline]:
    with Stockline(tmp_path_factory.mktemp("policies") / "data", "--clock", "log") as running:
        running.send(
            event("item.defined", "item", sku="85123A", base_unit="each"),
            event("policy.set", "policy", **ROW, policy=BEFORE, supplier="ACME"),
            event("goods.received", "grn-1", **ROW, receipt="7781", qty=40),
        )
        yield running


def call(engine: Stockline, path: str, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    answer = engine.post(path, body)
    assert answer.status == status, answer.body
    found: dict[str, Any] = answer.json
    return found


def test_what_a_policy_would_change_is_what_it_changes_and_nothing_before(engine: Stockline) -> None:
    policy = {**ROW, "policy": AFTER, "supplier": "ACME"}
    effect = call(engine, PATH + "/policy/preview", policy)
    assert [(effect[when]["s"], effect[when]["S"], effect[when]["qty"]) for when in ("before", "after")] == [
        (50, 120, 80),
        (30, 90, 0),
    ]
    row = engine.get(PATH)
    assert (row["policy"]["policy"], row["signal"]["qty"]) == (BEFORE, 80)

    after = call(engine, PATH + "/policy", {"by": "ann", "policy": policy})
    assert (after["policy"]["policy"], after["reorder"]["s"], after["signal"]) == (AFTER, 30, None)
    newest = engine.get(PATH + "/events")["items"][0]
    assert (newest["type"], newest["by"], newest["data"]) == ("policy.set", "ann", policy)


def test_a_policy_without_proposals_asks_for_nothing(engine: Stockline) -> None:
    effect = call(engine, PATH + "/policy/preview", {**ROW, "policy": {"kind": "none"}})
    assert effect["after"] is None


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/policy/preview", {**ROW, "policy": {"kind": "min_max", "min": 9, "max": 1}}, 400),
        ("/policy/preview", {**ROW, "sku": "22423", "policy": AFTER}, 400),
        ("/policy", {"policy": {**ROW, "policy": AFTER}}, 400),
        ("/policy", {"by": "ann", "policy": {**ROW, "policy": AFTER, "unit_cost": "-1"}}, 400),
    ],
)
def test_a_policy_without_sense_is_refused(engine: Stockline, path: str, body: dict[str, Any], status: int) -> None:
    assert call(engine, PATH + path, body, status)["reason"] == "invalid_body"


def test_what_a_policy_would_do_to_no_row_is_not_known(engine: Stockline) -> None:
    nowhere = {"sku": "85123A", "location": "YRK", "policy": AFTER}
    assert call(engine, "/v1/positions/85123A/YRK/policy/preview", nowhere, 404)["reason"] == "unknown_row"

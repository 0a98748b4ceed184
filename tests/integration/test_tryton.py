"""A real Tryton, read by the shipped commands: positions are the ERP's own, whoever is killed, whatever comes late."""

import random
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.integration.tryton_rig import Rig, running
from tests.real.tryton import Tryton
from tests.real.tryton_series import ALL_OF_THEM, CURRENT, LONG_SUPPORT

pytestmark = [pytest.mark.real, pytest.mark.slow]
SERIES = {"8.2": CURRENT, "7.0": LONG_SUPPORT} if ALL_OF_THEM else {"8.2": CURRENT}
both = pytest.mark.parametrize("rig", SERIES.values(), indirect=True, ids=SERIES.keys())


@pytest.fixture
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    series = getattr(request, "param", CURRENT)
    yield from running(lambda: Rig(tmp_path, Tryton(tmp_path / "tryton", series=series)))


@both
def test_positions_are_those_of_the_erp_at_every_step(rig: Rig) -> None:
    for step in (_count_and_buy, _receive_and_hold, _ship_and_take_back):
        step(rig)
    rig.erp.advance(days=3)
    rig.clerk.count("N-A1", **{"TEA-250": 27})
    rig.round()
    assert rig.row("TEA-250", "NORTH") == (27, 24, 36, 0)
    assert rig.on_hand() == rig.reported()
    assert rig.alerts("balance_drift") == []
    assert rig.engine.everything("/v1/dead-letters") == []


def _count_and_buy(rig: Rig) -> None:
    rig.clerk.count("N-A1", **{"BOLT-M8": 50, "TEA-250": 30, "FLOUR": 12.5})
    rig.clerk.buy("BETA", "NORTH", ("TEA-250", 5, "Case of 12"), ("FLOUR", 5.5, "Kilogram"))
    rig.clerk.draft("ALPHA", "NORTH", ("CUP-01", 9, "Unit"))
    rig.round()
    assert rig.row("BOLT-M8", "NORTH") == (50, 0, 0, 0)
    assert rig.row("TEA-250", "NORTH") == (30, 0, 60, 0), "cases are counted in the base unit"
    assert rig.row("FLOUR", "NORTH") == (12_500, 0, 5_500, 0), "kilograms are grams, exactly"
    assert rig.row("CUP-01", "NORTH") == (0, 0, 0, 0), "a draft is not on order"


def _receive_and_hold(rig: Rig) -> None:
    clerk, erp = rig.clerk, rig.erp
    clerk.confirm(erp.one("purchase.purchase", ["state", "=", "draft"]))
    clerk.receive(erp.one("purchase.purchase", ["party.code", "=", "BETA"]), 2, 5.5, bin_="N-Q")
    clerk.move("N-A1", "N-A2", "BOLT-M8", 10)
    clerk.move("N-A2", "N-Q", "BOLT-M8", 3)
    rig.round()
    assert rig.row("TEA-250", "NORTH") == (30, 24, 36, 0), "a part has come, into a held bin"
    assert rig.row("FLOUR", "NORTH") == (12_500, 5_500, 0, 0)
    assert rig.row("BOLT-M8", "NORTH") == (47, 3, 0, 0), "a move between bins is none, one into a held bin holds"
    assert rig.row("CUP-01", "NORTH") == (0, 0, 9, 0)


def _ship_and_take_back(rig: Rig) -> None:
    clerk, start = rig.clerk, rig.erp.clock.now().date()
    until = start + timedelta(days=2)
    shipment = clerk.shipment("N-A1", "S-A1", "BOLT-M8", 6, planned_start_date=start, planned_date=until)
    for button in ("wait", "assign_force", "pack", "ship"):
        clerk.do("stock.shipment.internal", button, shipment)
    clerk.issue("NORTH", "BOLT-M8", 8)
    clerk.move("N-Q", "N-A1", "BOLT-M8", 1)
    rig.round()
    assert rig.row("BOLT-M8", "NORTH") == (34, 2, 0, 0)
    assert rig.row("BOLT-M8", "SOUTH") == (0, 0, 0, 6), "what left one warehouse is in transit to the other"
    clerk.do("stock.shipment.internal", "do", shipment)
    clerk.take_back("NORTH", "BOLT-M8", 1)
    rig.round()
    assert rig.row("BOLT-M8", "SOUTH") == (6, 0, 0, 0)


@both
def test_reversals_and_returns_keep_the_position_right(rig: Rig) -> None:
    clerk = rig.clerk
    clerk.count("N-A1", **{"CUP-01": 20, "BOLT-M8": 9})
    clerk.receive_move(clerk.buy("GAMMA", "NORTH", ("CUP-01", 10, "Unit")), 6)
    clerk.send_back("GAMMA", "N-A1", "CUP-01", 5)
    rig.round()
    assert rig.row("CUP-01", "NORTH") == (21, 0, 4, 0), "what went back is not owed again"
    clerk.cancel(["from_location.type", "=", "supplier"])
    clerk.cancel(["product.code", "=", "BOLT-M8"])
    rig.round()
    assert rig.row("CUP-01", "NORTH") == (15, 0, 10, 0), "the receipt is taken back, and the line owes it again"
    assert rig.row("BOLT-M8", "NORTH") == (0, 0, 0, 0), "what was counted by mistake is gone"
    assert rig.on_hand() == rig.reported()
    rig.round()
    assert rig.engine.get("/v1/kpis")["events"]["receipt.reversed"] == 1
    assert rig.engine.everything("/v1/dead-letters") == []
    assert rig.alerts("balance_drift") == []


@both
def test_an_order_follows_its_purchase_back_to_a_draft_and_to_its_end(rig: Rig) -> None:
    clerk, due = rig.clerk, date(2026, 3, 20)
    purchase = clerk.buy("ALPHA", "SOUTH", ("CUP-01", 12, "Unit"), due=due)
    rig.round()
    order = rig.engine.get("/v1/positions/CUP-01/SOUTH")["orders"][0]
    assert (order["due"], order["ordered"]) == (due.isoformat(), 12)
    clerk.write(
        "stock.move",
        rig.erp.one("stock.move", ["origin", "like", "purchase.line,%"]),
        planned_date=due + timedelta(days=5),
    )
    rig.round()
    assert rig.engine.get("/v1/positions/CUP-01/SOUTH")["orders"][0]["due"] == "2026-03-25"
    clerk.receive(purchase, 12)
    rig.round()
    assert rig.row("CUP-01", "SOUTH") == (12, 0, 0, 0)
    counts = rig.engine.get("/v1/kpis")["events"]
    assert (counts["order.placed"], counts["order.changed"], counts["order.closed"]) == (1, 1, 1), counts
    point = rig.erp.one("stock.order_point", ["product.code", "=", "CUP-01"])
    rig.erp.rpc("model.stock.order_point.delete", [point])
    rig.round()
    assert rig.engine.get("/v1/positions/CUP-01/SOUTH")["policy"]["policy"]["kind"] == "none"


def test_what_is_changed_behind_the_erps_back_is_found_with_its_cause(rig: Rig) -> None:
    rig.clerk.count("N-A1", **{"BOLT-M8": 40, "TEA-250": 24})
    rig.clerk.count("S-A1", **{"CUP-01": 8})
    rig.round()
    assert rig.alerts("balance_drift") == []
    rig.erp.advance(days=1)
    rig.clerk.count("N-A1", FLOUR=2)
    moved = {each["product."]["code"]: each["id"] for each in rig.erp.find("stock.move", [], "product.code")}
    rig.erp.sql("UPDATE stock_move SET quantity = 480, internal_quantity = 480 WHERE id = ?", moved["BOLT-M8"])
    rig.erp.sql("DELETE FROM stock_move WHERE id = ?", moved["CUP-01"])
    rig.round()
    found = {(each["sku"], each["location"]): each["evidence"] for each in rig.alerts("balance_drift")}
    assert set(found) == {("BOLT-M8", "NORTH"), ("CUP-01", "SOUTH")}
    changed, deleted = found["BOLT-M8", "NORTH"], found["CUP-01", "SOUTH"]
    assert (changed["reported"], changed["kept"], changed["causes"][0]["cause"]) == (480, 40, "unit_factor")
    assert (deleted["reported"], deleted["kept"], deleted["causes"][0]["cause"]) == (0, 8, "not_posted")
    assert f"move-{moved['CUP-01']}" in str(deleted["causes"][0]["events"])
    rig.erp.sql("UPDATE stock_move SET quantity = 40, internal_quantity = 40 WHERE id = ?", moved["BOLT-M8"])
    rig.round()
    assert {each["sku"] for each in rig.alerts("balance_drift")} == {"CUP-01"}


def test_nothing_is_counted_twice_whoever_is_killed(rig: Rig) -> None:
    draw = random.Random(8)
    rig.run()
    clerk = rig.clerk
    for number in range(4):
        clerk.count("N-A1", **{"BOLT-M8": 100 + number})
        clerk.receive(clerk.buy("ALPHA", "NORTH", ("CUP-01", 5, "Unit")), 3)
        time.sleep(draw.uniform(0, 0.5))
        (rig.kill_connector, rig.restart_engine, rig.restart_erp)[number % 3]()
        if number == 0:
            rig.run()
    rig.kill_connector()
    rig.round()
    assert rig.on_hand() == rig.reported()
    assert rig.row("CUP-01", "NORTH")[:3] == (12, 0, 8)
    assert rig.alerts("balance_drift") == []
    assert rig.engine.everything("/v1/dead-letters") == []

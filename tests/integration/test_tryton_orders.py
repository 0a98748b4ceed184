"""Signals become draft purchases of a real Tryton by the shipped commands: one line each, whoever is killed."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests.integration.process import COMMAND, ROOT, environment
from tests.integration.tryton_rig import Rig, running
from tests.real.tryton_rpc import Refused
from tests.real.tryton_world import PASSWORD

pytestmark = [pytest.mark.real, pytest.mark.slow]

ORDERS = """
auto = { max_qty = 1000000 }
promises = true

[orders]
attempts = 2
retry_seconds = 0.2
longest_retry_seconds = 0.5
"""
LINE = (
    "note", "quantity", "unit.name", "unit_price", "delivery_date", "product.code",
    "purchase.state", "purchase.number", "purchase.reference", "purchase.party.code", "purchase.warehouse.code",
)  # fmt: skip
Row = tuple[str, str]


class Orders(Rig):
    """A rig whose connector pushes signals."""

    def profile(self) -> Path:
        path = super().profile()
        path.write_text(path.read_text() + ORDERS)
        return path

    def rounds(self, count: int = 2) -> None:
        """A round tells what is there, the next one acts on the signals that follow."""
        for _ in range(count):
            self.round()

    def signals(self) -> dict[Row, dict[str, Any]]:
        """The latest signal of each row."""
        found = sorted(self.engine.everything("/v1/signals"), key=lambda each: str(each["opened"]))
        return {(each["sku"], each["location"]): each for each in found}

    def lines(self) -> dict[Row, list[dict[str, Any]]]:
        """The lines of all purchases by item and warehouse."""
        found: dict[Row, list[dict[str, Any]]] = {}
        for each in self.erp.find("purchase.line", [], *LINE):
            row = each["product."]["code"], each["purchase."]["warehouse."]["code"]
            found.setdefault(row, []).append(each)
        return found

    def line(self, sku: str, location: str) -> dict[str, Any]:
        """The only line of a row."""
        (found,) = self.lines()[sku, location]
        return found

    def step(self, on_hand: int, on_order: int, days: float = 1) -> None:
        """The cups in the south, on hand and on order; all that is on hand is what Tryton reports. Days go by."""
        self.rounds()
        row = self.row("CUP-01", "SOUTH")
        assert (row[0] + row[1], row[2]) == (on_hand, on_order)
        assert self.on_hand() == self.reported()
        assert self.alerts("balance_drift") == []
        self.erp.advance(days=days)

    def moves(self, line: str) -> list[tuple[float, str]]:
        """Quantities and planned dates of a purchase line's moves."""
        found = self.erp.find("stock.move", [["origin", "=", f"purchase.line,{line}"]], "quantity", "planned_date")
        return sorted((each["quantity"], each["planned_date"].isoformat()) for each in found)

    def events(self) -> dict[str, int]:
        counts: dict[str, int] = self.engine.get("/v1/kpis")["events"]
        return counts

    def opened(self) -> int:
        """How many signals have opened so far."""
        return sum(self.engine.get("/v1/kpis")["signals"]["opened"].values())


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Orders]:
    yield from running(lambda: Orders(tmp_path))


def test_signals_become_lines_of_drafts_and_follow_them(rig: Orders) -> None:
    clerk = rig.clerk
    clerk.count("N-A1", **{"BOLT-M8": 10, "TEA-250": 12, "FLOUR": 12.5})
    rig.rounds()
    tea, flour, bolts = (rig.line(sku, "NORTH") for sku in ("TEA-250", "FLOUR", "BOLT-M8"))
    assert (tea["quantity"], tea["unit."]["name"], str(tea["unit_price"])) == (7.0, "Case of 12", "2.1000")
    assert (flour["quantity"], flour["unit."]["name"]) == (67.5, "Kilogram")
    assert (bolts["quantity"], bolts["purchase."]["reference"]) == (90.0, "stockline ALPHA NORTH")
    assert tea["purchase."]["id"] == flour["purchase."]["id"], "signals of one supplier join one draft"
    assert {each["purchase."]["state"] for own in rig.lines().values() for each in own} == {"draft"}
    signal = rig.signals()["TEA-250", "NORTH"]
    there = "erp", str(tea["purchase."]["id"]), str(tea["id"])
    assert (signal["draft"]["system"], signal["draft"]["document"], signal["draft"]["line"]) == there
    assert rig.row("TEA-250", "NORTH")[2] == 0, "a draft is no supply"

    clerk.count("N-A1", **{"TEA-250": 0})
    clerk.count("N-A2", **{"BOLT-M8": 60})
    rig.rounds()
    assert rig.line("TEA-250", "NORTH")["quantity"] == 8.0, "an amended signal changes its line"
    assert ("BOLT-M8", "NORTH") not in rig.lines(), "the line of a withdrawn signal is gone, and its empty draft"
    assert rig.signals()["BOLT-M8", "NORTH"]["status"] == "withdrawn"
    assert rig.events()["signal.draft_gone"] == 1

    rig.erp.advance(days=5)
    clerk.count("S-Q", **{"BOLT-M8": 1})
    rig.rounds()
    assert [len(own) for own in rig.lines().values()] == [1, 1], "a draft that is left alone yields no second one"
    follow_an_order(rig, tea)


def follow_an_order(rig: Orders, tea: dict[str, Any]) -> None:
    """A person confirms the draft of the tea: its signal is ordered, under the name of the line.

    The engine hears of the order by whichever of two ways is faster, days after it heard of anything else.
    """
    rig.erp.advance(days=5)
    rig.clerk.confirm(tea["purchase."]["id"])
    rig.rounds()
    signal, number = rig.signals()["TEA-250", "NORTH"], rig.line("TEA-250", "NORTH")["purchase."]["number"]
    assert (signal["status"], signal["order"]) == ("ordered", number)
    assert rig.row("TEA-250", "NORTH")[2] == 96
    assert rig.opened() == 4, "the bolts, the tea, the flour, and the cups, of which nothing was counted: each row once"
    assert rig.signals()["FLOUR", "NORTH"]["status"] == "ordered"
    (order,) = rig.engine.get("/v1/positions/TEA-250/NORTH")["orders"]
    assert (order["order"], order["line"]) == (number, str(tea["id"])), "the signal and the order name the same line"
    assert rig.engine.everything("/v1/dead-letters") == []
    assert len(rig.lines()["TEA-250", "NORTH"]) == 1


def test_a_draft_that_a_person_deletes_or_copies_is_theirs(rig: Orders) -> None:
    rig.clerk.count("S-A1", **{"CUP-01": 2})
    rig.rounds()
    cups = rig.line("CUP-01", "SOUTH")
    (copy,) = rig.erp.rpc("model.purchase.purchase.copy", [cups["purchase."]["id"]], login="clerk")
    rig.round()
    copies = rig.lines()["CUP-01", "SOUTH"]
    assert [each["purchase."]["id"] for each in copies] == [cups["purchase."]["id"], copy], "a copy is not ours"
    rig.erp.rpc("model.purchase.purchase.delete", [cups["purchase."]["id"]], login="clerk")
    rig.rounds(3)
    assert [each["purchase."]["id"] for each in rig.lines()["CUP-01", "SOUTH"]] == [copy]
    assert rig.events()["signal.draft_gone"] == 1


def test_what_the_erp_refuses_is_an_alert_until_it_is_mended(rig: Orders) -> None:
    rig.clerk.count("N-A1", **{"BOLT-M8": 5, "TEA-250": 5})
    template = rig.erp.one("product.template", ["code", "=", "BOLT-M8"])
    rig.erp.rpc("model.product.template.write", [template], {"purchasable": False})
    deadline = time.monotonic() + 300
    while not (alerts := rig.alerts("push_failed")):
        rig.round()
        assert time.monotonic() < deadline
    (alert,) = alerts
    assert (alert["sku"], alert["evidence"]["system"]) == ("BOLT-M8", "erp")
    assert "Tryton refuses" in alert["evidence"]["detail"]
    assert set(rig.lines()) == {("TEA-250", "NORTH")}, "it costs only itself"
    rig.erp.rpc("model.product.template.write", [template], {"purchasable": True})
    while rig.alerts("push_failed"):
        time.sleep(0.3)
        rig.round()
        assert time.monotonic() < deadline
    assert rig.line("BOLT-M8", "NORTH")["quantity"] == 95.0
    assert rig.signals()["BOLT-M8", "NORTH"]["draft"] is not None


def kill_again_and_again(rig: Orders) -> None:
    """End the connector, the engine and the ERP in turn while signals open, change and are withdrawn."""
    draw = random.Random(9)
    rig.run()
    for number in range(9):
        with suppress(OSError, HTTPException, Refused):
            # Each round of counts amends, withdraws and opens signals while somebody dies.
            rig.clerk.count("N-A1", **{"BOLT-M8": 60 * (number % 2) + number, "TEA-250": 12 * (number % 3)})
            rig.clerk.count("S-A1", **{"CUP-01": 20 * (number % 2) + number})
        time.sleep(draw.uniform(0, 1.2))
        victim = number % 3
        (rig.kill_connector, rig.restart_engine, rig.restart_erp)[victim]()
        if victim == 0:
            if number == 3:
                shutil.rmtree(rig.folder / "state")
            rig.run()
    rig.kill_connector()


def test_a_signal_has_one_line_whoever_is_killed(rig: Orders) -> None:
    rig.clerk.count("N-A1", FLOUR=12.5)
    kill_again_and_again(rig)
    for row in (("N-A1", "BOLT-M8"), ("S-A1", "CUP-01")):
        rig.clerk.count(row[0], **{row[1]: 3})
    rig.rounds(3)
    shutil.rmtree(rig.folder / "state")
    rig.rounds(3)
    lines = rig.lines()
    assert {row: len(own) for row, own in lines.items()} == dict.fromkeys(
        [("BOLT-M8", "NORTH"), ("TEA-250", "NORTH"), ("FLOUR", "NORTH"), ("CUP-01", "SOUTH")], 1
    )
    for row, signal in rig.signals().items():
        (line,) = lines[row]
        assert f"[stockline {signal['id']} {signal['qty']} " in line["note"]
        assert (signal["status"], signal["draft"]["line"]) == ("open", str(line["id"]))
    assert len({line["purchase."]["id"] for (line,) in lines.values()}) == 3
    assert rig.engine.everything("/v1/dead-letters") == []
    assert rig.on_hand() == rig.reported()


def test_four_connectors_at_once_leave_one_line(rig: Orders) -> None:
    rig.clerk.count("N-A1", **{"TEA-250": 12, "FLOUR": 12.5})
    rig.round()
    states = [rig.folder / f"state-{number}" for number in range(4)]
    for state in states:
        # Each finds the signals, and none knows of the others.
        shutil.copytree(rig.folder / "state", state)
    environ = environment() | {"ERP_PASSWORD": PASSWORD}
    command = [*COMMAND, "connectors", "run", str(rig.profile()), "--once", "--state"]
    running = [subprocess.Popen([*command, str(state)], cwd=ROOT, env=environ) for state in states]
    for each in running:
        each.wait(240)
    rig.rounds()
    lines = rig.lines()
    assert {row: len(own) for row, own in lines.items()} == {("TEA-250", "NORTH"): 1, ("FLOUR", "NORTH"): 1}
    assert len(rig.erp.find("purchase.purchase", [])) == 1
    for row, signal in rig.signals().items():
        assert signal["draft"]["line"] == str(rig.line(*row)["id"])


def test_weeks_of_a_closed_loop_keep_the_position_right(rig: Orders) -> None:
    """Shortage, signal, draft, order, a part comes, a receipt is reversed, goods go back: each step as in the ERP."""
    clerk, sku = rig.clerk, ("CUP-01", "SOUTH")
    step = rig.step

    clerk.count("S-A1", **{"CUP-01": 40})
    step(40, 0)
    assert rig.signals() == {}
    clerk.issue("SOUTH", "CUP-01", 34)
    step(6, 0)
    draft = rig.line(*sku)
    assert (draft["quantity"], draft["purchase."]["state"]) == (54.0, "draft"), "six are left, sixty is the target"
    signal = rig.signals()[sku]
    purchase = draft["purchase."]["id"]
    clerk.confirm(purchase)
    step(6, 54, days=6)
    assert rig.signals()[sku]["status"] == "ordered"
    clerk.receive_move(purchase, 30)
    step(36, 24, days=2)
    clerk.cancel(["from_location.type", "=", "supplier"])
    step(6, 54)
    clerk.receive(purchase, 54)
    step(60, 0, days=3)
    clerk.send_back("ALPHA", "S-A1", "CUP-01", 12)
    step(48, 0, days=5)
    clerk.issue("SOUTH", "CUP-01", 40)
    step(8, 0)
    order_again(rig, sku, signal, purchase)


def order_again(rig: Orders, sku: Row, signal: dict[str, Any], purchase: int) -> None:
    """The second shortage is a signal and a draft of its own."""
    again = rig.signals()[sku]
    assert (again["qty"], again["status"]) == (52, "open")
    assert again["id"] != signal["id"]
    first, second = rig.lines()[sku]
    assert (first["purchase."]["id"], first["quantity"]) == (purchase, 54.0)
    assert (second["quantity"], second["purchase."]["state"]) == (52.0, "draft")
    assert rig.engine.everything("/v1/dead-letters") == []

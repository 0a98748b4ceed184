"""What suppliers acknowledge and announce, by any source, becomes the planned dates of a real Tryton."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.integration.process import event
from tests.integration.test_tryton_orders import Orders
from tests.integration.tryton_rig import running

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Orders]:
    yield from running(lambda: Orders(tmp_path))


def test_what_suppliers_promise_moves_the_dates_of_the_erp(rig: Orders) -> None:
    (sku, location), clerk = ("CUP-01", "SOUTH"), rig.clerk
    clerk.count("S-A1", **{sku: 40})
    purchase = clerk.buy("ALPHA", location, (sku, 12, "Unit"), due=date(2026, 3, 20))
    rig.round()
    (order,) = rig.engine.get(f"/v1/positions/{sku}/{location}")["orders"]
    line = {"order": order["order"], "line": order["line"], "sku": sku, "location": location}

    def say(kind: str, **data: Any) -> None:
        now = rig.erp.clock.now().isoformat()
        rig.engine.send(event(kind, f"{kind} {now}", now, "partner/ALPHA", **line, **data))
        rig.rounds(2)

    assert rig.moves(order["line"]) == [(12.0, "2026-03-20")]
    schedule = [("changed", 5, "2026-03-24"), ("backordered", 7, "2026-03-30")]
    say("order.acknowledged", schedule=[{"status": s, "qty": q, "due": d} for s, q, d in schedule])
    assert rig.moves(order["line"]) == [(5.0, "2026-03-24"), (7.0, "2026-03-30")], "two parts split the move"
    (known,) = rig.engine.get(f"/v1/positions/{sku}/{location}")["orders"]
    assert (known["ordered"], known["due"]) == (12, "2026-03-20"), "what we wrote is no news of the ERP's"
    assert [alert["evidence"]["promised"] for alert in rig.alerts("late_supply")] == ["2026-03-30"]
    say("shipment.notified", shipment="ASN-1", qty=5, eta="2026-03-26")
    assert rig.moves(order["line"]) == [(5.0, "2026-03-26"), (7.0, "2026-03-30")]
    late = rig.erp.one("stock.move", ["origin", "=", f"purchase.line,{line['line']}"], ["quantity", "=", 7])
    clerk.write("stock.move", late, planned_date=date(2026, 4, 8))
    rig.rounds()
    assert rig.moves(order["line"]) == [(5.0, "2026-03-26"), (7.0, "2026-04-08")], "a person's date stays for now"
    clerk.receive(purchase, 5, 7)
    rig.round()
    assert (rig.row(sku, location), rig.engine.everything("/v1/dead-letters")) == ((52, 0, 0, 0), [])

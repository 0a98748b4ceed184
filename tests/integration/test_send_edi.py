"""EDI through the shipped command: what a supplier and a warehouse say arrives in the positions, once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.process import Stockline, event, stockline

DOCUMENTS = Path(__file__).parents[1] / "data" / "edi"
AT = "2026-02-26T10:00:00+01:00"


def send(engine: Stockline, path: Path, partner: str = "partner") -> str:
    """Send a document; the first line that the command writes."""
    ran = stockline("send", str(path), "--profile", str(DOCUMENTS / f"{partner}.toml"), "--url", engine.url, "--state",
                    str(path.parent))  # fmt: skip
    return ran.stdout.decode().splitlines()[0].rpartition(": ")[2]


def lamp(engine: Stockline) -> dict[str, Any]:
    """What the row of the lamps has."""
    engine.get("/v1/sync?wait=10")
    row = engine.get("/v1/positions/LAMP-7/LDS")
    return {name: row[name] for name in ("available", "held", "on_order", "in_transit", "reserved")}


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    with Stockline(tmp_path / "data", "--clock", "log") as running:
        events = [
            event("item.defined", "i-1", AT, sku="LAMP-7", base_unit="piece"),
            event("item.defined", "i-2", AT, sku="BULB-2", base_unit="piece", units={"case": 12}),
            event("order.placed", "o-1", AT, order="PO-1009", line=10, sku="LAMP-7", location="LDS",
                  supplier="NORDLICHT", qty=48, due="2026-03-05"),
            event("order.placed", "o-2", AT, order="PO-1009", line=20, sku="BULB-2", location="LDS",
                  supplier="NORDLICHT", qty=120, due="2026-03-05"),
        ]  # fmt: skip
        file = tmp_path / "orders.ndjson"
        file.write_text("".join(json.dumps(each) + "\n" for each in events))
        assert stockline("send", str(file), "--url", running.url).returncode == 0
        yield running


def test_a_shipment_is_notified_replaced_received_and_never_counted_twice(engine: Stockline, tmp_path: Path) -> None:
    for name in ("acknowledgement", "ship-notice", "ship-notice-replaced", "warehouse"):
        (tmp_path / f"{name}.x12").write_bytes((DOCUMENTS / f"{name}.x12").read_bytes())
    assert send(engine, tmp_path / "acknowledgement.x12") == "3 accepted, 0 refused, 1 broken"
    assert send(engine, tmp_path / "ship-notice.x12") == "2 accepted, 0 refused, 0 broken"
    assert lamp(engine) == {"available": 0, "held": 0, "on_order": 0, "in_transit": 48, "reserved": 0}

    again = tmp_path / "again.x12"
    again.write_bytes((DOCUMENTS / "ship-notice.x12").read_bytes().replace(b"000000071", b"000000081"))
    assert send(engine, again) == "0 accepted, 2 duplicates, 0 refused, 0 broken"
    assert send(engine, tmp_path / "ship-notice-replaced.x12") == "2 accepted, 0 refused, 0 broken"
    assert lamp(engine) == {"available": 0, "held": 0, "on_order": 6, "in_transit": 42, "reserved": 0}

    sent = send(engine, tmp_path / "warehouse.x12")
    assert sent.startswith("4 accepted"), sent
    assert lamp(engine)["available"] == 35
    assert lamp(engine)["held"] == 6

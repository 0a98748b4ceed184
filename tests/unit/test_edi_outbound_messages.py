"""Forecasts, receipts and orders of signals that go out by EDI, and the answers of the partner."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from connectors.edi.envelopes import Envelopes, Transaction
from connectors.edi.functional import answers
from connectors.edi.outbound.journal import Journal
from connectors.edi.outbound.ordering import order_of
from connectors.edi.scanner import Scanner
from connectors.profiles import Unreachable
from tests.unit import edi_documents as edi
from tests.unit.edi_partner import START, Desk


def transactions(text: bytes) -> list[Transaction]:
    return [found for found in Envelopes(Scanner(io.BytesIO(text))) if isinstance(found, Transaction)]


@pytest.mark.parametrize("standard", ["x12", "edifact"])
async def test_a_forecast_is_sent_once_for_each_of_its_versions(standard: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path, standard=standard, forecasts=True)
    buckets = [{"start": "2026-03-02", "days": 7, "qty": 70}, {"start": "2026-03-09", "days": 1, "qty": 3}]
    for sku, supplier in (("LAMP-7", "NORDLICHT"), ("BULB-2", "NORDLICHT"), ("CABLE", "ANOTHER")):
        desk.engine.say("policy.set", 1, sku=sku, supplier=supplier)
        desk.engine.say("forecast.revised", 2, sku=sku, version="v1")
        desk.engine.forecasts[sku, "LDS"] = {"version": "v1", "deltas": [], "buckets": buckets}
    await desk.round()
    desk.engine.forecasts["LAMP-7", "LDS"] = {"version": "v1", "deltas": [], "buckets": buckets[1:]}
    desk.engine.say("stock.issued", 3, qty=1)
    await desk.round()
    assert desk.kinds == ["000000001-forecast"]
    desk.engine.say("forecast.revised", 4, version="d1")
    desk.engine.forecasts["LAMP-7", "LDS"] = {"version": "v1", "deltas": ["d1"], "buckets": buckets}
    await desk.round()
    assert desk.kinds == ["000000001-forecast", "000000002-forecast"]
    said = "70@2026-03-02+7 3@2026-03-09+1"
    assert [(row[0], row[3], row[4]) for row in desk.read()] == [
        ("forecast.revised", "BULB-2", said),
        ("forecast.revised", "LAMP-7", said),
        ("forecast.revised", "LAMP-7", said),
    ]  # fmt: skip


async def test_forecasts_that_were_there_before_the_profile_asked_for_them_are_sent(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.engine.order(1, 10, 48)
    desk.engine.say("policy.set", 2, supplier="NORDLICHT")
    desk.engine.say("forecast.revised", 3, version="v1")
    bucket = {"start": "2026-03-02", "days": 7, "qty": 70}
    desk.engine.forecasts["LAMP-7", "LDS"] = {"version": "v1", "deltas": [], "buckets": [bucket]}
    await desk.round()
    desk.profile = desk.profile.model_copy(update={"forecasts": True})
    await desk.round()
    assert desk.kinds == ["000000001-order", "000000002-forecast"]


async def test_signals_become_orders_where_no_other_system_orders(tmp_path: Path) -> None:
    desk = Desk(tmp_path, orders_from="signals")
    signal: dict[str, Any] = {"id": "sig-0123456789abcdef0123", "sku": "LAMP-7", "location": "LDS", "qty": 60,
                              "supplier": "NORDLICHT", "due": "2026-03-20", "updated": START}  # fmt: skip
    desk.engine.listed = [
        {**signal, "status": "accepted", "disposition": "review"},
        {**signal, "id": "sig-1", "status": "open", "disposition": "auto"},
        {**signal, "id": "sig-2", "status": "open", "disposition": "review"},
        {**signal, "id": "sig-3", "status": "accepted", "disposition": "auto", "supplier": "ANOTHER"},
    ]
    batches = await desk.round()
    events = [event for batch in batches for event in batch.events]
    assert [json.loads(event)["data"]["signal"] for event in events] == ["sig-1", signal["id"]]
    assert [event for batch in await desk.round() for event in batch.events] == events
    assert len(order_of(signal["id"])) == 22


async def test_a_folder_of_what_came_in_that_is_away_holds_up_no_order(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    (tmp_path / "partner" / "in").rmdir()
    desk.engine.order(1, 10, 48)
    with pytest.raises(Unreachable, match="No such file"):
        await desk.round()
    assert desk.kinds == ["000000001-order"]


RECEIPT = (
    "ISA*00*          *00*          *ZZ*SUPPLIER       *ZZ*BUYER          *260303*1000*U*00401*000000007*0*P*>~"
    "GS*FA*SUPPLIER*BUYER*20260303*1000*7*X*004010~ST*997*0001~AK1*PO*1~AK2*850*0001~AK5*{0}~AK9*{0}*1*1*1~SE*6*0001~"
    "GE*1*7~IEA*1*000000007~"
)


@pytest.mark.parametrize(("code", "works"), [("A", True), ("E", True), ("R", False)])
async def test_a_receipt_of_the_partner_is_matched_with_what_was_sent(code: str, works: bool, tmp_path: Path) -> None:
    desk = Desk(tmp_path, overdue_hours=1e-9)
    desk.engine.order(1, 10, 48)
    await desk.round()
    journal = Journal(desk.profile.journal)
    before = desk.outgoing(journal).findings()[-1]
    assert (before.works, "1 (order PO-1)" in before.detail) == (False, True)
    journal.close()
    (tmp_path / "partner" / "in" / "answer.x12").write_text(RECEIPT.format(code))
    await desk.round()
    journal = Journal(desk.profile.journal)
    after = desk.outgoing(journal).findings()[-1]
    assert (after.works, "rejected" in after.detail and "PO-1" in after.detail) == (works, not works)
    journal.close()
    assert desk.kinds == ["000000001-order"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ship-notice.x12", ["AK1*SH*71~", "AK2*856*0001~", "AK5*A~", "AK9*A*1*1*1~"]),
        ("acknowledgement.x12", ["AK1*PR*", "AK2*855*0001~", "AK5*E*5~", "AK9*E*1*1*1~"]),
        ("customer-order.edi", ["UCI+", "UCM+"]),
    ],
)
async def test_what_came_in_gets_one_receipt_that_says_what_became_of_it(
    name: str, said: list[str], tmp_path: Path
) -> None:
    text = (edi.OWN / name).read_bytes()
    (sender,) = {each.sender for each in transactions(text)}
    standard = "x12" if name.endswith(".x12") else "edifact"
    desk = Desk(tmp_path, standard=standard, theirs={"id": sender})
    (tmp_path / "partner" / "in" / name).write_bytes(text)
    (tmp_path / "partner" / "in" / f"{name}.receipt.json").write_text("{}")
    for _ in range(2):
        await desk.round()
    assert desk.kinds == ["000000001-receipt"]
    (written,) = desk.files.values()
    for part in said:
        assert part in written.decode()
    told = [answer.message for each in transactions(written) for answer in answers(each) if answer.message]
    assert told == [each.control for each in transactions(text)]

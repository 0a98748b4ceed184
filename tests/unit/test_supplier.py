"""The supplier's calls: its own lines and nothing of anybody else's, and what it says of them as events of its own."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession

from engine.core.errors import UsageError
from engine.web.sharing import Share, read_sharing
from tests.unit.test_refused_records import serving

TIME = "2026-03-02T09:00:00Z"
ACME, OTHER = "?supplier=ACME", "?supplier=OTHER"
SECRETS = ("PO-2", "B:9", "760193", "OTHER")
"""What stands only in the orders of the other supplier."""


def event(kind: str, name: str, **data: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "source": "erp", "id": name, "type": kind, "time": TIME, "data": data}


LINE = {"sku": "A-1", "location": "LDS", "due": "2026-03-22"}
STORY = [
    event("item.defined", "i1", sku="A-1", base_unit="each", description="=Tin, red"),
    event("stock.counted", "c1", sku="A-1", location="LDS", qty=5),
    event("policy.set", "p1", sku="A-1", location="LDS", supplier="ACME", policy={"kind": "none"}, unit_cost="4.20"),
    event("policy.set", "p2", sku="A-1", location="YRK", supplier="ACME", policy={"kind": "none"}),
    event("stock.counted", "c2", sku="A-1", location="YRK", qty=5),
    *(
        event("forecast.revised", f"f-{location}", sku="A-1", location=location, version="v1", mode="replace",
              buckets=[{"start": "2026-03-02", "days": 7, "qty": 30}, {"start": "2026-05-04", "days": 7, "qty": 31}])
        for location in ("LDS", "YRK")
    ),
    event("order.placed", "o1", **LINE | {"due": "2026-03-20"}, order="PO-1", line=1, supplier="ACME", qty=40),
    event("order.placed", "o2", **LINE | {"location": "YRK"}, order="PO-1", line=2, supplier="ACME", qty=12),
    event("order.placed", "o3", **LINE | {"sku": "B:9"}, order="PO-2", line=1, supplier="OTHER", qty=760193),
    event("stock.counted", "c3", sku="B:9", location="LDS", qty=0),
]  # fmt: skip


@asynccontextmanager
async def acme() -> AsyncIterator[ClientSession]:
    async with serving() as client:
        async with client.post("/v1/events", json=STORY) as answer:
            assert (await answer.json())["refused"] == []
        yield client


async def call(client: ClientSession, method: str, path: str, body: object = None) -> tuple[int, Any]:
    async with client.request(method, path, json=body) as answer:
        return answer.status, await answer.json(content_type=None)


async def lines(client: ClientSession, who: str = ACME) -> dict[tuple[str, str], dict[str, Any]]:
    status, page = await call(client, "GET", f"/v1/supplier/lines{who}")
    assert status == 200
    return {(line["order"], line["line"]): line for line in page["items"]}


async def test_a_supplier_sees_its_own_open_lines_without_cost_or_stock() -> None:
    async with acme() as client:
        own = await lines(client)
        assert own.keys() == {("PO-1", "1"), ("PO-1", "2")}
        line = own["PO-1", "1"]
        assert (line["ordered"], line["due"], line["description"], line["unit"]) == (
            40,
            "2026-03-20",
            "=Tin, red",
            "each",
        )
        assert (line["open"], line["schedule"], line["shipments"]) == (40, [], [])
        said = json.dumps([*own.values()])
        assert not [secret for secret in (*SECRETS, "4.2", "on_hand", "cost") if secret in said]
        assert (await lines(client, OTHER)).keys() == {("PO-2", "1")}
        assert (await call(client, "GET", "/v1/supplier/lines"))[0] == 400
        assert (await lines(client, "?supplier=NOBODY")) == {}


async def test_it_confirms_splits_and_rejects_and_the_same_again_changes_nothing() -> None:
    async with acme() as client:
        schedule = [
            {"status": "accepted", "qty": 20},
            {"status": "changed", "qty": 12, "due": "2026-03-27"},
            {"status": "rejected", "qty": 8},
        ]
        said = {"lines": [{"order": "PO-1", "line": 1, "schedule": schedule}]}
        path = f"/v1/supplier/acknowledgements{ACME}"
        status, done = await call(client, "POST", path, said)
        assert (status, done["accepted"], done["refused"]) == (200, 1, 0)
        told = [each["status"] for each in (await lines(client))["PO-1", "1"]["schedule"]]
        assert told == ["accepted", "changed", "rejected"]
        events = "/v1/positions/A-1/LDS/events"
        newest = (await call(client, "GET", events))[1]["items"][0]
        assert (newest["type"], newest["source"]) == ("order.acknowledged", "supplier/ACME")
        count = (await call(client, "GET", events))[1]["total"]
        assert (await call(client, "POST", path, said))[1]["accepted"] == 1
        assert (await call(client, "GET", events))[1]["total"] == count, "the same again is no event"
        alerts = (await call(client, "GET", "/v1/alerts?status=open"))[1]["items"]
        assert "short_ack" in {alert["kind"] for alert in alerts}, "the planner is told"


async def test_a_line_of_a_long_order_is_found_on_whichever_page_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.web.calls.supplier.PORTION", 1)
    async with acme() as client:
        schedule = [{"status": "accepted", "qty": 12}]
        said = {"lines": [{"order": "PO-1", "line": line, "schedule": schedule} for line in (1, 2)]}
        done = (await call(client, "POST", f"/v1/supplier/acknowledgements{ACME}", said))[1]
        assert (done["accepted"], done["refused"]) == (2, 0)


@pytest.mark.parametrize("order", ["PO-2", "PO-99"])
async def test_a_line_that_is_not_its_own_is_answered_as_one_that_does_not_exist(order: str) -> None:
    async with acme() as client:
        schedule = [{"status": "rejected", "qty": 760193}]
        for path, said in (
            ("acknowledgements", {"lines": [{"order": order, "line": 1, "schedule": schedule}]}),
            ("shipments", {"shipment": "S-1", "lines": [{"order": order, "line": 1, "qty": 5}]}),
        ):
            status, done = await call(client, "POST", f"/v1/supplier/{path}{ACME}", said)
            [line] = done["lines"]
            assert (status, line["accepted"], line["reason"]) == (200, False, "unknown_line")
            assert line["detail"] == f"you have no line 1 of an order {order}"
        assert (await lines(client, OTHER))["PO-2", "1"]["schedule"] == []
        assert (await call(client, "GET", "/v1/dead-letters"))[1]["total"] == 0, "nothing was written"


async def test_a_shipment_is_announced_once() -> None:
    async with acme() as client:
        said = {"shipment": "S-1", "eta": "2026-03-18", "lines": [{"order": "PO-1", "line": 1, "qty": 25}]}
        path = f"/v1/supplier/shipments{ACME}"
        for _ in range(2):
            assert (await call(client, "POST", path, said))[1]["accepted"] == 1
        line = (await lines(client))["PO-1", "1"]
        assert (line["in_transit"], line["open"]) == (25, 15)
        other = said | {"lines": [{"order": "PO-1", "line": 1, "qty": 26}]}
        [refused] = (await call(client, "POST", path, other))[1]["lines"]
        assert refused["reason"] == "shipment_known"
        twice = {"shipment": "S-2", "lines": [{"order": "PO-1", "line": n, "qty": 1} for n in (1, "1")]}
        assert (await call(client, "POST", path, twice))[0] == 400


async def test_what_is_sent_twice_at_once_is_one_shipment() -> None:
    async with acme() as client:
        said = {"shipment": "S-1", "lines": [{"order": "PO-1", "line": 1, "qty": 25}]}
        sent = [call(client, "POST", f"/v1/supplier/shipments{ACME}", said) for _ in range(4)]
        assert [done["accepted"] for _, done in await asyncio.gather(*sent)] == [1] * 4
        assert (await lines(client))["PO-1", "1"]["in_transit"] == 25


@pytest.mark.parametrize("row", ["PO-1,1,,", "PO\x1f1,1,accepted,5"])
async def test_a_file_without_an_answer_to_a_line_of_its_own_changes_nothing(row: str) -> None:
    async with acme() as client:
        body = f"order,line,status,qty\n{row}\n".encode()
        async with client.post(f"/v1/supplier/upload{ACME}", data=body) as answer:
            done = await answer.json()
        assert (answer.status, done["accepted"]) == (200, 0)
        assert [line["reason"] for line in done["lines"]] == ["unknown_line"] * done["refused"]


async def test_the_file_is_downloaded_filled_in_and_uploaded() -> None:
    async with acme() as client:
        async with client.get(f"/v1/supplier/lines{ACME}&format=csv") as answer:
            rows = list(csv.DictReader(io.StringIO(await answer.text())))
        assert [row["description"] for row in rows] == ["'=Tin, red"] * 2, "a spreadsheet must not run it"
        rows[0] |= {"status": "accepted", "qty": "40", "shipment": "S-7", "shipped": "40", "eta": "2026-03-19"}
        rows[1] |= {"status": "perhaps", "qty": "1"}
        rows += [rows[0] | {"order": "PO-2", "line": "1"}, rows[1] | {"status": "", "shipment": "S-8", "shipped": "x"}]
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
        async with client.post(f"/v1/supplier/upload{ACME}", data=text.getvalue().encode()) as answer:
            done = await answer.json()
        told = sorted((line["row"], line["accepted"], line.get("reason")) for line in done["lines"])
        assert told == [
            (2, True, None), (2, True, None), (3, False, "invalid_row"),
            (4, False, "unknown_line"), (4, False, "unknown_line"), (5, False, "invalid_row"),
        ]  # fmt: skip
        assert (done["accepted"], done["refused"]) == (2, 4)
        assert (await lines(client))["PO-1", "1"]["in_transit"] == 40


async def test_a_file_that_is_uploaded_as_it_was_downloaded_says_nothing() -> None:
    async with acme() as client:
        async with client.get(f"/v1/supplier/lines{ACME}&format=csv") as answer:
            untouched = await answer.read()
        async with client.post(f"/v1/supplier/upload{ACME}", data=untouched) as answer:
            assert (answer.status, await answer.json()) == (200, {"accepted": 0, "refused": 0, "lines": []})


@pytest.mark.parametrize("body", [b"", b"\xff", b"sku,qty\nA,1\n"])
async def test_what_is_no_such_file_is_refused_with_a_sentence(body: bytes) -> None:
    async with acme() as client, client.post(f"/v1/supplier/upload{ACME}", data=body) as answer:
        problem = await answer.json(content_type=None)
    assert (answer.status, problem["reason"]) == (400, "unreadable_body")


def test_nothing_is_shared_but_what_the_file_names(tmp_path: Any) -> None:
    assert read_sharing(None).suppliers == {}
    path = tmp_path / "sharing.toml"
    path.write_text('[suppliers.ACME]\nweeks = 8\nlocations = ["LDS"]\nskus = ["A-*"]\n')
    share = read_sharing(path).suppliers["ACME"]
    assert share == Share(8, ("LDS",), ("A-*",))
    assert (share.has("A-1", "LDS"), share.has("A-1", "YRK"), share.has("B:9", "LDS")) == (True, False, False)
    for broken in ("[suppliers.ACME]\nweeks = 0\n", "[suppliers.ACME]\nmonths = 1\n", "x = ["):
        path.write_text(broken)
        with pytest.raises(UsageError, match=r"sharing\.toml"):
            read_sharing(path)
    with pytest.raises(UsageError, match="cannot be read"):
        read_sharing(tmp_path / "none")

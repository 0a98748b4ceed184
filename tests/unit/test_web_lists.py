"""Lists: pages, order, filters and search agree with the plain reading of what they say."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict

from engine.columns import columns
from engine.core.outputs import ShownDraft
from engine.core.values import moment
from engine.web import query
from engine.web.problems import Problem
from tests.unit.fake_service import NOW, FakeService
from tests.unit.web_client import Site, site

DAY = 86_400_000_000


@pytest.fixture
async def web() -> AsyncIterator[Site]:
    async with site() as running:
        yield running


async def get(web: Site, path: str) -> tuple[int, Any]:
    async with web.client.get(path) as answer:
        return answer.status, await answer.json(content_type=None)


async def all_pages(web: Site, path: str) -> tuple[list[Any], set[int]]:
    items, totals, cursor = [], set(), ""
    while True:
        status, page = await get(web, path + cursor)
        assert status == 200
        items += page["items"]
        totals.add(page["total"])
        if page["next"] is None:
            return items, totals
        cursor = f"&cursor={page['next']}"


def fill(service: FakeService, rows: int, seed: int = 7) -> None:
    chance = random.Random(seed)
    for number in range(rows):
        service.receive(f"S{number % 40:02}", f"L{number:03}", chance.randrange(20), NOW + number * DAY)


async def test_positions_come_by_sku_and_location(web: Site) -> None:
    fill(web.service, 250)
    items, totals = await all_pages(web, "/v1/positions?limit=100")
    names = [(item["sku"], item["location"]) for item in items]
    assert names == sorted(names)
    assert (len(names), totals) == (250, {250})


async def test_a_page_is_followed_by_another_only_where_there_is_more(web: Site) -> None:
    fill(web.service, 3)
    assert (await get(web, "/v1/positions?limit=3"))[1]["next"] is None
    assert (await get(web, "/v1/positions?limit=2"))[1]["next"] is not None
    assert (await get(web, "/v1/positions"))[1]["total"] == 3


async def test_an_empty_list_is_a_list(web: Site) -> None:
    for path in ("positions", "signals", "alerts", "dead-letters", "order-lines"):
        fresh = {"as_of": None, "lag_seconds": 0.0}
        assert await get(web, f"/v1/{path}") == (200, {"items": [], "next": None, "total": 0} | fresh)


@pytest.mark.parametrize("order", ["available", "-available", "updated", "-updated", "location", "-sku"])
async def test_every_order_gives_each_row_once_with_any_page_size(web: Site, order: str) -> None:
    fill(web.service, 90)
    items, _ = await all_pages(web, f"/v1/positions?sort={order}&limit=17")
    field, down = order.removeprefix("-"), order.startswith("-")
    whole = (await get(web, "/v1/positions?limit=1000"))[1]["items"]
    expected = sorted(whole, key=lambda row: (row[field], row["sku"], row["location"]), reverse=down)
    assert items == expected


@pytest.mark.parametrize(
    ("query", "keeps"),
    [
        ("sku=S07", lambda row: row["sku"] == "S07"),
        ("sku=S07&sku=S09", lambda row: row["sku"] in ("S07", "S09")),
        ("sku=S07&location=L047", lambda row: row["location"] == "L047"),
        ("available=3", lambda row: row["available"] == 3),
        ("available.min=3&available.max=9", lambda row: 3 <= row["available"] <= 9),
        ("updated.min=2026-03-20T00:00:00Z", lambda row: row["updated"] >= "2026-03-20"),
        ("q=s0", lambda row: row["sku"].startswith("S0")),
        ("q=L04&available.min=5", lambda row: row["location"].startswith("L04") and row["available"] >= 5),
        ("sku=none", lambda _row: False),
    ],
)
async def test_a_filter_keeps_what_it_says_and_counts_it(web: Site, query: str, keeps: Any) -> None:
    fill(web.service, 120)
    whole = (await get(web, "/v1/positions?limit=1000"))[1]["items"]
    items, totals = await all_pages(web, f"/v1/positions?limit=4&{query}")
    assert items == [row for row in whole if keeps(row)]
    assert totals == {len(items)}


async def test_signals_come_newest_first_and_what_has_no_value_last_or_first(web: Site) -> None:
    for number, supplier in enumerate(["B", None, "A", None]):
        web.service.open_signal(f"sig-{number}", supplier=supplier, updated=f"2026-03-0{number + 1}T00:00:00Z")
    newest, _ = await all_pages(web, "/v1/signals?limit=1")
    assert [item["id"] for item in newest] == ["sig-3", "sig-2", "sig-1", "sig-0"]
    by_supplier, _ = await all_pages(web, "/v1/signals?limit=1&sort=supplier")
    assert [item["id"] for item in by_supplier] == ["sig-1", "sig-3", "sig-2", "sig-0"]
    descending, _ = await all_pages(web, "/v1/signals?limit=1&sort=-supplier")
    assert descending == by_supplier[::-1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("draft.system=tryton", ["sig-1", "sig-2"]),
        ("draft.document=PO-2&draft.system=tryton", ["sig-2"]),
        ("draft.since.max=2026-03-02T00:00:00Z", ["sig-1"]),
        ("snoozed_until.min=1970-01-01T00:00:00Z", ["sig-0"]),
        ("sort=-draft.since&draft.system=tryton", ["sig-2", "sig-1"]),
        ("sort=draft.since&limit=1000", ["sig-0", "sig-1", "sig-2"]),
    ],
)
async def test_signals_are_filtered_and_sorted_by_their_draft_and_snooze(
    web: Site, query: str, found: list[str]
) -> None:
    web.service.open_signal("sig-0", snoozed_until=moment(NOW), snoozed_by="ann")
    web.service.open_signal("sig-1", draft=ShownDraft("tryton", "PO-1", "1", moment(NOW - DAY)))
    web.service.open_signal("sig-2", draft=ShownDraft("tryton", "PO-2", None, moment(NOW)))
    items, totals = await all_pages(web, f"/v1/signals?{query}")
    assert sorted(item["id"] for item in items) == sorted(found)
    assert totals == {len(found)}
    if "sort" in query:
        assert [item["id"] for item in items] == found
        paged, _ = await all_pages(web, f"/v1/signals?{query.replace('&limit=1000', '')}&limit=1")
        assert paged == items


async def test_signals_are_filtered_by_owner(web: Site) -> None:
    web.service.open_signal("sig-1", owner="bob")
    web.service.open_signal("sig-2")
    assert [item["id"] for item in (await get(web, "/v1/signals?owner=bob"))[1]["items"]] == ["sig-1"]


async def test_alerts_are_filtered_by_owner(web: Site) -> None:
    web.service.open_alert("al-1", owner="bob")
    web.service.open_alert("al-2")
    assert [item["id"] for item in (await get(web, "/v1/alerts?owner=bob"))[1]["items"]] == ["al-1"]


async def test_alerts_are_filtered_by_kind_and_status(web: Site) -> None:
    web.service.open_alert("al-1")
    web.service.open_alert("al-2", kind="late_supply")
    web.service.open_alert("al-3", status="resolved")
    status, page = await get(web, "/v1/alerts?kind=negative_stock&status=open&status=acknowledged")
    assert (status, [item["id"] for item in page["items"]], page["total"]) == (200, ["al-1"], 1)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=1001", "limit=x", "limit=-1", "limit=", "limit=" + "9" * 5000, "sort=nothing", "sort=",
        "sort=--sku", "cursor=x", "cursor=!!", "cursor=W10", "cursor=bnVsbA", "nothing=1", "sku.least=3",
        "available=x", "available=1.5",
        "updated.min=yesterday", "updated.min=2026-03-20T00:00:00", "available.min=1&available.min=2", "sku.min.max=1",
    ],
)  # fmt: skip
async def test_a_parameter_without_sense_is_a_400(web: Site, query: str) -> None:
    fill(web.service, 3)
    status, problem = await get(web, f"/v1/positions?{query}")
    assert (status, problem["reason"]) == (400, "invalid_parameter")


async def test_a_cursor_belongs_to_its_order(web: Site) -> None:
    fill(web.service, 5)
    cursor = (await get(web, "/v1/positions?limit=2&sort=available"))[1]["next"]
    assert (await get(web, f"/v1/positions?limit=2&cursor={cursor}"))[0] == 400
    assert (await get(web, f"/v1/positions?sort=updated&cursor={cursor}"))[0] == 400
    assert (await get(web, f"/v1/positions?sort=available&cursor={cursor}"))[0] == 200


async def test_very_long_things_make_a_shorter_page(web: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "MAX_PAGE_BYTES", 2000)
    fill(web.service, 20)
    first = (await get(web, "/v1/positions?limit=20"))[1]
    assert 1 <= len(first["items"]) < 10
    assert len((await all_pages(web, "/v1/positions?limit=20"))[0]) == 20


async def test_names_of_any_kind_are_found_by_path_and_filter(web: Site) -> None:
    for sku in ("a/b", "50%", "ü?x#y", "a+b", "%2F", "..", "x y", "*"):
        web.service.receive(sku, "L/1", 4)
        path = f"/v1/positions/{quote(sku, safe='')}/{quote('L/1', safe='')}"
        reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 200 "), (sku, answer)
        page = (await get(web, f"/v1/positions?sku={quote(sku, safe='')}"))[1]
        assert [item["sku"] for item in page["items"]] == [sku]


@given(st.text(max_size=60))
def test_no_text_is_a_cursor_that_breaks_anything(text: str) -> None:
    with pytest.raises(Problem):
        query.parse("signals", MultiDict({"cursor": text}))


def test_a_cursor_of_another_value_type_is_refused() -> None:
    with pytest.raises(Problem):
        query.parse("signals", MultiDict({"cursor": query.cursor("-updated", ["no time"], "x")}))

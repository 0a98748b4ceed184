"""Lists as grids, spreadsheets and charts ask for them: offset, several orders, CSV, aggregates."""

import csv
import io
from collections.abc import AsyncIterator

import pytest

from engine.columns import columns
from engine.columns.columns import Freshness
from engine.core.outputs import Alert, Signal
from engine.core.values import moment
from engine.web import query
from engine.web.answers import ListedAlert, ListedPosition, ListedSignal, OrderLine
from tests.unit.test_web_lists import fill, get
from tests.unit.web_client import Site, site


@pytest.fixture
async def web() -> AsyncIterator[Site]:
    async with site() as running:
        yield running


async def test_an_offset_leads_into_the_middle_and_says_how_many_there_are(web: Site) -> None:
    fill(web.service, 50)
    whole = (await get(web, "/v1/positions?sort=-available,sku&limit=1000"))[1]
    assert [(-item["available"], item["sku"]) for item in whole["items"]] == sorted(
        (-item["available"], item["sku"]) for item in whole["items"]
    )
    page = (await get(web, "/v1/positions?sort=-available,sku&offset=20&limit=7"))[1]
    assert (page["items"], page["total"]) == (whole["items"][20:27], 50)
    after = (await get(web, f"/v1/positions?sort=-available,sku&limit=7&cursor={page['next']}"))[1]
    assert after["items"] == whole["items"][27:34]
    beyond = (await get(web, "/v1/positions?offset=2000000000"))[1]
    assert (beyond["items"], beyond["next"], beyond["total"]) == ([], None, 50)


@pytest.mark.parametrize(
    "query", ["offset=-1", "offset=x", "offset=1&cursor=W10", "sort=sku,", "sort=" + ",".join(["sku"] * 9),
              "q=x&format=xml", "columns=sku", "format=csv&columns=none", "format=csv&cursor=x",
              "value=NaN", "value.min=x", "s=1.5",
              "stockout_date=soon", "days_of_cover.max=inf", "&".join(["sku=A"] * 1001)],
)  # fmt: skip
async def test_an_absurd_question_is_a_400_with_a_sentence(web: Site, query: str) -> None:
    status, problem = await get(web, f"/v1/positions?{query}")
    assert (status, problem["reason"]) == (400, "invalid_parameter")
    assert len(problem["detail"].split()) > 3


async def test_a_csv_has_the_same_rows_in_the_chosen_columns(web: Site) -> None:
    fill(web.service, 30)
    listed = (await get(web, "/v1/positions?sort=-available&available.min=5&limit=1000"))[1]["items"]
    question = "sort=-available&available.min=5&columns=sku,available,updated"
    async with web.client.get(f"/v1/positions?{question}", headers={"Accept": "text/csv"}) as answer:
        assert answer.headers["Content-Type"].startswith("text/csv")
        rows = list(csv.reader(io.StringIO(await answer.text())))
    assert rows[0] == ["sku", "available", "updated"]
    assert rows[1:] == [[item["sku"], str(item["available"]), item["updated"]] for item in listed]
    async with web.client.get(f"/v1/positions?{question}&format=csv&offset=2&limit=3") as answer:
        assert list(csv.reader(io.StringIO(await answer.text()))) == [rows[0], *rows[3:6]]


async def test_a_csv_of_everything_names_every_field_and_runs_no_formula(web: Site) -> None:
    for sku in ("=1+1", "@SUM(A1)", "+1", "-1", "a=b"):
        web.service.receive(sku, "L", 4)
    async with web.client.get("/v1/positions?format=csv") as answer:
        rows = list(csv.DictReader(io.StringIO(await answer.text())))
    assert [row["sku"] for row in rows] == ["'+1", "'-1", "'=1+1", "'@SUM(A1)", "a=b"]
    assert set(rows[0]) == set(query.FIELDS["positions"])
    assert {row["unit_cost"] for row in rows} == {""}


async def test_aggregates_count_and_add_up_what_a_filter_keeps(web: Site) -> None:
    fill(web.service, 80)
    rows = (await get(web, "/v1/positions?available.min=3&limit=1000"))[1]["items"]
    answer = (await get(web, "/v1/aggregates?by=sku&sum=available&min=updated&max=available&available.min=3"))[1]
    assert answer["total"] == len({row["sku"] for row in rows})
    for group in answer["items"]:
        mine = [row for row in rows if row["sku"] == group["group"]["sku"]]
        assert group == {
            "group": {"sku": mine[0]["sku"]},
            "count": len(mine),
            "sum": {"available": sum(row["available"] for row in mine)},
            "min": {"updated": min(row["updated"] for row in mine)},
            "max": {"available": max(row["available"] for row in mine)},
        }
    sums = [group["sum"]["available"] for group in answer["items"]]
    assert sums == sorted(sums, reverse=True)
    few = (await get(web, "/v1/aggregates?by=sku,location&limit=5"))[1]
    assert (len(few["items"]), few["total"]) == (5, 80)
    assert (await get(web, "/v1/aggregates?table=alerts"))[1]["items"] == [{"group": {}, "count": 0}]


@pytest.mark.parametrize(
    "query",
    ["table=none", "by=none", "by=sku,location,version", "sum=sku", "sum=updated", "max=location", "none=1", "limit=0",
     "table=alerts&by=sku&sum=available"],
)  # fmt: skip
async def test_an_aggregate_that_makes_no_sense_is_a_400(web: Site, query: str) -> None:
    status, problem = await get(web, f"/v1/aggregates?{query}")
    assert (status, problem["reason"]) == (400, "invalid_parameter")


async def test_a_list_that_is_being_made_ready_asks_to_come_again(web: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.columns.loading.WAIT_SECONDS", 0.01)
    web.context.lists = columns.Columns(web.service.bus, lambda _marker: 0, lambda _at: 0.0)
    async with web.client.get("/v1/alerts") as answer:
        assert (answer.status, (await answer.json(content_type=None))["reason"]) == (503, "loading")
        assert int(answer.headers["Retry-After"]) > 0


def test_the_answers_of_lists_are_described_with_all_their_fields() -> None:
    for table, answer in (("positions", ListedPosition), ("order-lines", OrderLine)):
        assert set(answer.__struct_fields__) == set(query.FIELDS[table])
    for table, more, published in (("signals", ListedSignal, Signal), ("alerts", ListedAlert, Alert)):
        joined = set(more.__struct_fields__) - set(published.__struct_fields__)
        assert {"description", "unit_cost", "currency", "value"} <= joined <= set(query.FIELDS[table])


LISTS = ("positions?limit=2", "signals", "alerts", "dead-letters", "dead-letter-answers", "order-lines",
         "aggregates?by=location&sum=available")  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
async def test_a_list_that_says_the_same_is_not_sent_again(web: Site, path: str) -> None:
    fill(web.service, 3)
    web.service.open_signal("sig-1")
    web.service.open_alert("al-1")
    async with web.client.get(f"/v1/{path}") as first:
        tag, headers = first.headers["ETag"], first.headers
    assert tag.startswith("W/")
    assert (headers["Cache-Control"], headers["Vary"]) == ("private, no-cache", "Accept")
    for known, status in ((tag, 304), (f'"x", {tag}', 304), ("*", 304), ('W/"x"', 200)):
        async with web.client.get(f"/v1/{path}", headers={"If-None-Match": known}) as again:
            assert (again.status, again.headers["ETag"]) == (status, tag)
            assert (await again.read() == b"") == (status == 304)


async def test_the_tag_of_a_list_is_another_when_it_says_something_else(web: Site) -> None:
    fill(web.service, 3)

    async def tag(path: str) -> str:
        async with web.client.get(f"/v1/{path}") as answer:
            assert answer.status == 200
            return str(answer.headers["ETag"])

    paths = ["positions?limit=2", "positions?limit=1", "positions?location=L002", "aggregates?by=sku", "alerts"]
    before = [await tag(path) for path in paths]
    assert len(set(before)) == len(paths)
    web.service.receive("S02", "L002", 1)  # the third row: no other page has it
    after = [await tag(path) for path in paths]
    assert [one != other for one, other in zip(before, after, strict=True)] == [False, False, True, False, False]
    web.service.receive("S09", "L9", 1)  # `total` and `next` are part of what a page says
    assert await tag("positions?limit=2") != after[0]
    assert await tag("aggregates?by=sku") != after[3]


async def test_how_fresh_a_list_is_does_not_change_its_tag(web: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(web.service, 3)
    tags, fresh = set(), []
    for age in (0.5, 7.0):
        told = Freshness(moment(int(age * 1e6)), age)
        monkeypatch.setattr(web.service.columns, "freshness", lambda told=told: told)
        async with web.client.get("/v1/positions") as answer:
            tags.add(answer.headers["ETag"])
            fresh.append((await answer.json(content_type=None))["lag_seconds"])
    assert (len(tags), fresh) == (1, [0.5, 7.0])

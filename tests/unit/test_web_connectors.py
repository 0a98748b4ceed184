"""`/v1/connectors`: what connectors report is kept within bounds, shown, and exposed as metrics."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from engine.web.connectors import MAX_CONNECTORS, ConnectorBoard, ConnectorReport, PartReport
from tests.unit.web_client import Site, site

PART = {
    "events": 12, "duplicates": 2, "rejected": 1, "untranslated": 3, "skipped": 4, "rounds": 5, "failures": 6,
    "last_success": "2026-03-02T06:00:00Z", "lag_seconds": 7.5, "error": "the ERP is away",
}  # fmt: skip


def report(name: str = "erp", **more: Any) -> dict[str, Any]:
    fields = {
        "kind": "tryton",
        "source": "tryton/erp",
        "status": "running",
        "every_seconds": 10,
        "parts": {"source moves": PART},
    }
    return {"name": name, **fields, **more}


async def put(running: Site, body: Any, name: str = "erp", **headers: str) -> tuple[int, Any]:
    async with running.client.put(f"/v1/connectors/{name}", json=body, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_a_report_is_shown_alone_and_in_the_list() -> None:
    async with site() as running:
        status, shown = await put(running, report(new_field="of a later version"))
        assert status == 200
        assert shown["parts"]["source moves"].items() >= (PART | {"last_success": "2026-03-02T06:00:00Z"}).items()
        await put(running, report("abc", status="failing", detail="why"), "abc")
        async with running.client.get("/v1/connectors/erp") as answer:
            assert (await answer.json())["status"] == "running"
        async with running.client.get("/v1/connectors") as answer:
            listed = await answer.json()
        assert [each["name"] for each in listed["items"]] == ["abc", "erp"]
        assert (listed["total"], listed["next"]) == (2, None)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (report("other"), "erp"),
        (report("Not-A-Name"), "Not-A-Name"),
        (report(status="silent"), "erp"),
        (report(every_seconds=0), "erp"),
        (report(parts={str(number): {} for number in range(101)}), "erp"),
        (report(parts={"p": {"events": -1}}), "erp"),
        (report(detail="x" * 2001), "erp"),
        ({}, "erp"),
    ],
)
async def test_a_report_that_is_none_is_refused(body: Any, name: str) -> None:
    async with site() as running:
        status, problem = await put(running, body, name)
        assert (status, problem["reason"]) == (400, "invalid_body")
        async with running.client.get(f"/v1/connectors/{name}") as answer:
            assert (answer.status, (await answer.json())["reason"]) == (404, "unknown_connector")


async def test_a_page_of_a_foreign_site_may_not_report() -> None:
    async with site() as running:
        status, problem = await put(running, report(), Origin="http://evil.example")
        assert (status, problem["reason"]) == (403, "foreign_origin")


async def test_the_figures_are_metrics() -> None:
    async with site() as running:
        await put(running, report())
        async with running.client.get("/metrics") as answer:
            text = await answer.text()
    labels = 'connector="erp",part="source moves"'
    lines = text.splitlines()
    assert 'stockline_connector_status{connector="erp",kind="tryton",status="running"} 1.0' in lines
    assert f"stockline_connector_failures{{{labels}}} 6.0" in lines
    assert f"stockline_connector_lag_seconds{{{labels}}} 7.5" in lines
    assert any(line.startswith("stockline_connector_last_success_seconds{") for line in lines)
    for outcome, count in {"accepted": 10, "duplicate": 2, "rejected": 1, "untranslated": 3}.items():
        assert (
            f'stockline_connector_events_total{{connector="erp",outcome="{outcome}",part="source moves"}} {count}.0'
            in lines
        )


def said(name: str, status: Literal["running", "stopped"] = "running") -> ConnectorReport:
    return ConnectorReport(name=name, kind="k", source="s", status=status, every_seconds=10, parts={"p": PartReport()})


def test_a_connector_that_ceases_to_report_is_silent_but_not_one_that_was_stopped() -> None:
    now = 1000.0
    board = ConnectorBoard(lambda: now)
    board.put(said("erp"))
    board.put(said("done", "stopped"))
    now += 30
    assert [each.status for each in board.all()] == ["stopped", "running"]
    now += 0.1
    assert [each.status for each in board.all()] == ["stopped", "silent"]
    board.put(said("erp"))
    assert [each.status for each in board.all()] == ["stopped", "running"]
    assert [figure.status for figure in board.figures()] == ["stopped", "running"]


def test_of_too_many_the_one_that_reported_longest_ago_is_dropped() -> None:
    board = ConnectorBoard()
    for number in range(MAX_CONNECTORS):
        board.put(said(f"c{number}"))
    board.put(said("c0"))
    board.put(said("new"))
    assert len(board.all()) == MAX_CONNECTORS
    assert board.get("c1") is None
    assert board.get("c0") is not None

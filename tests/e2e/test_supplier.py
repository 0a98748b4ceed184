"""The supplier's page: what a supplier says there is an event of its own source, and the planner sees what it means."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.e2e.browser import grave_findings, opened
from tests.integration.process import Stockline

NOT_YET = ("404",)
"""Without logins nobody is asked who it is."""


def unanswered(engine: Stockline) -> tuple[str, list[dict[str, Any]]]:
    """A supplier with lines that it has not confirmed, of more than one unit each."""
    groups = engine.get("/v1/aggregates?table=order-lines&by=supplier&status=open")["items"]
    for name in (group["group"]["supplier"] for group in groups):
        lines = engine.get(f"/v1/supplier/lines?supplier={quote(name)}&limit=1000")["items"]
        waiting = [line for line in lines if not line["schedule"] and line["ordered"] > 1]
        if len(waiting) > 2:
            return name, waiting
    raise AssertionError("every line of the week is confirmed")


def newest(engine: Stockline, line: dict[str, Any], kind: str) -> dict[str, Any]:
    events = engine.get(f"/v1/positions/{line['sku']}/{line['location']}/events")["items"]
    return next(event for event in events if event["type"] == kind)


def at(page: Page, line: dict[str, Any]) -> Any:
    return page.get_by_role("listitem", name=f"Order {line['order']}, line {line['line']}", exact=True)


def promise_one_less(page: Page, short: dict[str, Any]) -> None:
    """By keyboard: the line is found, opened, and all but one unit is promised."""
    page.keyboard.press("/")
    page.keyboard.type(short["order"])
    page.keyboard.press("Enter")
    expect(page.locator("#orders [data-line]")).to_have_count(1)
    at(page, short).focus()
    page.keyboard.press("j")
    page.keyboard.press("e")
    page.get_by_label("Quantity").fill(str(short["ordered"] - 1))
    page.keyboard.press("Enter")
    expect(at(page, short).locator("[data-status=accepted]")).to_be_visible()


def test_what_a_supplier_says_is_in_the_log_and_before_the_planner(browser: Browser, engine: Stockline) -> None:
    name, [whole, short, sent, *_] = unanswered(engine)
    with opened(browser, engine.url, expected=NOT_YET) as page:
        page.goto("/supplier")
        page.select_option("select[name=supplier]", name)
        at(page, whole).get_by_role("button", name="Confirm").click()
        expect(at(page, whole).locator("[data-status=accepted]")).to_be_visible()
        promise_one_less(page, short)

        page.goto(f"/supplier?supplier={name.replace('&', '%26')}&q={sent['order']}")
        at(page, sent).get_by_role("button", name="Announce").click()
        page.get_by_label("Shipment number").fill("E2E-1")
        page.keyboard.press("Enter")
        expect(at(page, sent)).to_contain_text("E2E-1")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert grave_findings(page) == []

    for line, kind in ((whole, "order.acknowledged"), (short, "order.acknowledged"), (sent, "shipment.notified")):
        event = newest(engine, line, kind)
        assert event["source"] == f"supplier/{name}"
        assert (event["data"]["order"], event["data"]["line"]) == (line["order"], line["line"])
    row = f"sku={short['sku']}&location={short['location']}"
    alerts = engine.get(f"/v1/alerts?status=open&kind=short_ack&{row}")["items"]
    assert alerts, "the planner is told that a unit is missing"


def test_a_file_is_answered_row_by_row(browser: Browser, engine: Stockline) -> None:
    name, [line, *_] = unanswered(engine)
    own = f"{line['order']},{line['line']},accepted,{line['ordered']}"
    rows = ["order,line,status,qty", own, "NO-SUCH,1,accepted,5"]
    file = FilePayload(name="lines.csv", mimeType="text/csv", buffer="\n".join(rows).encode())
    with opened(browser, engine.url, "dark", 390, expected=NOT_YET) as page:
        page.goto("/supplier")
        page.select_option("select[name=supplier]", name)
        expect(page.locator("#orders [data-line]").first).to_be_visible()
        page.locator("#file").set_input_files([file])
        outcomes = page.locator("dialog[data-dialog=outcomes]")
        expect(outcomes).to_contain_text("Refused: you have no line 1 of an order NO-SUCH")
        expect(outcomes.locator("[data-accepted=true]")).to_have_count(1)
        assert grave_findings(page) == []
        page.keyboard.press("Escape")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert newest(engine, line, "order.acknowledged")["source"] == f"supplier/{name}"

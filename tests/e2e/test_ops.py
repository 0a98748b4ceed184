"""The page of operations: a dead letter is mended and replayed, another is discarded, and the log says who did it."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import grave_findings, opened
from tests.integration.process import Stockline

BROKEN = (
    b'{"specversion":"1.0","source":"e2e-wms","id":"%s","type":"stock.counted","time":"2011-03-08T10:00:00Z",'
    b'"data":{"sku":"E2E","location":"UK-WHS","qty":"seven"}}'
)


def mend(page: Page) -> None:
    page.get_by_role("button", name="Show: invalid event, e2e-wms").click()
    page.get_by_role("button", name="Open dead letter mend").click()
    event = page.get_by_label("The event")
    event.fill(event.input_value().replace('"seven"', "7"))
    page.get_by_role("button", name="Replay", exact=True).click()
    expect(page.get_by_text("It was taken.")).to_be_visible()


def drop(page: Page) -> None:
    page.get_by_role("button", name="Show: invalid event, e2e-wms").click()
    page.get_by_role("button", name="Open dead letter drop").click()
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("alert").filter(has_text="Say in the note")).to_be_visible()
    page.get_by_label("Note").fill("a test of the scanner")
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("It is discarded.")).to_be_visible()
    expect(page.get_by_role("button", name="Show: invalid event, e2e-wms")).to_have_count(0)


def test_dead_letters_are_mended_replayed_and_discarded(browser: Browser, engine: Stockline) -> None:
    engine.call("POST", "/v1/events", BROKEN % b"mend" + b"\n" + BROKEN % b"drop", "application/x-ndjson")
    with opened(browser, engine.url) as page:
        page.goto("/ops")
        page.evaluate("localStorage.setItem('stockline.name', '\"Ola\"')")
        page.reload()
        expect(page.locator("#flow tbody tr")).to_have_count(8)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert grave_findings(page) == []

        page.get_by_role("button", name="Try: invalid event, e2e-wms").click()
        page.keyboard.press("Enter")
        expect(page.locator("[data-part=outcome]")).to_have_text("Would be taken: 0. Would be refused again: 2.")
        page.keyboard.press("Escape")

        mend(page)
        drop(page)

    assert engine.get("/v1/positions/E2E/UK-WHS")["on_hand"] == 7
    answers = engine.get("/v1/dead-letter-answers?by=Ola")["items"]
    assert {(each["status"], each.get("note")) for each in answers} == {
        ("replayed", None),
        ("discarded", "a test of the scanner"),
    }

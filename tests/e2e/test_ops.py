"""The page of operations: a dead letter is mended and replayed, another is discarded, and the log says who did it."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import grave_findings, opened
from tests.integration.process import Stockline

BROKEN = (
    b'{"specversion":"1.0","source":"e2e-wms","id":"%s","type":"stock.counted","time":"2011-03-08T10:00:00Z",'
    b'"data":{"sku":"E2E","location":"UK-WHS","qty":"seven"}}'
)


UNMAPPED = (
    b'{"specversion":"1.0","source":"edi/e2e","id":"orders/17","type":"record.refused","time":"2011-03-08T10:00:00Z",'
    b'"data":{"connector":"edi-e2e","reason":"unmapped_identifier","detail":"no item for 4711","place":"a.edi",'
    b'"record":"PO1*1"}}'
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
        expect(page.locator("#flow tbody tr")).to_have_count(7)
        expect(page.locator("#flow-partitions tbody tr")).to_have_count(7 * 8)
        expect(page.locator("#sources tr", has_text="e2e-wms")).to_contain_text("invalid event")
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


def test_records_that_a_connector_must_translate_name_the_command_that_takes_them_again(
    browser: Browser, engine: Stockline
) -> None:
    engine.call("POST", "/v1/events", UNMAPPED, "application/x-ndjson")
    with opened(browser, engine.url) as page:
        page.goto("/ops")
        page.get_by_role("button", name="Try: unmapped identifier, edi/e2e").click()
        page.keyboard.press("Enter")
        expect(page.locator("[data-part=outcome]")).to_contain_text("stockline connectors replay edi-e2e")


def test_an_example_is_copied_and_can_be_sent(browser: Browser, engine: Stockline) -> None:
    with opened(browser, engine.url) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto("/ops")
        page.get_by_label("type", exact=True).select_option("location.defined")
        page.get_by_role("button", name="Copy: Example 1 of location.defined").click()
        expect(page.get_by_text("It is copied.")).to_be_visible()
        copied = page.evaluate("navigator.clipboard.readText()")
    taken = engine.call("POST", "/v1/events", copied.encode(), "application/cloudevents+json")
    assert (taken.status, taken.json["accepted"]) == (202, 1)


def test_the_process_that_serves_is_listed_with_what_it_runs_with(browser: Browser, engine: Stockline) -> None:
    with opened(browser, engine.url) as page:
        page.goto("/ops")
        row = page.locator("#processes tbody tr")
        expect(row).to_have_count(1)
        expect(row).to_contain_text(f":{engine.port}")
        expect(row).to_contain_text("running")
        expect(row).to_contain_text("0\u20137")
        expect(page.locator("#settings-values tr", has_text="clock")).to_contain_text("log")

"""Answers that come late: what somebody has asked for, or done, since then stays as it is."""

from __future__ import annotations

from urllib.parse import quote_plus

import pytest
from playwright.sync_api import APIResponse, Browser, Page, Route, expect

from tests.e2e.acts import do, filled, item, planner, soon, works
from tests.e2e.browser import opened
from tests.e2e.test_ops import BROKEN
from tests.integration.process import Stockline

pytestmark = [pytest.mark.real, pytest.mark.slow]

LISTS = "**/v1/aggregates?**"


class Held:
    """Calls of a page that wait until they are let go; what comes after that is not held up."""

    def __init__(self, page: Page, url: str) -> None:
        self._waiting: list[Route] = []
        self._open = False
        page.route(url, self._come)

    def _come(self, route: Route) -> None:
        if self._open:
            route.continue_()
        else:
            self._waiting.append(route)

    def let_go(self) -> None:
        self._open = True
        assert self._waiting
        for route in self._waiting:
            route.continue_()


def test_dead_letters_that_somebody_opens_while_they_are_read_anew_stay_open(
    browser: Browser, engine: Stockline
) -> None:
    engine.call("POST", "/v1/events", BROKEN % b"late", "application/x-ndjson")
    with opened(browser, engine.url) as page:
        page.goto("/ops")
        page.evaluate("localStorage.setItem('stockline.name', '\"Ola\"')")
        show = page.get_by_role("button", name="Show: invalid event, e2e-wms")
        expect(show).to_be_visible()
        held = Held(page, LISTS)
        with page.expect_request(LISTS):
            """The page reads them anew every few seconds."""
        show.click()
        letter = page.get_by_role("button", name="Open dead letter late")
        expect(letter).to_be_visible()
        with page.expect_response(LISTS) as answered:
            held.let_go()
        answered.value.finished()
        letter.click()

        held = Held(page, LISTS)
        page.get_by_label("Note").fill("a test of the scanner")
        with page.expect_request(LISTS):
            page.get_by_role("button", name="Discard").click()
        expect(page.locator("#dead-letters")).to_have_js_property("inert", True)
        held.let_go()
        expect(page.locator("#dead-letters")).to_have_js_property("inert", False)
        expect(show).to_have_count(0)


def test_lines_that_a_supplier_searches_for_stay_when_a_former_list_arrives(
    browser: Browser, engine: Stockline
) -> None:
    lines = engine.get("/v1/order-lines?status=open&limit=1000")["items"]
    name, order = lines[0]["supplier"], lines[0]["order"]
    path = f"/v1/supplier/lines?supplier={quote_plus(name)}"
    number = engine.get(f"{path}&q={quote_plus(order)}")["total"]
    assert 0 < number < engine.get(path)["total"]
    # Without logins nobody is asked who it is.
    with opened(browser, engine.url, expected=("404",)) as page:
        held = Held(page, f"**/v1/supplier/lines?supplier={quote_plus(name)}&sort=**")
        page.goto(f"/supplier?supplier={quote_plus(name)}")
        page.locator("#search").fill(order)
        page.locator("#search").press("Enter")
        shown = page.locator("#orders [data-line]")
        expect(shown).to_have_count(number)
        held.let_go()
        # The page is filled once it has its first list.
        filled(page)
        assert shown.count() == number


def test_what_was_undone_before_its_answer_came_can_be_decided_again(browser: Browser, engine: Stockline) -> None:
    one = works(engine, "signal")[0]
    held: list[tuple[Route, APIResponse]] = []
    with planner(browser, engine, "anna") as page:
        page.route("**/accept", lambda route: held.append((route, route.fetch())))
        do(item(page, one["id"]), "accept")
        # Its own calls let Playwright go on.
        [(route, answered)] = soon(lambda: held if page.title() and held else None, "it is not accepted")
        for verb, said in (("reopen", {"reason": "the price has risen"}), ("assign", {"to": "dora"})):
            assert engine.post(f"/v1/signals/{one['id']}/{verb}", {"by": "ben", **said}).status < 300
        expect(item(page, one["id"])).to_contain_text("owner dora")
        route.fulfill(response=answered)
        expect(item(page, one["id"]).locator('[data-action="accept"]')).to_be_enabled()

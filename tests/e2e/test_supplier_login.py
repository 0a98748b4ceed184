"""A supplier's own login in a browser: what it sees, what it says, and what a planner's browser then shows of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.e2e.acts import answer, do, filled, visit
from tests.e2e.browser import PATIENCE_MS, Watch, grave_findings, opened
from tests.e2e.portal import Portal, at, log_in, opened_portal, say, shown
from tests.integration.process import stockline
from tests.integration.test_logins import created
from tests.real.kafka import Missing

REFUSED = ("403 (Forbidden)",)
ENDED = ("401 (Unauthorized)",)


@pytest.fixture(scope="module")
def portal(week: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    try:
        with opened_portal(week, tmp_path_factory.mktemp("portal")) as running:
            yield running
    except Missing as missing:
        pytest.skip(f"no OpenID provider: {missing}")


# where a login leads --------------------------------------------------------------------------------------------------


@pytest.mark.real
def test_a_supplier_lands_on_its_page_and_is_told_which_are_not_its_own(browser: Browser, portal: Portal) -> None:
    with opened(browser, portal.engine.url, expected=REFUSED) as page:
        page.goto("/")
        log_in(page, portal.vic)
        page.wait_for_url("**/supplier")
        filled(page)
        assert page.locator("nav.pages a").all_text_contents() == ["Supplier"]
        expect(page.locator("#freshness")).to_have_attribute("data-state", "fresh")
        visit(page, "/stock")
        told = page.locator('[data-part="not-for-you"]')
        expect(told).to_contain_text("The page Stock is for the role viewer or planner or operator")
        expect(page.locator("#who")).to_have_text("vic")
        assert grave_findings(page) == []
        told.get_by_role("link", name="Go to Supplier").click()
        expect(page.locator("#orders [data-line]").first).to_be_visible()


@pytest.mark.real
def test_a_supplier_comes_from_the_provider_to_its_own_lines(browser: Browser, portal: Portal) -> None:
    context = browser.new_context(base_url=portal.engine.url)
    context.set_default_timeout(PATIENCE_MS)
    try:
        # The provider's own pages ask for a font from the network, and are not whole until that has answered or not.
        context.route(lambda url: urlsplit(url).hostname != "127.0.0.1", lambda route: route.fulfill(body=""))
        page = context.new_page()
        page.goto("/supplier?q=no-such-order")
        page.get_by_role("link", name="Log in with your organisation").click()
        page.locator('input[name="login"]').fill("vera")
        page.locator('input[name="password"]').fill("x")
        page.locator('button[type="submit"]').click()
        expect(page.locator('input[name="prompt"][value="consent"]')).to_have_count(1)
        page.wait_for_load_state()
        # What the provider's own pages load is its affair; from here on it is ours.
        watch = Watch(page, portal.engine.url)
        page.locator('button[type="submit"]').click()
        page.wait_for_url("**/supplier?q=no-such-order")
        filled(page)
        expect(page.locator("#who")).to_have_text("vera")
        expect(page.locator("main")).to_contain_text("No line matches what you search for")
        visit(page, "/")
        expect(page.locator("main .head")).to_contain_text(portal.supplier)
        expect(page.locator("#orders [data-line]").first).to_be_visible()
        assert not [told for told in watch.complaints if portal.issuer not in told]
    finally:
        context.close()


# what it says, and what the planner sees of it ------------------------------------------------------------------------


@pytest.mark.real
def test_what_a_supplier_says_is_in_the_log_and_in_a_planners_browser(browser: Browser, portal: Portal) -> None:
    confirmed, changed, split, backordered, rejected, sent, *_ = portal.waiting
    with opened(browser, portal.engine.url) as page:
        page.goto("/")
        log_in(page, portal.vic)
        do(at(page, confirmed), "confirm")
        shown(page, confirmed, "accepted")
        say(page, changed, ("changed", changed["ordered"], "2011-06-01"))
        shown(page, changed, "changed")
        say(page, split, ("accepted", 1, "2011-05-02"), ("changed", 2, "2011-06-02"))
        shown(page, split, "accepted", "changed")
        say(page, backordered, ("backordered", backordered["ordered"], ""))
        shown(page, backordered, "backordered")
        say(page, rejected, ("rejected", rejected["ordered"], ""))
        expect(at(page, rejected)).to_have_count(0)
        do(at(page, sent), "ship")
        answer(page, "shipment", shipment="HD-1", eta="2011-04-01")
        expect(at(page, sent)).to_contain_text(f"HD-1: {sent['ordered']:,}, there 1 Apr")
        page.select_option("select[name=status]", "closed")
        shown(page, rejected, "rejected")

    assert_in_the_log(portal)
    assert_before_a_planner(browser, portal)


def assert_in_the_log(portal: Portal) -> None:
    """What was said of the lines is an event of the supplier's own source each."""
    confirmed, changed, split, backordered, rejected, sent, *_ = portal.waiting
    told = [
        (confirmed, [("accepted", confirmed["ordered"], confirmed["due"])]),
        (changed, [("changed", changed["ordered"], "2011-06-01")]),
        (split, [("accepted", 1, "2011-05-02"), ("changed", 2, "2011-06-02")]),
        (backordered, [("backordered", backordered["ordered"], None)]),
        (rejected, [("rejected", rejected["ordered"], None)]),
    ]
    for line, schedule in told:
        event = portal.event(line, "order.acknowledged")
        assert event["source"] == f"supplier/{portal.supplier}"
        assert [(part["status"], part["qty"], part.get("due")) for part in event["data"]["schedule"]] == schedule
    event = portal.event(sent, "shipment.notified")
    assert (event["source"], event["data"]["shipment"]) == (f"supplier/{portal.supplier}", "HD-1")
    assert (event["data"]["qty"], event["data"]["eta"]) == (sent["ordered"], "2011-04-01")


def assert_before_a_planner(browser: Browser, portal: Portal) -> None:
    """A planner's browser shows what was said of each line at its row."""
    confirmed, changed, split, backordered, rejected, sent, *_ = portal.waiting
    promises = [
        (confirmed, f"{confirmed['ordered']:,} accepted"),
        (changed, f"{changed['ordered']:,} changed for 1 Jun"),
        (split, "1 accepted for 2 May; 2 changed for 2 Jun"),
        (backordered, f"{backordered['ordered']:,} backordered"),
        (sent, f"HD-1: {sent['ordered']:,}, expected 1 Apr"),
    ]
    with opened(browser, portal.engine.url) as page:
        page.goto("/")
        log_in(page, created(portal.tokens, "pia", "--role", "planner"))
        filled(page)
        for line, promise in promises:
            visit(page, f"/row/{quote(line['sku'])}/{quote(line['location'])}")
            row = page.get_by_role("row").filter(has_text=f"{line['order']} / {line['line']}")
            expect(row).to_contain_text(promise)
        visit(page, f"/row/{quote(rejected['sku'])}/{quote(rejected['location'])}")
        expect(page.get_by_text("Short ack")).to_be_visible()


@pytest.mark.real
def test_a_file_goes_to_the_supplier_and_back_and_another_s_order_in_it_is_explained(
    browser: Browser, portal: Portal
) -> None:
    line, theirs = portal.waiting[6], of_another(portal)
    with opened(browser, portal.engine.url) as page:
        page.goto("/")
        log_in(page, portal.vic)
        filled(page)
        with page.expect_download() as download:
            page.locator('[data-action="download"]').click()
        text = filled_in(download.value.path().read_text(encoding="utf-8"), line, theirs)
        file = FilePayload(name="order-lines.csv", mimeType="text/csv", buffer=text.encode())
        page.locator("#file").set_input_files([file])
        outcomes = page.locator('dialog[data-dialog="outcomes"]')
        expect(outcomes).to_contain_text(f"Refused: you have no line {theirs['line']} of an order {theirs['order']}")
        expect(outcomes.locator('[data-accepted="true"]')).to_have_count(1)
        do(outcomes, "close")
        shown(page, line, "accepted")
    assert portal.event(line, "order.acknowledged")["data"]["schedule"][0]["due"] == "2011-05-05"
    assert of_another(portal)["schedule"] == theirs["schedule"]


def of_another(portal: Portal) -> dict[str, Any]:
    """An order line of another supplier."""
    groups = portal.get("/v1/aggregates?table=order-lines&by=supplier&status=open")["items"]
    other = next(name for group in groups if (name := group["group"]["supplier"]) != portal.supplier)
    return dict(portal.get(f"/v1/supplier/lines?supplier={quote(other)}&limit=1")["items"][0])


def filled_in(text: str, line: dict[str, Any], theirs: dict[str, Any]) -> str:
    """The file with an answer to a line of its own, and the same answer to a line of another, which is not in it."""
    rows = {(row["order"], row["line"]): row for row in csv.DictReader(io.StringIO(text))}
    assert (theirs["order"], theirs["line"]) not in rows
    own = rows[line["order"], line["line"]]
    own |= {"status": "accepted", "qty": str(line["ordered"]), "promised": "2011-05-05"}
    file = io.StringIO()
    writer = csv.DictWriter(file, list(own))
    writer.writeheader()
    writer.writerows([own, own | {"order": theirs["order"], "line": theirs["line"]}])
    return file.getvalue()


@pytest.mark.real
def test_a_supplier_sees_the_weeks_and_rows_of_the_forecast_that_are_shared(browser: Browser, portal: Portal) -> None:
    vic = {"Authorization": f"Bearer {portal.vic}"}
    answered = portal.engine.call("GET", "/v1/supplier/forecast?limit=1000", headers=vic).json
    shared = {(each["sku"], each["location"]): each["buckets"] for each in answered["items"]}
    own = portal.get(f"/v1/positions?supplier={quote(portal.supplier)}&limit=1000")["items"]
    assert shared.keys() <= {(row["sku"], row["location"]) for row in own if row["sku"].startswith("22")}
    (sku, location), buckets = next(iter(shared.items()))
    assert buckets == portal.get(f"/v1/positions/{sku}/{location}")["forecast"]["buckets"][: len(buckets)]
    assert len(buckets) == 3
    with opened(browser, portal.engine.url) as page:
        page.goto("/")
        log_in(page, portal.vic)
        page.get_by_text("Forecast shared with you").click()
        rows = page.locator("#forecast tbody tr")
        expect(rows).to_have_count(len(shared))
        expect(rows.first).to_contain_text(f"{buckets[0]['qty']:,}")
        assert grave_findings(page) == []


@pytest.mark.real
def test_what_was_typed_outlives_the_login(browser: Browser, portal: Portal) -> None:
    line = portal.waiting[7]
    with opened(browser, portal.engine.url, expected=ENDED) as page:
        page.goto("/")
        log_in(page, portal.token("vince"))
        do(at(page, line), "change")
        asked = page.locator('dialog[data-dialog="schedule"]')
        asked.locator('[name="qty"]').fill("3")
        asked.locator('[name="due"]').fill("2011-06-09")
        assert stockline("token", "revoke", "vince", "--tokens", str(portal.tokens)).returncode == 0
        do(asked, "submit")
        ended = page.locator('dialog[data-dialog="login"]')
        expect(ended).to_contain_text("What you see and have entered stays here")
        assert grave_findings(page) == []
        do(ended, "go-on")
        expect(ended).to_contain_text("Log in first")

        # Whoever else logs in does not send what vince has written.
        log_in_beside(page, portal.token("mallory"))
        expect(ended).to_contain_text("this page belongs to another login")
        log_in_beside(page, portal.token("vince"))
        expect(ended).to_have_count(0)
        shown(page, line, "accepted")
    assert portal.event(line, "order.acknowledged")["data"]["schedule"] == [
        {"status": "accepted", "qty": 3, "due": "2011-06-09"}
    ]


def log_in_beside(page: Page, secret: str) -> None:
    """Log in in the tab that the dialog opens, come back, and go on."""
    ended = page.locator('dialog[data-dialog="login"]')
    with page.context.expect_page() as opening:
        do(ended, "log-in")
    tab = opening.value
    log_in(tab, secret)
    tab.wait_for_url("**/supplier")
    tab.close()
    do(ended, "go-on")

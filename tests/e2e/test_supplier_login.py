"""A supplier's own login in a browser: what it sees, what it says, and what a planner's browser then shows of it."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect

from tests.e2e.acts import answer, do, filled, soon, visit
from tests.e2e.browser import PATIENCE_MS, Watch, grave_findings, opened
from tests.integration.process import Stockline, stockline
from tests.integration.test_logins import ROLES, created
from tests.real import oidc
from tests.real.kafka import Missing, free_port

REFUSED = ("403 (Forbidden)",)
ENDED = ("401 (Unauthorized)",)


class Portal(NamedTuple):
    """An engine on a week of the demo that asks for logins, and what one supplier has not confirmed yet."""

    engine: Stockline
    issuer: str
    tokens: Path
    bearer: dict[str, str]
    supplier: str
    waiting: list[dict[str, Any]]

    def get(self, path: str) -> Any:
        got = self.engine.call("GET", path, headers=self.bearer)
        assert got.status == 200, got
        return got.json

    def token(self, name: str) -> str:
        """A token of the supplier."""
        return created(self.tokens, name, "--role", "supplier", "--supplier", self.supplier)

    def event(self, line: dict[str, Any], kind: str) -> dict[str, Any]:
        """The newest event of this type about a line, from the log."""
        path = f"/v1/positions/{quote(line['sku'])}/{quote(line['location'])}/events?limit=50"
        named = {"order": line["order"], "line": line["line"]}

        def ask() -> dict[str, Any] | None:
            items = self.get(path)["items"]
            same = [each for each in items if each["type"] == kind and named.items() <= each["data"].items()]
            return same[0] if same else None

        return soon(ask, f"no {kind} of {named} in the log")


SUPPLIER = "Holt & Daughters"


@pytest.fixture(scope="module")
def portal(week: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    folder, port = tmp_path_factory.mktemp("portal"), free_port()
    shutil.copytree(week, folder / "data")
    (folder / "secret").write_text(oidc.SECRET + "\n")
    (folder / "sharing.toml").write_text(f'[suppliers."{SUPPLIER}"]\nweeks = 3\nskus = ["22*"]\n')
    bearer = {"Authorization": f"Bearer {created(folder / 'tokens', 'olga', '--role', 'operator')}"}
    try:
        with oidc.provider(f"http://127.0.0.1:{port}/login/callback", SUPPLIER) as issuer:
            settings = {
                "STOCKLINE_OIDC_ISSUER": issuer,
                "STOCKLINE_OIDC_CLIENT_ID": oidc.CLIENT,
                "STOCKLINE_OIDC_CLIENT_SECRET_FILE": str(folder / "secret"),
                "STOCKLINE_OIDC_ROLES_CLAIM": "groups",
                "STOCKLINE_OIDC_ROLES": json.dumps(ROLES),
                "STOCKLINE_OIDC_SUPPLIER_CLAIM": "vendor",
                "STOCKLINE_SUPPLIER_SHARING": str(folder / "sharing.toml"),
            }
            arguments = ("--clock", "log", "--port", str(port), "--tokens", str(folder / "tokens"))
            with Stockline(folder / "data", *arguments, settings=settings) as engine:
                made_of = Portal(engine, issuer, folder / "tokens", bearer, SUPPLIER, [])
                lines = made_of.get(f"/v1/supplier/lines?supplier={quote(SUPPLIER)}&limit=1000")["items"]
                yield made_of._replace(waiting=[each for each in lines if not each["schedule"] and each["ordered"] > 3])
                assert engine.stop() == 0, engine.errors()
    except Missing as missing:
        pytest.skip(f"no OpenID provider: {missing}")


def log_in(page: Page, secret: str) -> None:
    page.locator('input[name="token"]').fill(secret)
    page.get_by_role("button", name="Log in", exact=True).click()


def pages_in_navigation(page: Page) -> list[str]:
    return [text.strip() for text in page.locator("nav.pages a:visible").all_text_contents()]


def at(page: Page, line: dict[str, Any]) -> Locator:
    return page.get_by_role("listitem", name=f"Order {line['order']}, line {line['line']}", exact=True)


def say(page: Page, line: dict[str, Any], *parts: tuple[str, int, str]) -> None:
    """Open what is said of a line, and say these parts of it: (status, quantity, day)."""
    do(at(page, line), "change")
    asked = page.locator('dialog[data-dialog="schedule"]')
    for _ in parts[1:]:
        do(asked, "split")
    for number, (status, qty, due) in enumerate(parts):
        row = asked.locator('[data-part="entry"]').nth(number)
        row.locator('[name="status"]').select_option(status)
        row.locator('[name="qty"]').fill(str(qty))
        row.locator('[name="due"]').fill(due)
    do(asked, "submit")


def shown(page: Page, line: dict[str, Any], *statuses: str) -> None:
    """Wait until the line shows these answers."""
    tags = at(page, line).locator("[data-status]")
    expect(tags).to_have_count(len(statuses))
    assert [tag.get_attribute("data-status") for tag in tags.all()] == list(statuses)


# where a login leads --------------------------------------------------------------------------------------------------


@pytest.mark.real
def test_a_supplier_lands_on_its_page_and_is_told_which_are_not_its_own(browser: Browser, portal: Portal) -> None:
    with opened(browser, portal.engine.url, expected=REFUSED) as page:
        page.goto("/")
        log_in(page, portal.token("vic"))
        page.wait_for_url("**/supplier")
        filled(page)
        assert page.locator("nav.pages a").all_text_contents() == ["Supplier"]
        expect(page.locator("#freshness")).to_have_attribute("data-state", "fresh")
        visit(page, "/stock")
        told = page.locator('[data-part="refusal"]')
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
        page = context.new_page()
        page.goto("/supplier?q=no-such-order")
        page.get_by_role("link", name="Log in with your organisation").click()
        page.locator('input[name="login"]').fill("vera")
        page.locator('input[name="password"]').fill("x")
        page.locator('button[type="submit"]').click()
        page.wait_for_url("**/interaction/**")
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
        log_in(page, portal.token("vic"))
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

    said = {
        "confirmed": [("accepted", confirmed["ordered"], confirmed["due"])],
        "changed": [("changed", changed["ordered"], "2011-06-01")],
        "split": [("accepted", 1, "2011-05-02"), ("changed", 2, "2011-06-02")],
        "backordered": [("backordered", backordered["ordered"], None)],
        "rejected": [("rejected", rejected["ordered"], None)],
    }
    for name, line in zip(said, (confirmed, changed, split, backordered, rejected), strict=True):
        event = portal.event(line, "order.acknowledged")
        assert event["source"] == f"supplier/{portal.supplier}"
        assert [(part["status"], part["qty"], part.get("due")) for part in event["data"]["schedule"]] == said[name]
    event = portal.event(sent, "shipment.notified")
    assert (event["source"], event["data"]["shipment"]) == (f"supplier/{portal.supplier}", "HD-1")
    assert (event["data"]["qty"], event["data"]["eta"]) == (sent["ordered"], "2011-04-01")

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
    line = portal.waiting[6]
    groups = portal.get("/v1/aggregates?table=order-lines&by=supplier&status=open")["items"]
    other = next(name for group in groups if (name := group["group"]["supplier"]) != portal.supplier)
    theirs = portal.get(f"/v1/supplier/lines?supplier={quote(other)}&limit=1")["items"][0]
    with opened(browser, portal.engine.url) as page:
        page.goto("/")
        log_in(page, portal.token("vic"))
        filled(page)
        with page.expect_download() as download:
            page.locator('[data-action="download"]').click()
        rows = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8"))))
        own = {(row["order"], row["line"]) for row in rows}
        assert (line["order"], line["line"]) in own
        assert (theirs["order"], theirs["line"]) not in own
        [row] = [row for row in rows if (row["order"], row["line"]) == (line["order"], line["line"])]
        row |= {"status": "accepted", "qty": str(line["ordered"]), "promised": "2011-05-05"}
        foreign = row | {"order": theirs["order"], "line": theirs["line"], "sku": theirs["sku"]}
        text = io.StringIO()
        writer = csv.DictWriter(text, list(row))
        writer.writeheader()
        writer.writerows([row, foreign])
        file = FilePayload(name="order-lines.csv", mimeType="text/csv", buffer=text.getvalue().encode())
        page.locator("#file").set_input_files([file])
        outcomes = page.locator('dialog[data-dialog="outcomes"]')
        expect(outcomes).to_contain_text(f"Refused: you have no line {theirs['line']} of an order {theirs['order']}")
        expect(outcomes.locator('[data-accepted="true"]')).to_have_count(1)
        do(outcomes, "close")
        shown(page, line, "accepted")
    assert portal.event(line, "order.acknowledged")["data"]["schedule"][0]["due"] == "2011-05-05"
    after = portal.get(f"/v1/supplier/lines?supplier={quote(other)}&limit=1")["items"][0]
    assert after["schedule"] == theirs["schedule"]


@pytest.mark.real
def test_a_supplier_sees_the_weeks_and_rows_of_the_forecast_that_are_shared(browser: Browser, portal: Portal) -> None:
    vic = {"Authorization": f"Bearer {(secret := portal.token('vic'))}"}
    answered = portal.engine.call("GET", "/v1/supplier/forecast?limit=1000", headers=vic).json
    shared = {(each["sku"], each["location"]): each["buckets"] for each in answered["items"]}
    own = portal.get(f"/v1/positions?supplier={quote(portal.supplier)}&limit=1000")["items"]
    assert shared.keys() <= {(row["sku"], row["location"]) for row in own if row["sku"].startswith("22")}
    (sku, location), buckets = next(iter(shared.items()))
    assert buckets == portal.get(f"/v1/positions/{sku}/{location}")["forecast"]["buckets"][: len(buckets)]
    assert len(buckets) == 3
    with opened(browser, portal.engine.url) as page:
        page.goto("/")
        log_in(page, secret)
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

        for name, following in (("mallory", "this page belongs to another login"), ("vince", None)):
            with page.context.expect_page() as opening:
                do(ended, "log-in")
            tab = opening.value
            log_in(tab, portal.token(name))
            tab.wait_for_url("**/supplier")
            tab.close()
            do(ended, "go-on")
            if following is not None:
                expect(ended).to_contain_text(following)
        expect(ended).to_have_count(0)
        shown(page, line, "accepted")
    assert portal.event(line, "order.acknowledged")["data"]["schedule"] == [
        {"status": "accepted", "qty": 3, "due": "2011-06-09"}
    ]

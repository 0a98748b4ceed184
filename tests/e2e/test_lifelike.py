"""What happens to the pages of planners on a bad day, and whether everybody can use them."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.acts import do, event_of, item, planner, shot, visit, works
from tests.e2e.browser import Scheme, grave_findings, opened
from tests.integration.process import Stockline, stockline
from tests.real.kafka import free_port

pytestmark = [pytest.mark.real, pytest.mark.slow]

PATHS = ("/?kind=drift", "/stock", "/decisions", "/trace", "/kpis")
WIDTHS = (1400, 1024, 768, 390)
WHILE_AWAY = ("ERR_CONNECTION", "WebSocket", "ERR_INCOMPLETE", "ERR_EMPTY", "503 (Service Unavailable)")
"""What a browser says of an engine that is gone, and of the next one while its lists are not whole."""
LOGGED_OUT = ("401 (Unauthorized)", "WebSocket", "403 (Forbidden)", "ERR_INCOMPLETE_CHUNKED", "ERR_CONNECTION_RESET")
"""What a browser says of refused calls, and of streams that the engine ends when it next looks for ended logins."""
MOTION = "moving => Promise.all(moving.getAnimations().map(each => each.finished)).then(() => null)"
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def paths(engine: Stockline) -> list[str]:
    """Every page that a planner has, with something on it."""
    one = works(engine, "signal")[0]
    assert engine.post(f"/v1/signals/{one['id']}/accept", {"by": "zoe"}).status < 300
    return [*PATHS, f"/row/{one['sku']}/{one['location']}", f"/trace?signal={one['id']}"]


@pytest.fixture(params=["light", "dark"])
def page(browser: Browser, engine: Stockline, request: pytest.FixtureRequest) -> Iterator[Page]:
    scheme: Scheme = request.param
    with planner(browser, engine, "anna", "/kpis", scheme=scheme) as page:
        yield page


def test_everybody_can_use_every_page(page: Page, paths: list[str]) -> None:
    dark = page.evaluate("() => matchMedia('(prefers-color-scheme: dark)').matches")
    found: list[str] = []
    for path in paths:
        visit(page, path)
        settled(page)
        found += [f"{path}: {finding}" for finding in grave_findings(page)]
        if dark:
            shot(page, f"dark{path.partition('?')[0].replace('/', '-')}")
    assert found == []


def settled(page: Page) -> None:
    """Wait until the rows of a grid are there."""
    if page.locator("#grid").count():
        expect(page.locator('[data-part="total"]')).to_contain_text("rows")
        expect(page.locator(".ag-row").first).to_be_visible()


def test_dialogs_and_the_open_row_can_be_used_by_everybody(page: Page, engine: Stockline) -> None:
    one = works(engine, "signal")[0]
    visit(page, f"/?kind=order&supplier={quote(one['supplier'])}")
    found: list[str] = []
    for action, dialog in (("change", "quantity"), ("reject", "reject"), ("snooze", "snooze")):
        do(item(page, one["id"]), action)
        asked = page.locator(f'dialog[data-dialog="{dialog}"]')
        found += [f"{action}: {finding}" for finding in grave_findings(page)]
        page.keyboard.press("Escape")
        expect(asked).to_have_count(0)
    do(item(page, one["id"]), "open")
    expect(page.locator('.drawer [data-part="chart"] canvas')).to_be_visible()
    found += [f"row: {finding}" for finding in grave_findings(page)]
    page.locator(".drawer").locator('[data-action="edit-policy"]').click()
    found += [f"policy: {finding}" for finding in grave_findings(page)]
    assert found == []


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_screen(browser: Browser, engine: Stockline, paths: list[str], width: int) -> None:
    wide: list[str] = []
    with planner(browser, engine, "anna", width=width) as page:
        for path in paths:
            visit(page, path)
            settled(page)
            if (pixels := page.evaluate(OVERFLOW)) > 0:
                wide.append(f"{path}: {pixels}px")
            if width == min(WIDTHS):
                shot(page, f"phone{path.partition('?')[0].replace('/', '-')}")
        visit(page, "/")
        assert page.evaluate(OVERFLOW) <= 0
        page.locator('[data-action="open"]').first.click()
        expect(page.locator('.drawer [data-part="chart"] canvas')).to_be_visible()
        if (pixels := page.evaluate(OVERFLOW)) > 0:
            wide.append(f"the open row: {pixels}px")
        # It slides in from beyond the edge.
        page.locator(".drawer").evaluate(MOTION)
        box = page.locator(".drawer").bounding_box()
        assert box is not None
        assert 0 <= box["x"] <= box["x"] + box["width"] <= width
    assert wide == []


def test_a_day_from_alert_to_decided_by_keyboard_alone(browser: Browser, engine: Stockline) -> None:
    alert, signal = works(engine, "alert")[0], works(engine, "signal")[0]
    with planner(browser, engine, "kate") as page:
        press = page.keyboard.press
        press("?")
        expect(page.locator('[data-part="keys"]')).to_contain_text("next")
        press("Escape")
        walk(page, alert["id"])
        press("Enter")
        drawer = page.locator('.drawer[data-part="row"]')
        expect(drawer).to_contain_text(alert["sku"])
        expect(drawer.locator('[data-part="chart"] canvas')).to_be_visible()
        press("Escape")
        expect(drawer).to_have_count(0)
        press("a")
        event_of(engine, alert, "alert.acknowledged", "kate")
        press("/")
        page.keyboard.type(signal["sku"])
        press("Enter")
        expect(page.locator("#find")).not_to_be_focused()
        walk(page, signal["id"])
        press("Enter")
        expect(drawer.locator('[data-part="why"]')).to_be_visible()
        press("Escape")
        change_quantity(page, signal["qty"] + 3)
        assert event_of(engine, signal, "signal.accepted", "kate")["qty"] == signal["qty"] + 3
        expect(item(page, signal["id"]).locator('[data-part="outcome"]')).to_have_text("accepted")


def change_quantity(page: Page, qty: int) -> None:
    """Accept the signal under the cursor with another quantity, by keyboard."""
    page.keyboard.press("e")
    expect(page.locator('dialog[data-dialog="quantity"] input[name="qty"]')).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type(str(qty))
    page.keyboard.press("Enter")


def walk(page: Page, name: str) -> None:
    """Go to an item by `j`, from wherever the cursor is."""
    for _ in range(60):
        if page.locator(f'.item.current[data-item="{name}"]').count():
            return
        page.keyboard.press("j")
    raise AssertionError(f"{name} is not reached by keyboard")


def test_pages_come_back_after_the_engine_was_killed(browser: Browser, week: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(week, data)
    # Its port must be free again for the next engine: none that the system gives to clients.
    first = Stockline(data, "--clock", "log", "--port", str(free_port()))
    try:
        with opened(browser, first.url, expected=WHILE_AWAY) as page:
            visit(page, "/stock?sort=sku")
            settled(page)
            top = first.get("/v1/positions?sort=sku&limit=1")["items"][0]
            first.kill()
            expect(page.locator("#freshness")).to_have_attribute("data-state", "lost")
            expect(page.locator("#banner")).to_contain_text("The engine does not answer")
            expect(page.locator(f'[data-row="{top["sku"]}@{top["location"]}"]')).to_be_visible()
            with Stockline(data, "--clock", "log", "--port", str(first.port)) as again:
                expect(page.locator("#freshness")).to_have_attribute("data-state", "fresh")
                expect(page.locator("#banner")).to_be_hidden()
                again.send({
                    "specversion": "1.0", "id": "after", "source": "e2e", "type": "stock.adjusted",
                    "time": again.get("/v1/work")["as_of"],
                    "data": {"sku": top["sku"], "location": top["location"], "qty": 100_000, "reason": "found"},
                })  # fmt: skip
                cell = page.locator('.ag-row[row-index="0"] [col-id="available"]')
                expect(cell).to_have_text(f"{top['available'] + 100_000:,}")
                expect(page.locator("#freshness")).to_contain_text("live")
                assert again.stop() == 0
    finally:
        first.end()


def token(tokens: Path, name: str) -> str:
    made = stockline("token", "create", name, "--role", "planner", "--tokens", str(tokens))
    assert made.returncode == 0, made
    return made.stdout.decode().split()[0]


def log_in(page: Page, secret: str) -> None:
    page.locator('input[name="token"]').fill(secret)
    page.get_by_role("button", name="Log in", exact=True).click()


def test_a_login_that_ends_in_the_middle_of_work_takes_none_of_it(browser: Browser, week: Path, tmp_path: Path) -> None:
    data, tokens = tmp_path / "data", tmp_path / "tokens"
    shutil.copytree(week, data)
    secret = token(tokens, "lea")
    with Stockline(data, "--clock", "log", "--tokens", str(tokens)) as engine:
        with opened(browser, engine.url, expected=LOGGED_OUT) as page:
            page.goto("/?kind=order")
            log_in(page, secret)
            page.wait_for_url("**/?kind=order")
            expect(page.locator("#who")).to_have_text("lea")
            line = page.locator('[data-item][data-type="signal"]').nth(1)
            name = line.get_attribute("data-item") or ""
            do(item(page, name), "reject")
            page.locator('dialog[data-dialog="reject"] textarea').fill("too much")
            assert stockline("token", "revoke", "lea", "--tokens", str(tokens)).returncode == 0
            do(page.locator('dialog[data-dialog="reject"]'), "submit")
            ended = page.locator('dialog[data-dialog="login"]')
            with page.context.expect_page() as opening:
                do(ended, "log-in")
            tab = opening.value
            expect(tab.locator("main")).to_contain_text("Your login has ended")
            log_in(tab, token(tokens, "lea"))
            tab.wait_for_url("**/?kind=order")
            tab.close()
            do(ended, "go-on")
            expect(item(page, name).locator('[data-part="outcome"]')).to_have_text("rejected")
        assert engine.stop() == 0

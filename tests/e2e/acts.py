"""What a planner does on the pages, and what the log then holds: the words that the tests of the pages share."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.browser import PATIENCE_MS, opened
from tests.integration.process import ROOT, Client

SCREENSHOTS = Path(os.environ.get("SCREENSHOTS", ROOT / "build" / "screenshots"))
BEAT_SECONDS = 0.1
T = TypeVar("T")
expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def planner(browser: Browser, engine: Client, name: str, path: str = "/", **look: Any) -> Iterator[Page]:
    """A page of a browser of `name`'s own, at `path`, once it has been filled; `look` is that of `opened`."""
    with opened(browser, engine.url, **look) as page:
        page.add_init_script(f"localStorage.setItem('stockline.name', JSON.stringify({json.dumps(name)}))")
        visit(page, path)
        yield page


def visit(page: Page, path: str) -> None:
    """Go to a page and wait until it is filled."""
    page.goto(path)
    filled(page)


def filled(page: Page) -> None:
    """Wait until the page has asked for all it shows at first."""
    expect(page.locator("main")).not_to_have_attribute("aria-busy", "true")


def watch_list(page: Page) -> None:
    """Hold the mouse over Today's list: as long as it is there, nothing that was decided leaves the list."""
    page.locator("#groups").hover(position={"x": 5, "y": 5})


def item(page: Page, name: str) -> Locator:
    """The line of a proposal or alert on Today."""
    return page.locator(f'[data-item="{name}"]')


def do(line: Locator, action: str) -> None:
    """Press a button by its stable name."""
    line.locator(f'[data-action="{action}"]').click()


def answer(page: Page, dialog: str, **fields: str) -> None:
    """Fill the fields of a dialog by their names, and send it."""
    asked = page.locator(f'dialog[data-dialog="{dialog}"]')
    for name, value in fields.items():
        control = asked.locator(f'[name="{name}"]')
        if control.evaluate("element => element.tagName") == "SELECT":
            control.select_option(value)
        else:
            control.fill(value)
    asked.locator('[data-action="submit"]').click()
    expect(asked).to_have_count(0)


def works(engine: Client, kind: str) -> list[Any]:
    """The items of today's work of one type (`signal` or `alert`) that are open, worst first."""
    # The log has an event a moment before the list is told of its commit.
    engine.get("/v1/sync?wait=10")
    groups = engine.get("/v1/work")["groups"]
    return [one for group in groups for one in group["items"] if one["type"] == kind and one["status"] == "open"]


def soon(ask: Callable[[], T | None], what: str) -> T:
    """The first answer that is something; fails where there is none in time."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while True:
        if (found := ask()) is not None:
            return found
        assert time.monotonic() < deadline, what
        time.sleep(BEAT_SECONDS)


def event_of(engine: Client, one: dict[str, Any], type_: str, by: str) -> dict[str, Any]:
    """The data of the event that `by` caused about a proposal or alert, from the history of its row in the log."""
    path = f"/v1/positions/{one['sku']}/{one['location']}/events?limit=20"

    def ask() -> dict[str, Any] | None:
        for event in engine.get(path)["items"]:
            data = event["data"]
            if event["type"] == type_ and data.get(one["type"]) == one["id"] and data.get("by") == by:
                return dict(data)
        return None

    return soon(ask, f"no {type_} by {by} in the log")


def shot(page: Page, name: str) -> None:
    """Keep a picture of the page under build/screenshots."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")

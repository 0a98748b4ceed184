"""A real Chromium, and what it may not do while a page is open: complain, break its policy, leave the origin."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request

from tests.integration.process import Client
from tests.real.chromium import OPTIONS, chromium

Scheme = Literal["light", "dark"]
PATIENCE_MS = 60_000
GRAVE = frozenset({"serious", "critical"})
MOVED = """() => {
  const ending = document.getAnimations().filter((each) => Number.isFinite(each.effect.getComputedTiming().endTime));
  return Promise.allSettled(ending.map((each) => each.finished)).then(() => null);
}"""


def launch(playwright: Playwright) -> Browser:
    """Start the browser; raises Missing where there is none."""
    return playwright.chromium.launch(executable_path=chromium(), args=list(OPTIONS), timeout=2 * PATIENCE_MS)


class Watch:
    """What a page did that it may not do, in sentences."""

    def __init__(self, page: Page, origin: str, expected: tuple[str, ...] = ()) -> None:
        self._origin = urlsplit(origin).netloc
        self._expected = expected
        self.complaints: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"error in the page: {error}"))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(text in message.text for text in self._expected):
            self.complaints.append(f"console: {message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != self._origin:
            self.complaints.append(f"request off the origin: {request.url}")


@contextmanager
def opened(
    browser: Browser, origin: str, scheme: Scheme = "light", width: int = 1400, expected: tuple[str, ...] = ()
) -> Iterator[Page]:
    """A page of a browser profile of its own, once the lists are whole; at its end nothing may have gone wrong.

    Args:
        browser: the running browser.
        origin: the only place to which requests may go.
        scheme: the colours that the person prefers.
        width: of the window, in CSS pixels.
        expected: parts of complaints of the console that belong to what is tried.
    """
    engine = Client()
    engine.port = urlsplit(origin).port or 80
    engine.patiently("/v1/positions?limit=1")
    context = browser.new_context(
        base_url=origin, color_scheme=scheme, viewport={"width": width, "height": 900}, locale="en-GB"
    )
    context.set_default_timeout(PATIENCE_MS)
    try:
        page = context.new_page()
        watch = Watch(page, origin, expected)
        yield page
        assert watch.complaints == [], watch.complaints
    finally:
        context.close()


def grave_findings(page: Page) -> list[str]:
    """What axe finds serious or critical on the page, once what moves or fades in has come to its end."""
    page.evaluate(MOVED)
    found = Axe().run(page).response["violations"]
    grave = [each for each in found if each["impact"] in GRAVE]
    return [f"{each['id']}: {node['html'][:200]}" for each in grave for node in each["nodes"]]

"""The page's grid in a real Chromium, without a person: frames a second, what the first row shows and when, heap."""

from typing import Any, NamedTuple

from playwright.sync_api import Page, sync_playwright

from benchmarks.view.staleness import Sample
from tests.real.chromium import OPTIONS, chromium

FIRST_CELL = '.ag-row[row-index="0"] [col-id="position"]'
STOCK = "/stock?sort=sku"
READY_MS = 60_000
WATCH = """
() => new Promise((begun) => {
  const seen = (window.seen = { frames: 0, samples: [], since: performance.now() });
  const step = () => {
    seen.frames += 1;
    const cell = document.querySelector('CELL');
    if (cell) seen.samples.push([Date.now() / 1000, Number(cell.textContent.replace(/[^0-9-]/g, ""))]);
    requestAnimationFrame(step);
    begun();
  };
  requestAnimationFrame(step);
})
""".replace("CELL", FIRST_CELL)
SEEN = "() => ({ ...window.seen, seconds: (performance.now() - window.seen.since) / 1000 })"


class Seen(NamedTuple):
    """What a page has shown: frames a second, the changes of the first row by time, the heap in bytes."""

    frames_a_second: float
    samples: list[Sample]
    heap_bytes: int


class Watched:
    """An open page of the stock."""

    def __init__(self, url: str) -> None:
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=chromium(), args=list(OPTIONS))
        self._page: Page = self._browser.new_page(base_url=url, viewport={"width": 1400, "height": 900})
        self._page.goto(STOCK)
        self._page.wait_for_selector(FIRST_CELL, timeout=READY_MS)

    def watch(self) -> None:
        """Look at the page from now on; it has drawn a frame when this returns."""
        self._page.evaluate(WATCH)

    def seen(self) -> Seen:
        """What was seen since."""
        found: dict[str, Any] = self._page.evaluate(SEEN)
        session = self._page.context.new_cdp_session(self._page)
        session.send("Performance.enable")
        metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
        samples = [Sample(*each) for each in found["samples"]]
        return Seen(found["frames"] / found["seconds"], samples, int(metrics["JSHeapUsedSize"]))

    def close(self) -> None:
        """End the browser."""
        self._browser.close()
        self._playwright.stop()

"""`python -m benchmarks.view`: print the figures of the page with the grid, write them as JSON where asked.

The grid shows a recording, so that the engine does not share the cores with the browser; what a page costs the engine
is measured apart, on the shipped command.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.view.cost import cost
from benchmarks.view.page import Watched
from benchmarks.view.recording import TICK_SECONDS
from benchmarks.view.sockets import watch
from benchmarks.view.staleness import Sample, held, percentile, staleness

TARGETS = {"frames_a_second": 50, "stale_p99_seconds": 1.0, "heap_mib": 100, "more": 0.05}
"""At least so many frames; at most so much of the others."""
COST_RATE = 2_000
END_SECONDS = 60.0
MIB = 1 << 20

Figures = dict[str, Any]


def main() -> int:
    """Measure, print, and say with the exit code whether all targets are reached."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.view", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rates", type=int, nargs="+", default=[2_000, 10_000], help="changes a second")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--pages", type=int, default=20, help="further pages, without a browser")
    parser.add_argument("--turns", type=int, default=3, help="of the engine with a page and without")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    figures = run(options)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2))
    print(json.dumps(figures, indent=2))
    return 0 if reached(figures) else 1


def run(options: argparse.Namespace) -> Figures:
    """All figures, and the targets beside them."""
    figures: Figures = {"targets": TARGETS, "grid": [], "sockets": []}
    for rate in options.rates:
        figures["grid"].append({"rate": rate, **_grid(options.rows, rate, options.seconds)})
        figures["sockets"].append({"rate": rate, **_sockets(options.rows, rate, options.seconds, options.pages)})
    with tempfile.TemporaryDirectory(prefix="stockline-bench-") as place:
        data = Path(place) / "data"
        figures["cost"] = asyncio.run(cost(data, options.rows, COST_RATE, options.seconds / 2, options.turns))
    return figures


def reached(figures: Figures) -> bool:
    """Whether every target is reached."""
    grids = [
        grid["frames_a_second"] >= TARGETS["frames_a_second"]
        and grid["stale_p99_seconds"] < TARGETS["stale_p99_seconds"]
        and grid["heap_mib"] < TARGETS["heap_mib"]
        for grid in figures["grid"]
    ]
    return all(grids) and bool(figures["cost"]["more"] <= TARGETS["more"])


class Replay:
    """A process that serves a recording."""

    def __init__(self, rows: int, rate: int, seconds: float) -> None:
        command = [sys.executable, "-m", "benchmarks.view.replayed", str(rows), str(rate), str(seconds)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self._line().strip()

    def start(self) -> None:
        """Let the replay begin."""
        self._say()

    def committed(self) -> list[float]:
        """Wait for the end of the replay; the instant of each commit."""
        found: list[float] = json.loads(self._line())
        return found

    def end(self) -> None:
        """End the process."""
        self._say()
        self.process.wait(END_SECONDS)

    def _say(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.write("\n")
            self.process.stdin.flush()

    def _line(self) -> str:
        line = self.process.stdout.readline() if self.process.stdout is not None else ""
        if not line:
            raise RuntimeError(f"the replay has ended with exit code {self.process.wait()}")
        return line


@contextmanager
def _replay(rows: int, rate: int, seconds: float) -> Iterator[Replay]:
    replay = Replay(rows, rate, seconds)
    # The process's own end closes its pipes.
    with replay.process:
        try:
            yield replay
            replay.end()
        finally:
            replay.process.kill()


def _grid(rows: int, rate: int, seconds: float) -> Figures:
    with _replay(rows, rate, seconds) as replay:
        page = Watched(replay.url)
        try:
            page.watch()
            replay.start()
            committed = replay.committed()
            seen = page.seen()
        finally:
            page.close()
        figures = _figures(committed, seen.samples)
    return {
        "frames_a_second": round(seen.frames_a_second, 1),
        "heap_mib": round(seen.heap_bytes / MIB, 1),
        **figures,
    }


def _sockets(rows: int, rate: int, seconds: float, pages: int) -> Figures:
    with _replay(rows, rate, seconds) as replay:
        samples = asyncio.run(watch(replay.url, pages, seconds, begin=replay.start))
        committed = replay.committed()
        # What was told last is shown until the end.
        shown = [*samples, Sample(max(samples[-1].at, committed[-1]), samples[-1].changes)]
        return {
            "pages": pages,
            "frames_a_second": round(len(samples) / seconds, 2),
            **_figures(committed, held(shown, TICK_SECONDS)),
        }


def _figures(committed: Sequence[float], samples: Sequence[Sample]) -> Figures:
    ages = staleness(committed, samples)
    if not ages:
        raise RuntimeError("nothing was shown while rows changed")
    return {
        "stale_p50_seconds": round(statistics.median(ages), 3),
        "stale_p99_seconds": round(percentile(ages, 0.99), 3),
    }


if __name__ == "__main__":
    sys.exit(main())

"""The read model in columns: what questions over many rows take, and what it costs the engine to feed it.

`python -m benchmarks.columns` prints the figures as JSON. The rows are seeded, the checksum is of the names on the
pages that were asked for; a plain sort in Python makes the same order, so that machines can be compared by the ratio.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.mix import Mix
from engine.bus.disk.bus import EmbeddedBus
from engine.bus.memory.bus import MemoryBus
from engine.bus.single import Commit, Output
from engine.columns.aggregates import Aggregation
from engine.columns.columns import Columns
from engine.columns.feed import Feed
from engine.columns.query import Condition, Query, Sort
from engine.core.outputs import Position, position_changed
from engine.core.rules import Rules
from engine.core.values import NUL, SECOND, moment
from engine.runtime.marker import read_marker
from engine.runtime.single.engine import Engine

SEED = 20_261_122
BEGIN = 1_772_442_845 * SECOND
LOCATIONS = 10
PORTION = 2_000
ROUNDS = 3
EVENTS_A_COMMIT = 250
FRAME, ORDER, UNWATCHED = 5, 20, 100
"""Commits, at 5,000 events a second, between two looks of a page at its rows, between two at their order, and between
two takes while nobody looks."""
WINDOW = Query("positions", sorts=(Sort("on_hand", True),))
ROWS_OF_A_PAGE = 60

QUESTIONS = {
    "first page": (Query("positions"), 0),
    "by name, the middle": (Query("positions"), 0.5),
    "by one field": (Query("positions", sorts=(Sort("on_hand", True),)), 0),
    "by one field, the middle": (Query("positions", sorts=(Sort("on_hand", True),)), 0.5),
    "by three fields": (Query("positions", sorts=(Sort("location"), Sort("updated", True), Sort("on_hand"))), 0),
    "by value": (Query("positions", sorts=(Sort("value", True),)), 0),
    "filter and sort": (
        Query("positions", (Condition("location", "is", ("L3",)), Condition("on_hand", "max", (999,))), None,
              (Sort("position"),)), 0,
    ),
    "search": (Query("positions", text="sku-0012"), 0),
}  # fmt: skip

CHARTS = {
    "sums by location": Aggregation(Query("positions"), ("location",), ("on_hand",)),
    "sums by two fields": Aggregation(
        Query("positions"), ("location", "version"), ("on_hand", "value"), (), ("days_of_cover",)
    ),
    "sums by sku": Aggregation(Query("positions"), ("sku",), ("on_hand",)),
}


class _Rows(NamedTuple):
    """Seeded rows, and their names with their stock on hand for a plain sort."""

    columns: Columns
    plain: list[tuple[int, str]]


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.columns", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=40_000)
    options = parser.parse_args()
    json.dump(measure(options.rows, options.events), sys.stdout, indent=2)
    print()
    return 0


def measure(rows: int, events: int) -> dict[str, Any]:
    """All figures: milliseconds of each question after a change, resident memory, and the share of an event."""
    before = _resident_mib()
    filled = _filled(rows)
    held = _resident_mib() - before - sys.getsizeof(filled.plain) // 2**20
    plain = _milliseconds(lambda: sorted(filled.plain, reverse=True)[:100])
    checksum = blake2b(digest_size=8)
    figures = {name: _asked(filled.columns, query, int(rows * at), checksum.update)
               for name, (query, at) in QUESTIONS.items()}  # fmt: skip
    for name, asked in CHARTS.items():
        figures[name] = min(_milliseconds(partial(filled.columns.aggregate, asked, 100)) for _ in range(ROUNDS))
    return {
        "rows": rows,
        "milliseconds": figures,
        "plain sort, milliseconds": plain,
        "ratio to the plain sort": round(plain / figures["by one field"], 1),
        "ratio of three fields to the plain sort": round(plain / figures["by three fields"], 1),
        "MiB": held,
        "checksum": checksum.hexdigest(),
        "share of an event while somebody looks": share_of_an_event(events, watched=True),
        "share of an event while nobody looks": share_of_an_event(events, watched=False),
    }


def _asked(columns: Columns, query: Query, offset: int, seen: Callable[[bytes], None]) -> float:
    """What a page takes, each time after a row has changed, so that no index of before can serve."""
    taken = []
    for index in range(ROUNDS):
        columns.feed.committed([_commit([_position(index, 1)])])
        columns.take()
        taken.append(_milliseconds(lambda: columns.page(query, offset, 100)))
    seen(NUL.join(columns.page(query, offset, 100).names).encode())
    return min(taken)


def _filled(rows: int) -> _Rows:
    """Columns over so many seeded rows, fed in portions."""
    chance = random.Random(SEED)
    columns = Columns(MemoryBus(1), lambda _marker: BEGIN, lambda _as_of: 0.0)
    columns.load()
    plain: list[tuple[int, str]] = []
    for start in range(0, rows, PORTION):
        numbers = range(start, min(start + PORTION, rows))
        outputs = [_position(number, chance.randrange(1_000_000)) for number in numbers]
        plain += [(int(output.value.split(b'"on_hand":')[1].split(b",")[0]), output.id) for output in outputs]
        columns.feed.committed([_commit(outputs)])
        columns.take()
    return _Rows(columns, plain)


def _position(number: int, units: int) -> Output:
    sku, location = f"SKU-{number // LOCATIONS:06}", f"L{number % LOCATIONS}"
    position = Position(
        sku, location, units, 0, units, units % 50, units - units % 50, units % 500, units % 100, units + 7, 1,
        moment(BEGIN + units * 7919 * number % 10**13),
    )  # fmt: skip
    name = f"{sku}{NUL}{location}"
    return Output("positions", name, name, position_changed(position, f"0-{number}"), "position.changed")


def _commit(outputs: Sequence[Output]) -> Commit:
    return Commit(0, (), (), outputs, (), b"marker", 0)


class _Timed(Feed):
    """A feed that adds up the CPU seconds that it takes of the engine's thread."""

    seconds = 0.0

    def committed(self, commits: Sequence[Commit]) -> None:
        started = time.thread_time()
        super().committed(commits)
        self.seconds += time.thread_time() - started


class _TimedColumns(Columns):
    """Columns that add up the CPU seconds of taking over what was noted."""

    seconds = 0.0

    def take(self, positions: Iterable[str] | None = None) -> None:
        started = time.thread_time()
        super().take(positions)
        self.seconds += time.thread_time() - started


def share_of_an_event(events: int, watched: bool, rows: int = 4_000) -> dict[str, float]:
    """The CPU that the columns take, as a share of what the engine takes for the same events of the mix.

    While somebody looks, a window is read as the live socket reads it: its rows often, their order now and then.
    """
    mix = Mix(rows)
    with tempfile.TemporaryDirectory(prefix="stockline-columns-") as place:
        bus = EmbeddedBus.open(Path(place), partitions=1)
        engine = Engine(bus, Rules(clock="log"))
        columns = _TimedColumns(bus, lambda marker: read_marker(marker).now, lambda _as_of: 0.0, Rules(clock="log"))
        feed = columns.feed = _Timed()
        bus.observers.append(feed)
        columns.load()
        for some in _portions(list(mix.setup())):
            engine.submit(some, BEGIN)
        window = columns.page(WINDOW, 0, ROWS_OF_A_PAGE).names
        feed.seconds = columns.seconds = looking = 0.0
        stream = list(mix.stream(events))
        started = time.thread_time()
        for number, some in enumerate(_portions(stream), 1):
            engine.submit(some, BEGIN)
            before = time.thread_time()
            if number % UNWATCHED == 0 and not watched:
                columns.take()
            if number % FRAME == 0 and watched:
                columns.rows("positions", window)
            if number % ORDER == 0 and watched:
                columns.page(WINDOW, 0, ROWS_OF_A_PAGE)
            looking += time.thread_time() - before
        before = time.thread_time()
        columns.take()
        looking += time.thread_time() - before
        whole = time.thread_time() - started - looking - feed.seconds
        bus.close()
    spent = {"noting": feed.seconds, "taking over": columns.seconds, "answering": looking - columns.seconds}
    return {name: round(seconds / whole, 4) for name, seconds in spent.items()}


def _portions(events: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(events), EVENTS_A_COMMIT):
        yield events[start : start + EVENTS_A_COMMIT]


def _milliseconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return round((time.perf_counter() - started) * 1000, 3)


def _resident_mib() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096 >> 20


if __name__ == "__main__":
    sys.exit(main())

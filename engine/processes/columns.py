"""The read model in columns beside a bus: filled in the background, and kept close to what is committed."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from engine.bus.single import Kept, Observer
from engine.columns.columns import Columns
from engine.core.rules import Rules
from engine.core.values import SECOND
from engine.runtime.marker import read_marker
from engine.runtime.submission import Progress

TAKE_SECONDS = 5.0
"""So often the columns take over what was committed when nobody asks: the longer, the more changes fall into one."""
PLAN_SECONDS = 1.0
MOST_WAITING = 50_000
"""With more things than this waiting they are taken over sooner."""
BUSY_SECONDS, IDLE_SECONDS = 0.02, 0.5
"""So long the figures that follow from forecasts are computed then: while events come and while none do."""

log = logging.getLogger(__name__)


class Observed(Kept, Protocol):
    """A bus that tells of its commits."""

    observers: list[Observer]


@contextmanager
def filled(bus: Observed, rules: Rules, progress: Callable[[], Progress], now: Callable[[], int]) -> Iterator[Columns]:
    """The columns over a bus, which a thread fills from now on; they are not filled yet.

    Args:
        bus: what they hold.
        rules: by which its log is folded.
        progress: how far the log and the rows are.
        now: the engine's clock in microseconds.
    """

    def lag(as_of: int) -> float:
        return max(0, now() - as_of) / SECOND if progress().lag else 0.0

    columns = Columns(bus, lambda marker: read_marker(marker).now, lag, rules)
    # What is committed while the columns are filled waits in the feed, so nothing is missed.
    bus.observers.append(columns.feed)
    stopping = threading.Event()
    keeper = threading.Thread(target=_keep, args=(columns, stopping), name="columns", daemon=True)
    keeper.start()
    try:
        yield columns
    finally:
        stopping.set()
        keeper.join()
        bus.observers.remove(columns.feed)


def _keep(columns: Columns, stopping: threading.Event) -> None:
    try:
        columns.load(stopping.is_set)
        taken = time.monotonic()
        while not stopping.wait(PLAN_SECONDS):
            waiting = len(columns.feed)
            if waiting > MOST_WAITING or time.monotonic() - taken >= TAKE_SECONDS:
                columns.take()
                taken = time.monotonic()
            columns.plan(BUSY_SECONDS if waiting else IDLE_SECONDS)
    except Exception as error:
        # The engine goes on without its lists; whoever asks for one is told why.
        log.exception("the lists cannot be read")
        columns.loading.fail(error)

"""What the lives of all processes have in common: how one begins, is asked to stop, and ends with an error."""

import asyncio
import gc
import logging
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import FrameType
from typing import Protocol, TypeVar

from engine.core.errors import BrokenInvariant, StocklineError

PARENT_VARIABLE = "STOCKLINE_PARENT_PID"
"""A process that starts others sets it to its own id, so that they do not outlive it."""
PARENT_SECONDS = 0.5
WATCH_SECONDS = 0.1
GC_THRESHOLDS = (50_000, 20, 50)
"""Rows and events contain no reference cycles, so garbage collection runs less often than Python's default."""

log = logging.getLogger(__name__)

T = TypeVar("T")
Announce = Callable[[str], None]
"""Told the URL at which a process serves."""


class Fallible(Protocol):
    """A service whose background work may fail."""

    def failure(self) -> BaseException | None:
        """The error that ended the background work; None while it runs."""


def live(serve: Callable[[asyncio.Event], Awaitable[T]]) -> T:
    """Run `serve` in an event loop to its end.

    Args:
        serve: the life of the process. It receives an event that a stop signal sets, and so does the end of the
            parent process where `PARENT_VARIABLE` names one.
    """

    async def run() -> T:
        return await serve(_stop_requested())

    # What is imported by now stays for ever, so the collector never needs to walk it.
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    return asyncio.run(run())


async def stopped_or_failed(service: Fallible, stop: asyncio.Event) -> BaseException | None:
    """Wait until the process is asked to stop (None), or until `service` fails (its error)."""
    while not stop.is_set():
        if (failure := service.failure()) is not None:
            return failure
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), WATCH_SECONDS)
    return None


def raise_failure(failure: BaseException | None) -> None:
    """Raise the error that ended a process, if one did; an error that is not Stockline's own is a bug."""
    if isinstance(failure, StocklineError):
        raise failure
    if failure is not None:
        raise BrokenInvariant(repr(failure)) from failure


def end_within(seconds: float) -> None:
    """End this process with exit code 0 after so many seconds, even if a client never finishes its orderly end.

    The client of a broker that fell silent may never finish. Call this once nothing is open that must be kept.
    """
    timer = threading.Timer(seconds, _end_at_once, [seconds])
    timer.daemon = True
    timer.start()


def _end_at_once(seconds: float) -> None:
    log.warning("Kafka was not left within %g s; the process ends without it, all that was committed is kept", seconds)
    os._exit(0)


def environment_of_child() -> dict[str, str]:
    """The environment for a child process that must not outlive this one."""
    return {**os.environ, PARENT_VARIABLE: str(os.getpid())}


def stop_signals() -> list[signal.Signals]:
    """SIGTERM, SIGINT, and SIGHUP (the terminal was closed) unless the caller ignores it, as `nohup` does."""
    numbers = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    return numbers


def unwind_when_asked() -> None:
    """Let a stop signal raise SystemExit, so that a command without an event loop leaves all its `with` blocks."""
    for number in stop_signals():
        if number is not signal.SIGINT:
            signal.signal(number, _unwind)


def _unwind(number: int, _frame: FrameType | None) -> None:
    # A second signal must not interrupt the clean-up that the first one has begun.
    for each in stop_signals():
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)


def _stop_requested() -> asyncio.Event:
    """An event of the running loop that a stop signal, or the end of the parent process, sets."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in stop_signals():
        loop.add_signal_handler(number, stop.set)
    if (parent := os.environ.get(PARENT_VARIABLE)) is not None:

        def check_parent() -> None:
            if os.getppid() != int(parent):
                stop.set()
            loop.call_later(PARENT_SECONDS, check_parent)

        check_parent()
    return stop

"""How a process of the engine is asked to stop: by a signal, or by the end of the process that started it."""

import asyncio
import logging
import os
import signal
import threading
from types import FrameType

PARENT_VARIABLE = "STOCKLINE_PARENT_PID"
"""Set by a process that starts others: they do not outlive it."""
PARENT_SECONDS = 0.5
log = logging.getLogger(__name__)


def stop_signals() -> list[signal.Signals]:
    """SIGTERM, SIGINT, and SIGHUP (the terminal was closed) unless the caller ignores it, as `nohup` does."""
    numbers = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    return numbers


def stop_when_asked() -> asyncio.Event:
    """An event that a stop signal, or the end of the parent process, sets. Call it in the loop that will wait."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in stop_signals():
        loop.add_signal_handler(number, asked.set)
    if (parent := os.environ.get(PARENT_VARIABLE)) is not None:

        def look() -> None:
            if os.getppid() != int(parent):
                asked.set()
            loop.call_later(PARENT_SECONDS, look)

        look()
    return asked


def end_within(seconds: float) -> None:
    """End this process after so many seconds in any case, with exit code 0.

    A client of a broker that fell silent may never come to its end. Call this once nothing is open that must be kept.
    """
    timer = threading.Timer(seconds, _end_at_once, [seconds])
    timer.daemon = True
    timer.start()


def _end_at_once(seconds: float) -> None:
    log.warning("Kafka was not left within %g s; the process ends without it, all that was committed is kept", seconds)
    os._exit(0)


def environment_of_child() -> dict[str, str]:
    """The environment for a process that is not to outlive this one."""
    return {**os.environ, PARENT_VARIABLE: str(os.getpid())}


def unwind_when_asked() -> None:
    """Let a stop signal raise SystemExit, so that a command without an event loop leaves all its `with` blocks."""
    for number in stop_signals():
        if number is not signal.SIGINT:
            signal.signal(number, _unwind)


def _unwind(number: int, frame: FrameType | None) -> None:
    # What is being ended must not be interrupted by the next signal.
    for each in stop_signals():
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)

"""How a process of the engine is asked to stop: by a signal, or by the end of the process that started it."""

import asyncio
import os
import signal
from types import FrameType

PARENT_VARIABLE = "STOCKLINE_PARENT_PID"
"""Set by a process that starts others: they do not outlive it."""
PARENT_SECONDS = 0.5


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

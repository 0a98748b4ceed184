"""Shows the progress of the demo: a live line on a terminal, plain lines otherwise."""

import time
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeRemainingColumn

from engine.demo.world.closed_loop import Status

PLAIN_EVERY_SECONDS = 5.0


class Display(Protocol):
    """What the run calls when a step begins and when the replay has advanced; a context manager."""

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        ...

    def say(self, text: str) -> None:
        """Print the name of a step that begins."""
        ...

    def show(self, status: Status) -> None:
        """Show how far the replay is."""
        ...

    def close(self) -> None:
        """Stop drawing, so that others may print."""
        ...


class _Plain:
    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._last = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def say(self, text: str) -> None:
        print(text, file=self._out, flush=True)

    def show(self, status: Status) -> None:
        now = time.monotonic()
        if now - self._last >= PLAIN_EVERY_SECONDS or status.share >= 1:
            self._last = now
            print(f"{_day(status)}  {status.share:4.0%}  {_figures(status)}", file=self._out, flush=True)

    def close(self) -> None:
        self._out.flush()


class _Live:
    def __init__(self, out: TextIO) -> None:
        self._console = Console(file=out)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[day]}"),
            BarColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            console=self._console,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def say(self, text: str) -> None:
        self._console.print(text, highlight=False)

    def show(self, status: Status) -> None:
        if self._task is None:
            self._progress.start()
            self._task = self._progress.add_task("", total=1.0, day="", figures="")
        self._progress.update(self._task, completed=status.share, day=_day(status), figures=_figures(status))
        if status.share >= 1:
            self.close()

    def close(self) -> None:
        self._progress.stop()


def display_for(out: TextIO) -> Display:
    """A live line if `out` is a terminal, plain lines otherwise."""
    return _Live(out) if out.isatty() else _Plain(out)


def _day(status: Status) -> str:
    return datetime.fromtimestamp(status.now / 1_000_000, UTC).strftime("%a %d %b %Y")


def _figures(status: Status) -> str:
    return (
        f"{status.sent:,} events, {status.rate:,.0f}/s, {status.orders:,} orders, "
        f"{status.open_signals} signals open, {status.findings} ERP errors planted"
    )

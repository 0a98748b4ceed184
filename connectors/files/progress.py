"""Shows the progress of a transfer: a bar on a terminal, a line every few seconds otherwise."""

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeRemainingColumn


class TransferProgress(Protocol):
    """What the sender calls at the start of a file, after every acknowledged batch, and at the end of the file."""

    def start(self, path: str, total_bytes: int | None, /) -> None:
        """A file begins; its size in bytes is None for standard input and packed files."""
        ...

    def advance(self, offset: int, events: int, problems: int) -> None:
        """The engine has the file durably up to the byte `offset`; `events` and `problems` are totals so far."""
        ...

    def finish(self) -> None:
        """The file has ended."""
        ...


class Silent:
    """Shows no progress."""

    def start(self, path: str, total_bytes: int | None) -> None:
        """Do nothing."""

    def advance(self, offset: int, events: int, problems: int) -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing."""


class PlainLines:
    """A line every few seconds, for logs and pipes."""

    def __init__(self, out: TextIO, every_seconds: float = 5.0) -> None:
        self._out = out
        self._every = every_seconds
        self._path, self._started, self._last, self._line = "", 0.0, 0.0, ""

    def start(self, path: str, _total_bytes: int | None, /) -> None:
        """Begin a file."""
        self._path, self._line = path, ""
        self._started = self._last = time.monotonic()

    def advance(self, offset: int, events: int, problems: int) -> None:
        """Write a line if the interval has passed since the last one."""
        now = time.monotonic()
        rate = events / max(now - self._started, 1e-9)
        self._line = f"{events} events, {rate:,.0f} a second, {problems} problems, {offset / 1e6:.1f} MB"
        if now - self._last >= self._every:
            self._last = now
            print(f"{self._path}: {self._line}", file=self._out, flush=True)

    def finish(self) -> None:
        """Write the last line, if anything was sent."""
        if self._line:
            print(f"{self._path}: {self._line}", file=self._out, flush=True)


class Bar:
    """A progress bar with the totals and the rate; a context manager."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task: TaskID | None = None
        self._started = 0.0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def start(self, path: str, total_bytes: int | None) -> None:
        """Begin a file."""
        self._started = time.monotonic()
        self._task = self._progress.add_task(Path(path).name, total=total_bytes, figures="")

    def advance(self, offset: int, events: int, problems: int) -> None:
        """Move the bar."""
        rate = events / max(time.monotonic() - self._started, 1e-9)
        figures = f"{events:,} events  {rate:,.0f}/s  {problems} problems"
        if self._task is not None:
            self._progress.update(self._task, completed=offset, figures=figures)

    def finish(self) -> None:
        """Fill the bar."""
        if self._task is not None:
            task = next(task for task in self._progress.tasks if task.id == self._task)
            self._progress.update(self._task, total=task.completed or 1, completed=task.completed or 1)


def progress_for(out: TextIO = sys.stderr) -> Bar | PlainLines:
    """A bar if `out` is a terminal, lines otherwise."""
    return Bar(Console(file=out)) if out.isatty() else PlainLines(out)

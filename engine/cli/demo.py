"""`stockline demo`: months of a real wholesaler's invoices, closed loop, against an engine of its own."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from engine.core.errors import UsageError
from engine.stopping import unwind_when_asked

DEFAULT_FROM = date(2011, 3, 1)
DEFAULT_MONTHS = 3
WARM_UP_DAYS = 28
FIRST_DAY, LAST_DAY = date(2010, 12, 1), date(2011, 9, 30)
"""What the packaged data covers."""


@dataclass(frozen=True)
class DemoOptions:
    """What the demo may be told; `data` must not exist or be empty, without it the data is thrown away in the end."""

    first: date = DEFAULT_FROM
    last: date | None = None
    months: int = DEFAULT_MONTHS
    seed: str = "7"
    port: int = 8080
    data: Path | None = None
    exit: bool = False
    as_json: bool = False

    @property
    def period(self) -> tuple[date, date]:
        """The first and the last day to replay. Raises `UsageError`."""
        last = self.last or _months_later(self.first, self.months)
        if (self.first - FIRST_DAY).days < WARM_UP_DAYS or last > LAST_DAY or last < self.first:
            earliest = date.fromordinal(FIRST_DAY.toordinal() + WARM_UP_DAYS)
            raise UsageError(f"the demo's data allows days from {earliest} to {LAST_DAY}, not {self.first} to {last}")
        return self.first, last


def demo(
    first: Annotated[str, typer.Option("--from", metavar="DATE", help="The first day.")] = DEFAULT_FROM.isoformat(),
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="The last day.")] = None,
    months: Annotated[int, typer.Option(min=1, max=9, help="How many, where --to is not given.")] = DEFAULT_MONTHS,
    seed: Annotated[str, typer.Option(help="Other suppliers, other mishaps.")] = "7",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The page's port; another one if it is taken.")] = 8080,
    data: Annotated[Path | None, typer.Option(help="Keep the log here; it must be empty.")] = None,
    exit_: Annotated[bool, typer.Option("--exit", help="End after the summary.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as JSON.")] = False,
) -> None:
    """Replay months of real invoices with simulated suppliers, as fast as it goes, and say what came of it."""
    options = DemoOptions(_day(first), None if last is None else _day(last), months, seed, port, data, exit_, as_json)
    unwind_when_asked()
    raise typer.Exit(run_demo(options))


def run_demo(options: DemoOptions) -> int:
    """Run the demo and print its summary; 0, or 1 when the engine's figures do not agree with what was sent."""
    # The simulator is imported here, so that the other commands start without it.
    from engine.cli.demo_run import run

    return run(options)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a date such as {DEFAULT_FROM}") from None


def _months_later(first: date, months: int) -> date:
    """The last day of so many months from `first`."""
    years, month = divmod(first.month - 1 + months, 12)
    following = date(first.year + years, month + 1, 1)
    if first.day > 1:
        following = following.replace(day=min(first.day, 28))
    return date.fromordinal(following.toordinal() - 1)

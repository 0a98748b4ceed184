"""`stockline demo`: months of a real wholesaler's invoices, closed loop, against an engine of its own."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from engine.core.errors import UsageError
from engine.demo.options import DEFAULT_FROM, DEFAULT_MONTHS, DemoOptions
from engine.processes.lifecycle import unwind_when_asked


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
    # The simulator is imported here, so that the other commands start without it.
    from engine.demo.run import run

    raise typer.Exit(run(options))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a date such as {DEFAULT_FROM}") from None

"""`stockline audit`: fold the log again and compare."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from engine import settings as settings_module
from engine.cli import show
from engine.core.errors import UsageError

SHOWN_DIFFERENCES = 20


def audit(
    data: Annotated[Path | None, typer.Option(help="The directory of the log.", show_default="stockline-data")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
) -> None:
    """Fold the log again and compare every row, signal and alert with what is stored; exit 1 on any difference."""
    settings = settings_module.load(data=data)
    if not settings.data.is_dir():
        raise UsageError(f"{settings.data} is not a data directory")
    # What folds is imported here, so that the other commands start without it.
    from engine import app

    with tempfile.TemporaryDirectory(prefix="stockline-audit-") as scratch, _progress() as progress:
        task = progress.add_task("folding", total=None)
        report = app.audited(
            settings, Path(scratch), lambda done, total: progress.update(task, completed=done, total=total)
        )
    if as_json:
        show.document({name: getattr(report, name) for name in report.__struct_fields__})
    else:
        typer.echo(
            f"{report.records} records folded; compared {report.rows} rows of all tables, "
            f"{report.positions} positions, {report.signals} signals, {report.alerts} alerts, "
            f"{report.dead_letters} dead letters: {len(report.differences) or 'no'} differences"
        )
        for difference in report.differences[:SHOWN_DIFFERENCES]:
            show.remark(f"  {difference}")
    raise typer.Exit(1 if report.differences else 0)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )

"""`stockline audit`: fold the log again and compare."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from engine import settings as settings_module
from engine.cli import show, workers
from engine.core.errors import UsageError
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.runtime.audit import AuditReport

SHOWN_DIFFERENCES = 20


def audit(
    data: Annotated[Path | None, typer.Option(help="The directory of the log.", show_default="stockline-data")] = None,
    kafka: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="A cluster, instead of a directory.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
) -> None:
    """Fold the log again and compare every row, signal and alert with what is stored; exit 1 on any difference."""
    settings = settings_module.load(data=data)
    if kafka is None and not settings.data.is_dir():
        raise UsageError(
            f"{settings.data} is not a data directory: name one with --data, or a cluster with --kafka HOST:PORT"
        )
    with tempfile.TemporaryDirectory(prefix="stockline-audit-") as scratch, _progress() as progress:
        task = progress.add_task("folding", total=None)

        def advance(done: int, total: int | None) -> None:
            progress.update(task, completed=done, total=total)

        report = _audited(settings, kafka, Path(scratch), advance)
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


def _audited(
    settings: Settings, kafka: str | None, scratch: Path, advance: Callable[[int, int | None], None]
) -> "AuditReport":
    # What folds is imported here, so that the other commands start without it.
    if kafka is None:
        from engine import app

        return app.audited(settings, scratch, advance)
    from engine import cluster

    workers.quiet()
    return cluster.audited(settings, settings_module.load_kafka(kafka=kafka), scratch, advance)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )

"""`stockline audit`: fold the log again and compare."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli import logs, show
from engine.cli.folding import folding
from engine.core.errors import UsageError
from engine.settings import load_kafka, load_settings

if TYPE_CHECKING:
    from engine.runtime.audit import AuditReport

SHOWN_DIFFERENCES = 20


def audit(
    data: Annotated[Path | None, typer.Option(help="The directory of the log.", show_default="stockline-data")] = None,
    kafka: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="A cluster, instead of a directory.")] = None,
    since: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="Begin with the rows that an audit has saved.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save the rows for a later audit, if there is no difference.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
) -> None:
    """Read all that is stored, fold the log again and compare every row, signal and alert; exit 1 on any difference."""
    settings = load_settings(data=data)
    if kafka is None:
        _check_directory(settings.data)
    if save is not None and save.exists():
        raise UsageError(f"{save} exists; name a new file")
    # What folds is imported here, so that the other commands start without it.
    from engine.processes.audits import AuditFiles, audit_cluster, audit_directory

    with tempfile.TemporaryDirectory(prefix="stockline-audit-") as scratch, folding() as progress:
        files = AuditFiles(Path(scratch), since, save)
        if kafka is None:
            report = audit_directory(settings, files, progress)
        else:
            logs.show_cluster()
            report = audit_cluster(load_kafka(kafka=kafka), files, progress)
    _print(report, as_json)
    raise typer.Exit(1 if report.differences else 0)


def _check_directory(data: Path) -> None:
    if not data.is_dir():
        raise UsageError(f"{data} is not a data directory: name one with --data, or a cluster with --kafka HOST:PORT")


def _print(report: "AuditReport", as_json: bool) -> None:
    if as_json:
        show.document({name: getattr(report, name) for name in report.__struct_fields__})
        return
    since = "" if report.since is None else f" after the snapshot {report.since}"
    typer.echo(
        f"{report.records} records folded{since}; compared {report.rows} rows of all tables, "
        f"{report.positions} positions, {report.signals} signals, {report.alerts} alerts, "
        f"{report.dead_letters} dead letters: {len(report.differences) or 'no'} differences"
    )
    if report.disk_bytes is not None:
        show.remark(f"  every file was read against its checksums: {report.disk_bytes:,} bytes on disk")
    for difference in report.differences[:SHOWN_DIFFERENCES]:
        show.remark(f"  {difference}")

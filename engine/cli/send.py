"""`stockline send`: send files of events to a running engine."""

import json
import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from connectors.client import DEFAULT_URL, Patience
from connectors.files import FileReport, SendOptions, SendReport, send_files
from connectors.files.dry_run import FilePreview, Preview, preview_files
from connectors.files.progress import Bar, progress_for
from connectors.files.sender import plan_files
from connectors.identifiers import Names
from engine.cli import remote, show
from engine.core.errors import EnvironmentFailure

Time = Annotated[str | None, typer.Option("--time", help="When the stock was so, for a profile with a constant time.")]
SHOWN_PROBLEMS = 20
LOOK_SECONDS = 0.2


def send(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Files to send; - is standard input.")],
    profile: Annotated[str | None, typer.Option(help="How to read CSV: a profile's name or file.")] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Begin each file anew, not where it was left.")] = False,
    complete: Annotated[bool, typer.Option("--complete", help="Also a last line without a line end.")] = False,
    state: Annotated[Path | None, typer.Option(help="Where to keep how far each file is sent, else beside it.")] = None,
    patience: Annotated[float, typer.Option(min=0, help="Seconds to wait for an engine that does not answer.")] = 60,
    rejects: Annotated[
        Path | None, typer.Option(help="Where the records go that are not taken, with reasons, else beside the file.")
    ] = None,
    identifiers: Annotated[
        Path | None, typer.Option(help="What the partner of a profile calls our items: a CSV file.")
    ] = None,
    at: Time = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Send nothing: show what would be sent.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
    url: remote.Url = DEFAULT_URL,
) -> None:
    """Send files of events; one that was interrupted goes on where it was. Exit 1 when not all was accepted."""
    # A wrong option is reported before the command waits for an engine.
    names = None if identifiers is None else Names.of(identifiers, frozenset())
    plan = plan_files(files, profile, rejects, names, at)
    if dry_run:
        _leave(preview_files(plan, complete, rejects), as_json)
    _wait_for_engine(url, patience)
    options = SendOptions(restart, complete, state, rejects, names, at, patience=Patience(seconds=patience))
    progress = progress_for()
    with progress if isinstance(progress, Bar) else nullcontext():
        report = send_files(files, url, profile, options=options, progress=progress)
    _leave(report, as_json)


def _leave(report: SendReport | Preview, as_json: bool) -> NoReturn:
    if as_json:
        show.document(report.as_dict())
    elif isinstance(report, Preview):
        _print_preview(report)
    else:
        _print(report)
    raise typer.Exit(report.exit_code)


def _wait_for_engine(url: str, seconds: float) -> None:
    """Wait for an engine that the line before in a script has just started and that is not ready yet."""
    started, told = time.monotonic(), False
    while not remote.ask(url, lambda client: client.ready()):
        if time.monotonic() - started >= seconds:
            raise EnvironmentFailure(f"no engine is ready at {url}; `stockline run` starts one")
        if not told:
            show.remark(f"no engine is ready at {url} yet (`stockline run` starts one); waiting up to {seconds:g} s")
        told = True
        time.sleep(LOOK_SECONDS)


def _print(report: SendReport) -> None:
    for file in report.files:
        if file.anew is not None:
            show.remark(f"{file.path} is sent from its first line: {file.anew}")
        typer.echo(f"{file.path}: {_outcome(file)}")
        _print_problems(file)
        if file.rejects is not None:
            show.remark(f"  they are in {file.rejects}: mend them there and send that file")
        _print_unfinished(file, "not sent")


def _print_preview(preview: Preview) -> None:
    for file in preview.files:
        unfinished = ", 1 unfinished" if file.unfinished is not None else ""
        counts = f"{file.events} events, {file.refused} refused, {file.broken} broken{unfinished}"
        typer.echo(f"{file.path}: a dry run, nothing is sent: {counts}{_skipped(file.skipped)}")
        for kind, count in sorted(file.by_type.items()):
            typer.echo(f"  {kind}: {count}")
        for event in file.first:
            typer.echo(f"  {json.dumps(event, ensure_ascii=False)}")
        _print_problems(file)
        _print_unfinished(file, "would not be sent")


def _print_problems(file: FileReport | FilePreview) -> None:
    for problem in file.problems[:SHOWN_PROBLEMS]:
        show.remark(f"  line {problem.line}: {problem.kind}: {problem.reason}")
    if (more := file.broken + file.refused - SHOWN_PROBLEMS) > 0:
        show.remark(f"  and {more} more; --json has up to a thousand")


def _print_unfinished(file: FileReport | FilePreview, what: str) -> None:
    if file.unfinished is not None:
        show.remark(
            f"  line {file.unfinished.line}: {what}: {file.unfinished.reason}, so it may still be being written. "
            "End it and send again, or send again with --complete to take it as it is"
        )


def _skipped(counts: Mapping[str, int]) -> str:
    return "".join(f", {count} skipped ({why})" for why, count in counts.items())


def _outcome(file: FileReport) -> str:
    if file.sent_before:
        return f"all {file.resumed_at_line} lines were sent before, --restart sends them again"
    known = f", {file.duplicates} duplicates" if file.duplicates else ""
    taken = file.accepted if file.new is None else file.new
    unfinished = ", 1 unfinished" if file.unfinished is not None else ""
    resumed = f", from line {file.resumed_at_line + 1}" if file.resumed_at_line else ""
    counts = f"{taken} accepted{known}, {file.refused} refused, {file.broken} broken"
    return f"{counts}{unfinished}{_skipped(file.skipped)}{resumed}"

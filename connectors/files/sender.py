"""Sends files: reads them, posts their events in batches, and saves the position up to which they are durable.

A batch is posted before its position is saved, so a crash between the two sends the batch again; the log recognises
its events by their idempotency keys.
"""

import asyncio
import codecs
import itertools
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from connectors.base import EventSink, Submission
from connectors.client import EngineClient, Patience
from connectors.files.lines import STANDARD_INPUT, open_input, read_some
from connectors.files.profile import FileProfile
from connectors.files.progress import Silent, TransferProgress
from connectors.files.readers import Item, Reader, choose_reader, reject_form
from connectors.files.rejects import Rejects, rejects_path
from connectors.files.report import FileReport, Problem, SendReport
from connectors.files.resume import Progress, Target
from connectors.files.words import in_words
from connectors.ports import Identifiers
from engine.core.errors import EnvironmentFailure, UsageError

HEAD_BYTES = 4096
"""How much of a file is looked at to see whether it is a document or lines."""


@dataclass(frozen=True)
class SendOptions:
    """How to send. A batch ends at `batch_events` events or `batch_bytes` bytes, whichever comes first.

    `restart` begins at the first line, even if a position was saved. `complete` says that nobody writes to the files
    any more, so that a last line without a line end is sent too. Without `state_dir` positions are saved beside the
    files. `rejects` is the file for records that the engine does not have, by default one beside the state.
    `identifiers` are the names of a profile's partner, `time` replaces the constant time of a profile.
    """

    restart: bool = False
    complete: bool = False
    state_dir: Path | None = None
    rejects: Path | None = None
    identifiers: Identifiers | None = None
    time: str | None = None
    batch_events: int = 5000
    batch_bytes: int = 4 * 1024 * 1024
    patience: Patience = field(default_factory=Patience)


def send_files(
    paths: Sequence[str],
    url: str,
    profile: str | Path | FileProfile | None = None,
    *,
    options: SendOptions | None = None,
    progress: TransferProgress | None = None,
) -> SendReport:
    """Send files to the engine at `url`, one after the other; `-` is standard input.

    Raises `UsageError` for a path or profile that cannot be used, `EnvironmentFailure` if a file cannot be read or the
    engine cannot be reached. A second call continues after the last batch that was acknowledged.
    """
    options = options or SendOptions()
    plan = plan_files(paths, profile, options.rejects, options.identifiers, options.time)
    return asyncio.run(_send_all(plan, url, options, progress or Silent()))


def plan_files(
    paths: Sequence[str],
    profile: str | Path | FileProfile | None = None,
    rejects: Path | None = None,
    identifiers: Identifiers | None = None,
    time: str | None = None,
) -> list[tuple[str, Reader]]:
    """The files with their readers. Raises `UsageError` for whatever is wrong with the call."""
    plan = [(path, choose_reader(path, profile, identifiers, time)) for path in paths]
    for path, reader in plan:
        if path != STANDARD_INPUT and not Path(path).is_file():
            raise UsageError(f"{path}: no such file")
        if reader.name == "ndjson" and ".json" in Path(path).suffixes[-2:]:
            _require_lines(path)
        if rejects is not None and path != STANDARD_INPUT and rejects.resolve() == Path(path).resolve():
            raise UsageError(f"{path}: the reject file would overwrite it; name another with --rejects")
    if rejects is not None and len(plan) > 1:
        raise UsageError("a reject file belongs to one file: without --rejects each has its own")
    return plan


def _require_lines(path: str) -> None:
    """Raises `UsageError` where a file is one document of JSON: each of its lines would become a dead letter."""
    with open_input(path) as source:
        head = read_some(source, HEAD_BYTES).removeprefix(codecs.BOM_UTF8).lstrip()
    if head.startswith(b"[") or head.split(b"\n", 1)[0].strip() == b"{":
        raise UsageError(
            f"{path}: this is one document of JSON, and a file of events has one event in each line. For an array "
            f"`jq -c '.[]' {path}` writes them; a document of EPCIS is sent with --profile epcis"
        )


async def _send_all(
    plan: Sequence[tuple[str, Reader]], url: str, options: SendOptions, progress: TransferProgress
) -> SendReport:
    report, started = SendReport(), time.monotonic()
    async with EngineClient(url, options.patience) as client:
        log = await client.log_id()
        for path, reader in plan:
            target = Target(log, f"{reader.name} {reader.digest}")
            with closing(Progress(path, target, options.state_dir)) as saved:
                report.files.append(await _Transfer(client, reader, saved, options, progress).send(path))
    report.seconds = round(time.monotonic() - started, 3)
    return report


class _Transfer:
    """The transfer of one file."""

    def __init__(
        self, sink: EventSink, reader: Reader, saved: Progress, options: SendOptions, progress: TransferProgress
    ) -> None:
        self._sink = sink
        self._reader = reader
        self._saved = saved
        self._options = options
        self._progress = progress
        self._rejects: Rejects | None = None

    async def send(self, path: str) -> FileReport:
        if self._options.restart:
            self._saved.forget()
        start = self._saved.restore()
        report = FileReport(path, self._reader.name, resumed_at_line=start.mark.lines, anew=start.anew)
        self._progress.start(path, _size(path))
        self._rejects = self._reject_file(path, start.rejects)
        try:
            items = self._reader.read(self._saved.source, start.mark)
            for batch in batches(self._whole(items, report), self._options):
                await self._deliver(batch, report)
        finally:
            self._progress.finish()
            if self._rejects is not None:
                self._rejects.close()
        report.complete = report.unfinished is None
        return report

    def _reject_file(self, path: str, kept: int) -> Rejects | None:
        """The reject file of a file; standard input has one only if it is named."""
        if self._options.rejects is not None:
            return Rejects(self._options.rejects, kept)
        return None if path == STANDARD_INPUT else Rejects(rejects_path(path, self._options.state_dir), kept)

    def _whole(self, items: Iterable[Item], report: FileReport) -> Iterator[Item]:
        """The items up to the first one that another process may still be writing."""
        for item in items:
            if item.unfinished is not None and not self._options.complete:
                report.unfinished = Problem(item.line, "unfinished", item.unfinished)
                return
            yield item

    async def _deliver(self, batch: Sequence[Item], report: FileReport) -> None:
        events = [event for item in batch for event in item.events]
        submission = await self._sink.post_events(events)
        await self._check_log()
        self._set_aside(batch, _account(batch, submission, report), report)
        self._saved.save(batch[-1].mark, 0 if self._rejects is None else self._rejects.save())
        self._progress.advance(batch[-1].mark.offset, report.accepted, report.broken + report.refused)

    def _set_aside(self, batch: Sequence[Item], problems: Sequence[Problem], report: FileReport) -> None:
        """Write the records with problems to the reject file, before the position is saved."""
        if self._rejects is None or not problems:
            return
        reasons: dict[int, str] = {}
        for problem in problems:
            reasons.setdefault(problem.line, problem.reason)
        form = reject_form(self._reader)
        for item in batch:
            if item.line in reasons:
                self._rejects.add(item.number or item.line, reasons.pop(item.line), item.record, form)
        report.rejects = str(self._rejects.path)

    async def _check_log(self) -> None:
        """Check that the engine still appends to the same log: it may have been restarted on another one."""
        if await self._sink.log_id() != self._saved.log:
            raise EnvironmentFailure(
                "the engine was started on another log meanwhile, which lacks what was sent before: send again, which "
                "begins at the first line"
            )


def _account(batch: Sequence[Item], submission: Submission, report: FileReport) -> list[Problem]:
    """Count a batch into the report, and return its problems in the order of their lines."""
    line_of = list(itertools.chain.from_iterable([item.line] * len(item.events) for item in batch))
    problems = [Problem(item.line, "broken", item.problem) for item in batch if item.problem is not None]
    refused = submission.refused
    problems += [Problem(line_of[rejected.index], "refused", in_words(rejected.reason)) for rejected in refused]
    problems.sort(key=lambda problem: problem.line)
    for problem in problems:
        report.add_problem(problem)
    report.lines = batch[-1].mark.lines
    report.sent += len(line_of)
    report.accepted += submission.accepted
    if submission.duplicates is not None:
        report.duplicates = (report.duplicates or 0) + submission.duplicates
    for why, count in Counter(item.skipped for item in batch if item.skipped is not None).items():
        report.skipped[why] = report.skipped.get(why, 0) + count
    return problems


def batches(items: Iterable[Item], options: SendOptions) -> Iterator[list[Item]]:
    """The items in batches of the size that the options say; those without events count less, but not nothing."""
    batch: list[Item] = []
    events = size = 0
    for item in items:
        batch.append(item)
        events += len(item.events)
        size += sum(len(event) + 1 for event in item.events) + len(item.record)
        # Items without events count too, so that a file of broken lines stays within memory.
        if events >= options.batch_events or size >= 2 * options.batch_bytes or len(batch) >= 4 * options.batch_events:
            yield batch
            batch, events, size = [], 0, 0
    if batch:
        yield batch


def _size(path: str) -> int | None:
    if path == STANDARD_INPUT or path.endswith((".xz", ".gz")):
        return None
    return Path(path).stat().st_size

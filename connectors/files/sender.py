"""Sends files: reads them, posts their events in batches, and saves the position up to which they are durable.

A batch is posted before its position is saved, so a crash between the two sends the batch again; the log recognises
its events by their idempotency keys.
"""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from connectors.base import EventSink, Submission
from connectors.client import EngineClient, Patience
from connectors.files.lines import STANDARD_INPUT
from connectors.files.profile import Profile
from connectors.files.progress import Silent, TransferProgress
from connectors.files.readers import Item, Reader, choose_reader
from connectors.files.report import FileReport, Problem, SendReport
from connectors.files.resume import Progress, Target
from engine.core.errors import EnvironmentFailure, UsageError


@dataclass(frozen=True)
class SendOptions:
    """How to send. A batch ends at `batch_events` events or `batch_bytes` bytes, whichever comes first.

    `restart` begins at the first line, even if a position was saved. `complete` says that nobody writes to the files
    any more, so that a last line without a line end is sent too. Without `state_dir` positions are saved beside the
    files.
    """

    restart: bool = False
    complete: bool = False
    state_dir: Path | None = None
    batch_events: int = 5000
    batch_bytes: int = 4 * 1024 * 1024
    patience: Patience = field(default_factory=Patience)


def send_files(
    paths: Sequence[str],
    url: str,
    profile: str | Path | Profile | None = None,
    *,
    options: SendOptions | None = None,
    progress: TransferProgress | None = None,
) -> SendReport:
    """Send files to the engine at `url`, one after the other; `-` is standard input.

    Raises `UsageError` for a path or profile that cannot be used, `EnvironmentFailure` if a file cannot be read or the
    engine cannot be reached. A second call continues after the last batch that was acknowledged.
    """
    plan = [(path, choose_reader(path, profile)) for path in paths]
    for path, _ in plan:
        if path != STANDARD_INPUT and not Path(path).is_file():
            raise UsageError(f"{path}: no such file")
    return asyncio.run(_send_all(plan, url, options or SendOptions(), progress or Silent()))


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

    async def send(self, path: str) -> FileReport:
        if self._options.restart:
            self._saved.forget()
        start, anew = self._saved.restore()
        report = FileReport(path, self._reader.name, resumed_at_line=start.lines, anew=anew)
        self._progress.start(path, _size(path))
        try:
            items = self._reader.read(self._saved.source, start)
            for batch in _batches(self._whole(items, report), self._options):
                await self._deliver(batch, report)
        finally:
            self._progress.finish()
        report.complete = report.unfinished is None
        return report

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
        _account(batch, submission, report)
        self._saved.save(batch[-1].mark)
        self._progress.advance(batch[-1].mark.offset, report.accepted, report.broken + report.refused)

    async def _check_log(self) -> None:
        """Check that the engine still appends to the same log: it may have been restarted on another one."""
        if await self._sink.log_id() != self._saved.log:
            raise EnvironmentFailure(
                "the engine was started on another log meanwhile, which lacks what was sent before: send again, which "
                "begins at the first line"
            )


def _account(batch: Sequence[Item], submission: Submission, report: FileReport) -> None:
    line_of = list(itertools.chain.from_iterable([item.line] * len(item.events) for item in batch))
    problems = [Problem(item.line, "broken", item.problem) for item in batch if item.problem is not None]
    problems += [Problem(line_of[rejected.index], "refused", rejected.reason) for rejected in submission.refused]
    for problem in sorted(problems, key=lambda problem: problem.line):
        report.add_problem(problem)
    report.lines = batch[-1].mark.lines
    report.sent += len(line_of)
    report.accepted += submission.accepted
    if submission.duplicates is not None:
        report.duplicates = (report.duplicates or 0) + submission.duplicates
    for why, count in Counter(item.skipped for item in batch if item.skipped is not None).items():
        report.skipped[why] = report.skipped.get(why, 0) + count


def _batches(items: Iterable[Item], options: SendOptions) -> Iterator[list[Item]]:
    batch: list[Item] = []
    events = size = 0
    for item in items:
        batch.append(item)
        events += len(item.events)
        size += sum(len(event) + 1 for event in item.events)
        # Items without events count too, so that a file of broken lines stays within memory.
        if events >= options.batch_events or size >= options.batch_bytes or len(batch) >= 4 * options.batch_events:
            yield batch
            batch, events, size = [], 0, 0
    if batch:
        yield batch


def _size(path: str) -> int | None:
    if path == STANDARD_INPUT or path.endswith((".xz", ".gz")):
        return None
    return Path(path).stat().st_size

"""The composition root of `stockline audit`: it opens what is kept and a scratch bus, and folds the log again.

An engine may be running meanwhile: the state that was committed when the audit began is compared.
"""

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from engine.bus import snapshot_file
from engine.bus.disk.bus import EmbeddedBus
from engine.bus.kafka.snapshot import Snapshot
from engine.bus.kafka.topics import existing_topics
from engine.bus.single import Audited, Bus
from engine.bus.snapshot_file import Head
from engine.core.errors import Corrupt, UsageError
from engine.kafka.connection import Connection
from engine.runtime.audit import AuditReport, audit
from engine.settings import KafkaSettings, Settings

Progress = Callable[[int, int | None], None]
"""It is told (records done, records in all); the latter is None while it is unknown."""


class AuditFiles(NamedTuple):
    """The files of an audit.

    Attributes:
        scratch: an empty folder to work in.
        since: the snapshot of rows that the fold begins with; None begins with the first record of the log.
        save: a new file for the rows that the fold ends with, written if there is no difference.
    """

    scratch: Path
    since: Path | None = None
    save: Path | None = None


def audit_directory(settings: Settings, files: AuditFiles, progress: Progress) -> AuditReport:
    """Read all files of the data directory against their checksums, fold its log again and compare.

    Raises:
        UsageError: the log cannot be folded on from the snapshot.
        Corrupt: a file is damaged, or the snapshot that the rest of the log needs is missing.
    """
    with (
        closing(EmbeddedBus.open(settings.data, read_only=True)) as bus,
        closing(EmbeddedBus.open(files.scratch, bus.partitions)) as again,
    ):
        bus.verify()
        path = files.since or _kept_snapshot(bus)
        since = None if path is None else _restore(path, bus, again)
        report = audit(bus, again, progress, since)
        report.since, report.disk_bytes = None if path is None else path.name, bus.size_on_disk()
        if files.save is not None and not report.differences:
            snapshot_file.save(files.save, bus.head(), again)
        return report


def audit_cluster(settings: KafkaSettings, files: AuditFiles, progress: Progress) -> AuditReport:
    """Copy the topics of a cluster into the scratch folder, fold the log again and compare.

    Raises:
        UsageError: the log cannot be folded on from the snapshot.
        EnvironmentFailure: the cluster cannot be reached.
    """
    with (
        closing(asyncio.run(_copied(settings, files, progress))) as kept,
        closing(EmbeddedBus.open(files.scratch / "again", kept.partitions)) as again,
    ):
        since = None if files.since is None else _restore(files.since, kept, again)
        report = audit(kept, again, progress, since)
        report.since = None if files.since is None else files.since.name
        if files.save is not None and not report.differences:
            snapshot_file.save(files.save, kept.head(), again)
        return report


async def _copied(settings: KafkaSettings, files: AuditFiles, progress: Progress) -> Snapshot:
    copied = 0

    def advance(records: int) -> None:
        nonlocal copied
        copied += records
        progress(copied, None)

    connection = Connection(settings)
    topics = await existing_topics(connection)
    starts = None if files.since is None else snapshot_file.head_of(files.since).log
    return await Snapshot.take(connection, topics, files.scratch / "kept", (starts, advance))


def _restore(path: Path, bus: Audited, again: Bus) -> Head:
    """Load the snapshot `path` into `again`; raises UsageError if the log of `bus` cannot be folded on from there."""
    since = snapshot_file.load(path, again)
    partitions = range(bus.partitions)
    if not since.reaches([bus.begin_offset(p) for p in partitions], [bus.end_offset(p) for p in partitions]):
        raise UsageError(f"{path} is a snapshot up to the offsets {since.log}, which the log does not have")
    return since


def _kept_snapshot(bus: EmbeddedBus) -> Path | None:
    """The snapshot with which an audit begins if the log's first records were deleted; None if it is complete."""
    partitions = range(bus.partitions)
    begins, ends = [bus.begin_offset(p) for p in partitions], [bus.end_offset(p) for p in partitions]
    if not any(begins):
        return None
    path = snapshot_file.oldest_that_reaches(bus.snapshots, begins, ends)
    if path is None:
        raise Corrupt(
            f"{bus.snapshots}: the log begins at the offsets {begins}, and the snapshot of the rows that was taken "
            "before that is missing. Bring it back from a backup, or name another with --from"
        )
    return path

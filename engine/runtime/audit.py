"""Fold the log again and compare: the tables must be a function of the log, byte for byte."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct

from engine.bus.single import Audited, Bus, Kept
from engine.bus.snapshot_file import Head
from engine.core.errors import UsageError
from engine.core.topics import Topic
from engine.runtime.differences import Comparison
from engine.runtime.marker import FOLD_ANEW, read_marker, rules_of_log
from engine.runtime.replay import replay
from tables.catalogue import AUDITED
from tables.table import Table


class AuditReport(Struct):
    """How much an audit has compared, and what differs.

    Attributes:
        records: how many records were folded: all, or those that came after the snapshot `since`.
        rows: how many rows of all tables were compared; so for positions, signals, alerts and dead letters.
        differences: a sentence for each difference, at most 100: the thing, the field, both contents.
        since: the snapshot of the rows that the fold began with; None if it began with the first record.
        disk_bytes: the length of all files of a data directory; None on Kafka.
    """

    records: int
    rows: int
    positions: int
    signals: int
    alerts: int
    dead_letters: int
    differences: list[str]
    since: str | None = None
    disk_bytes: int | None = None


def audit(bus: Audited, scratch: Bus, progress: Callable[[int, int], None], since: Head | None = None) -> AuditReport:
    """Fold the log of `bus` into `scratch` and compare markers, rows, positions, signals, alerts and dead letters.

    Args:
        bus: the bus to check; it must not change meanwhile.
        scratch: a bus of as many partitions, empty or with the rows of the snapshot `since`.
        progress: told (records folded, records in all).
        since: the head of the snapshot that is in `scratch`.

    Raises:
        UsageError: the log begins after the rows of `scratch` end, so that it cannot be folded on; or the kept rows go
            on from those of an earlier version, and those of `scratch` do not.
    """
    records = _fold_again(bus, scratch, progress, since)
    comparison = Comparison()
    comparison.by_name("the marker of partition", _markers(bus), _markers(scratch), read_marker)
    rows = sum(_table(comparison, (bus, scratch), table) for table in AUDITED)
    kept, folded = bus.published.things("positions"), scratch.published.things("positions")
    return AuditReport(
        records=records,
        rows=rows,
        positions=comparison.by_name("position", kept, folded, msgspec.json.decode),
        signals=_history(comparison, (bus, scratch), since, "signals"),
        alerts=_history(comparison, (bus, scratch), since, "alerts"),
        dead_letters=_history(comparison, (bus, scratch), since, "dead-letters"),
        differences=comparison.differences,
    )


def _fold_again(bus: Audited, scratch: Bus, progress: Callable[[int, int], None], since: Head | None) -> int:
    """Fold the log of `bus` into `scratch`; returns how many records that were."""
    starts = [0] * bus.partitions if since is None else since.log
    _refuse_gap(bus, starts)
    _refuse_other_rows(bus, scratch)
    total = sum(bus.end_offset(partition) - start for partition, start in enumerate(starts))
    done = 0

    def advance(records: int) -> None:
        nonlocal done
        done += records
        progress(done, total)

    replay(bus, scratch, rules_of_log(bus), advance)
    return total


def _markers(bus: Kept) -> Iterator[tuple[str, bytes]]:
    """The markers of all partitions: their offsets, clocks, counters and rules."""
    return ((str(partition), bus.marker(partition) or b"") for partition in range(bus.partitions))


def _refuse_gap(bus: Audited, starts: list[int]) -> None:
    begins = [bus.begin_offset(partition) for partition in range(bus.partitions)]
    gaps = [
        f"partition {partition} begins at offset {begin}, the fold at {start}"
        for partition, (begin, start) in enumerate(zip(begins, starts, strict=True))
        if begin > start
    ]
    if gaps:
        raise UsageError(
            f"the records between have been deleted from the log ({'; '.join(gaps)}): audit from a snapshot of the "
            "rows that reaches the log, with --from FILE"
        )


def _refuse_other_rows(bus: Kept, scratch: Kept) -> None:
    for partition in range(bus.partitions):
        kept, begun = (read_marker(one.marker(partition)).rows for one in (bus, scratch))
        if kept != begun:
            raise UsageError(
                f"the rows of partition {partition} go on from rows of format {kept}, the fold from format {begun}: "
                "the two differ where nothing is wrong, because versions keep different things. Begin with the rows "
                f"of format {kept} that an audit saved when that version was stopped, with --from FILE. On Kafka there "
                f"is another way: {FOLD_ANEW}"
            )


def _table(comparison: Comparison, buses: tuple[Audited, Audited], table: Table[Any]) -> int:
    """Compare the rows of one table; returns how many there are."""
    kept, folded = (bus.state.scan(*table.range()) for bus in buses)
    return comparison.by_name(table.name, kept, folded, table.decoder())


def _history(comparison: Comparison, buses: tuple[Audited, Audited], since: Head | None, topic: Topic) -> int:
    """Compare what was published from the snapshot on, as far as it is still kept."""
    bus, scratch = (one.published for one in buses)
    count = 0
    for partition in range(buses[0].partitions):
        first = bus.first(topic, partition)
        start = since.sequences[topic][partition] if since is not None and since.sequences else 0
        kept = islice(bus.history(topic, partition), max(0, start - first), None)
        folded = islice(scratch.history(topic, partition), max(0, first - start), None)
        count += comparison.in_order(topic, kept, folded, msgspec.json.decode)
    return count

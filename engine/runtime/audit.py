"""Fold the log again and compare: the tables must be a function of the log, byte for byte."""

from collections.abc import Callable, Iterator
from itertools import islice, zip_longest

from msgspec import Struct

from engine.bus.single import Audited, Bus, Topic
from engine.bus.snapshot_file import Head
from engine.core.errors import UsageError
from engine.runtime.marker import rules_of_log
from engine.runtime.single.engine import replay
from tables.catalogue import AUDITED

MAX_DIFFERENCES = 100


class AuditReport(Struct):
    """What an audit has compared, and where the two differ (at most 100 places).

    Attributes:
        records: how many records were folded: all, or those that came after the snapshot `since`.
        since: the snapshot of the rows that the fold began with; None where it began with nothing.
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


class _Comparison:
    def __init__(self) -> None:
        self.differences: list[str] = []

    def count(self, what: str, kept: Iterator[object], folded: Iterator[object]) -> int:
        """Compare two sequences; answer how many were kept."""
        n = 0
        for n, (one, other) in enumerate(zip_longest(kept, folded), 1):
            if one != other and len(self.differences) < MAX_DIFFERENCES:
                self.differences.append(f"{what} {n}: kept {_short(one)}, folded again {_short(other)}")
        return n


def audit(bus: Audited, scratch: Bus, progress: Callable[[int, int], None], since: Head | None = None) -> AuditReport:
    """Fold the log of `bus` into `scratch` and compare rows, positions, signals, alerts and dead letters.

    Args:
        bus: what is to be checked; it must not change meanwhile.
        scratch: a bus of as many partitions, empty or with the rows of the snapshot `since`.
        progress: told (records folded, records in all).
        since: of the snapshot that is in `scratch`.

    Raises:
        UsageError: the log begins after the rows of `scratch` end, so that it cannot be folded on.
    """
    starts = [0] * bus.partitions if since is None else since.log
    _refuse_gap(bus, starts)
    total = sum(bus.end_offset(partition) - start for partition, start in enumerate(starts))
    done = 0

    def advance(records: int) -> None:
        nonlocal done
        done += records
        progress(done, total)

    replay(bus, scratch, rules_of_log(bus), advance)
    comparison = _Comparison()
    rows = sum(
        comparison.count(table.name, bus.state.scan(*table.range()), scratch.state.scan(*table.range()))
        for table in AUDITED
    )
    positions = comparison.count("position", bus.published.things("positions"), scratch.published.things("positions"))
    return AuditReport(
        total,
        rows,
        positions,
        _history(comparison, (bus, scratch), since, "signals"),
        _history(comparison, (bus, scratch), since, "alerts"),
        _history(comparison, (bus, scratch), since, "dead-letters"),
        comparison.differences,
    )


def _refuse_gap(bus: Audited, starts: list[int]) -> None:
    begins = [bus.begin_offset(partition) for partition in range(bus.partitions)]
    gaps = [
        f"partition {partition} begins at offset {begin}, the fold at {start}"
        for partition, (begin, start) in enumerate(zip(begins, starts, strict=True))
        if begin > start
    ]
    if gaps:
        raise UsageError(
            f"what is between has been deleted from the log ({'; '.join(gaps)}): audit from a snapshot of the rows "
            "that reaches the log, with --from FILE"
        )


def _history(comparison: _Comparison, buses: tuple[Audited, Audited], since: Head | None, topic: Topic) -> int:
    """Compare what was published from the snapshot on, as far as it is still kept."""
    bus, scratch = (one.published for one in buses)
    count = 0
    for partition in range(buses[0].partitions):
        first = bus.first(topic, partition)
        start = since.sequences[topic][partition] if since is not None and since.sequences else 0
        kept = islice(bus.history(topic, partition), max(0, start - first), None)
        folded = islice(scratch.history(topic, partition), max(0, first - start), None)
        count += comparison.count(topic, kept, folded)
    return count


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 300 else text[:300] + "..."

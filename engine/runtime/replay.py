"""Folding a log again: for an audit, and for an upgrade of a data directory."""

from collections.abc import Callable

from engine.bus.single import Audited, Bus
from engine.core.rules import Rules
from engine.runtime.arrivals import Decoder
from engine.runtime.fold import Fold
from engine.runtime.marker import resume

REPLAY_RECORDS = 2_000
"""How many records are folded into one commit."""
REPLAY_MEMORY_BYTES = 64 << 20


def replay(source: Audited, target: Bus, rules: Rules, progress: Callable[[int], None], append: bool = False) -> None:
    """Fold the log of `source` again, from where the markers of `target` are, into the rows and outputs of `target`.

    Args:
        source: the bus whose log is read.
        target: a bus with as many partitions.
        rules: the rules of the fold.
        progress: told after each commit how many records it has folded.
        append: also write the records to the log of `target`, with the offset and arrival that they have.
    """
    decoder = Decoder(source.partitions)
    for partition in range(source.partitions):
        marker = resume(target.marker(partition), rules)
        fold = Fold(target.state, partition, source.partitions, marker, REPLAY_MEMORY_BYTES)
        while records := source.read_log(partition, fold.marker.next_offset, REPLAY_RECORDS):
            target.commit([fold.step(decoder.arrivals(records), append=append).commit])
            fold.committed()
            progress(len(records))

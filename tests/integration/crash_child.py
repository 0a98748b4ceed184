"""Commits without end and tells on standard output what was acknowledged; to be killed."""

import sys

from engine.bus.disk.bus import EmbeddedBus
from engine.bus.single import Commit, Output, Record


def main(path: str) -> None:
    bus = EmbeddedBus.open(path, partitions=2, memory_mib=16)
    print("ready", flush=True)
    while True:
        bus.commit([next_commit(bus, partition) for partition in (0, 1)])
        print(bus.end_offset(0), bus.end_offset(1), flush=True)


def next_commit(bus: EmbeddedBus, partition: int) -> Commit:
    """A commit whose every part tells the same number, so that a torn one would show."""
    start = bus.end_offset(partition)
    end = start + 1 + start % 7
    records = [Record(partition, n, f"sku-{n}", b"x" * (n % 3000), n) for n in range(start, end)]
    outputs = [Output("signals", "row", f"s-{partition}-{n}", b"%d" % n, "kind") for n in range(start, end)]
    changes = [(b"s%d-%d" % (partition, n), b"%d" % n) for n in range(start, end)]
    dedupe = [(b"d%d-%d" % (partition, n), b"%d" % n) for n in range(start, end)]
    touched = [(f"row-{partition}", n) for n in range(start, end)]
    return Commit(partition, records, changes + dedupe, outputs, touched, b"%d" % end, end)


if __name__ == "__main__":
    main(sys.argv[1])

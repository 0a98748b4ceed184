"""`python -m benchmarks.attack`: each pattern at n and 10 n events, with time, memory and disk.

The exit code is 1 where the time of one grows faster than it may.

Every run is a process of its own on a new data directory, so that memory and disk are its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.attack.patterns import PATTERNS
from engine.bus.disk.bus import EmbeddedBus
from engine.core.rules import Rules
from engine.core.values import DAY, SECOND
from engine.runtime.single.engine import Engine

BATCH = 500
ARRIVED = 1_772_438_400 * SECOND + 10 * DAY
TIMEOUT_SECONDS = 1_800
COLUMNS = "{:<38} {:>7} {:>8} {:>9} {:>9} {:>7} {:>8} {:>8}"


def main() -> int:
    """Run the patterns, or in a child process one of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attack", description=__doc__)
    parser.add_argument("--only", choices=PATTERNS, action="append", help="this pattern; may be given again")
    parser.add_argument("--scale", type=float, default=1.0, help="times the usual sizes")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--run", nargs=2, metavar=("PATTERN", "EVENTS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        print(json.dumps(_run(options.run[0], int(options.run[1]))))
        return 0
    figures = [_compare(name, options.scale) for name in _with_heading(options.only or PATTERNS)]
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2))
    return 1 if any(figure["ratio"] > figure["most"] for figure in figures) else 0


def _with_heading(names: Iterable[str]) -> Iterable[str]:
    print(COLUMNS.format("pattern", "n", "10 n", "CPU s, n", "10 n", "ratio", "MiB", "disk MiB"), flush=True)
    return names


def _compare(name: str, scale: float) -> dict[str, Any]:
    pattern = PATTERNS[name]
    n = max(10, round(pattern.size * scale))
    small, large = _in_a_process(name, n), _in_a_process(name, 10 * n)
    ratio = large["seconds"] / max(small["seconds"], 1e-3)
    row = (name, n, 10 * n, f"{small['seconds']:.2f}", f"{large['seconds']:.2f}", f"{ratio:.1f}",
           f"{large['memory_mib']:.0f}", f"{large['disk_mib']:.1f}")  # fmt: skip
    print(COLUMNS.format(*row), flush=True)
    return {"pattern": name, "n": n, "small": small, "large": large, "ratio": ratio, "most": pattern.most}


def _in_a_process(name: str, n: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.attack", "--run", name, str(n)]
    done = subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT_SECONDS)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def _run(name: str, n: int) -> dict[str, Any]:
    """Send a pattern through an engine on disk, in batches; the clock's ticks go on until nothing is due."""
    with tempfile.TemporaryDirectory(prefix="stockline-attack-") as place:
        bus = EmbeddedBus.open(Path(place) / "data", partitions=1)
        engine = Engine(bus, Rules(clock="log"))
        events = PATTERNS[name].events(n)
        started, refused = time.process_time(), 0
        while batch := list(islice(events, BATCH)):
            refused += len(engine.submit(batch, ARRIVED).refused)
        seconds = time.process_time() - started
        checksum = blake2b(digest_size=8)
        for _, value in bus.published.things("positions"):
            checksum.update(value)
        disk = bus.size_on_disk()
        bus.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "memory_mib": peak, "disk_mib": disk / 2**20, "refused": refused,
            "checksum": checksum.hexdigest()}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())

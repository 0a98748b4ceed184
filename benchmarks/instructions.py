"""The pure step in machine instructions per event, counted by callgrind: a figure that no other load disturbs.

The process that folds marks where each measured piece begins and ends with a call of `clock_getres`, which nothing else
calls; callgrind writes what it has counted at each of them. So start-up, the setup of the rows and the commits between
the steps are not in the figures. The same interpreter, libraries and sizes give the same figures to about a thousandth.
"""

import argparse
import gc
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.mix import SHARES, Mix
from benchmarks.step import PUNCTUALITIES, Punctuality, Step
from engine.bus.memory.bus import MemoryBus

SIZES = {"rows": 400, "events": 2_000, "per_type": 100}
WHOLE_MIX = "mix"
OUTSIDE = "outside"
MISSING = (
    "callgrind counts the instructions, and there is no valgrind here: apt-get install valgrind (or your system's)"
)


def main() -> int:
    """Count the instructions of one size, print them, and write them as JSON where asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions", description=__doc__)
    for name, size in SIZES.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=size)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--fold", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    sizes = {name: getattr(options, name) for name in SIZES}
    if options.fold:
        # One collection more or less would move a figure by several percent; rows and events hold no cycles.
        gc.disable()
        json.dump(fold(**sizes), sys.stdout)
        return 0
    if shutil.which("valgrind") is None:
        print(MISSING, file=sys.stderr)
        return 2
    figures = measure(**sizes)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2))
    print(json.dumps(figures, indent=2))
    return 0


def measure(rows: int, events: int, per_type: int) -> dict[str, Any]:
    """Instructions per event of the pure step, over the mix and by event type, late and punctual.

    Args:
        rows: how many rows the events are about.
        events: how many events of the mix.
        per_type: how many events of each type by itself.
    """
    sizes = {"rows": rows, "events": events, "per_type": per_type}
    with tempfile.TemporaryDirectory(prefix="stockline-callgrind-") as place:
        folded, counts = _counted(Path(place) / "counts", sizes)
    figures: dict[str, Any] = {"python": interpreter(), "size": sizes}
    for punctuality in PUNCTUALITIES:
        figures[punctuality] = {
            "instructions": round(counts[punctuality, WHOLE_MIX] / events),
            "by_type": {kind: round(counts[punctuality, kind] / per_type) for kind in SHARES},
            "checksum": folded["checksums"][punctuality],
        }
    return figures


def interpreter() -> str:
    """The interpreter that is measured, and whether it was built for speed."""
    arguments = sysconfig.get_config_var("CONFIG_ARGS") or ""
    built = [flag for flag in ("--enable-optimizations", "--with-lto") if flag in arguments]
    return f"{platform.python_implementation()} {platform.python_version()} {' '.join(built) or 'without PGO and LTO'}"


def _counted(out: Path, sizes: dict[str, int]) -> tuple[dict[str, Any], Counter[tuple[str, str]]]:
    """Fold under callgrind in a process of its own; what it says, and the instructions of each piece."""
    counter = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--dump-before=clock_getres*"]
    options = [f"--{name.replace('_', '-')}={size}" for name, size in sizes.items()]
    command = [*counter, sys.executable, "-m", "benchmarks.instructions", "--fold", *options]
    # Hashes of text are random otherwise, and so is how often a look-up in a dictionary collides.
    ran = subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": "0"}, capture_output=True, text=True)
    if ran.returncode:
        raise RuntimeError(f"valgrind ended with exit code {ran.returncode}: {ran.stderr[-2000:]}")
    folded = json.loads(ran.stdout)
    counts: Counter[tuple[str, str]] = Counter()
    for number, (punctuality, piece) in enumerate(folded["pieces"], 1):
        counts[punctuality, piece] += _instructions(Path(f"{out}.{number}"))
    return folded, counts


def _instructions(dump: Path) -> int:
    """The instructions of one of callgrind's dumps."""
    with dump.open() as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("summary:"))


# in the process that is counted ---------------------------------------------------------------------------------------


class Marks:
    """Where the measured pieces begin and end, told to callgrind."""

    def __init__(self) -> None:
        self.pieces: list[tuple[str, str]] = []
        """What lay before each mark: (punctuality, event type or the whole mix or OUTSIDE)."""
        self.punctuality: Punctuality = "late"
        self.name = WHOLE_MIX

    @contextmanager
    def piece(self) -> Iterator[None]:
        """Let all that runs within count as the piece that is named."""
        self._mark(OUTSIDE)
        yield
        self._mark(self.name)

    def _mark(self, before: str) -> None:
        self.pieces.append((self.punctuality, before))
        time.clock_getres(time.CLOCK_MONOTONIC)


def fold(rows: int, events: int, per_type: int) -> dict[str, Any]:
    """Fold the mix and each type by itself, late and punctual; answer the marks and the checksums of the outputs."""
    marks, checksums = Marks(), {}
    for marks.punctuality in PUNCTUALITIES:
        mix, step = Mix(rows), Step(MemoryBus(1), marks.punctuality, marks.piece)
        marks.name = OUTSIDE
        step.run(list(mix.setup()))
        marks.name = WHOLE_MIX
        step.run(list(mix.stream(events)))
        for marks.name, batch in mix.by_type(per_type):
            step.run(batch)
        checksums[marks.punctuality] = step.checksum
    return {"pieces": marks.pieces, "checksums": checksums}


if __name__ == "__main__":
    sys.exit(main())

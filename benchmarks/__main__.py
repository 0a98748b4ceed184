"""`python -m benchmarks`: run them all, print the figures, write them as JSON where asked."""

import argparse
import asyncio
import gc
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import served, step
from benchmarks.step import PUNCTUALITIES, Punctuality
from benchmarks.yardstick import yardstick

SIZES = {
    "quick": {"events": 5_000, "per_type": 1_000, "rows": [500], "latency_seconds": 2},
    "standard": {"events": 60_000, "per_type": 4_000, "rows": [1_000, 100_000], "latency_seconds": 10},
    "full": {"events": 120_000, "per_type": 4_000, "rows": [1_000, 100_000, 1_000_000], "latency_seconds": 10},
}


def main() -> int:
    """Run the benchmarks of one size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="standard")
    parser.add_argument("--only", choices=("step", "served", "latency"))
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    size: dict[str, Any] = SIZES[options.size]
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    figures = run(size, options.only)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2))
    json.dump(figures, sys.stdout, indent=2)
    print()
    return 0


def run(size: dict[str, Any], only: str | None = None) -> dict[str, Any]:
    """All figures of a size; `yardstick` is what the machine gave before and after, its spread is the noise."""
    before = yardstick()
    figures: dict[str, Any] = {"python": platform.python_version(), "cores": os.cpu_count(), "size": size}
    with tempfile.TemporaryDirectory(prefix="stockline-bench-") as place:
        if only in (None, "step"):
            rows = min(4_000, max(size["rows"]))
            for punctuality in PUNCTUALITIES:
                name = _step_name(punctuality)
                figures[name] = step.measure(Path(place) / name, rows, size["events"], size["per_type"], punctuality)
                _say(name, figures[name])
        if only in (None, "served"):
            figures["served"] = []
            for rows in size["rows"]:
                result = asyncio.run(served.throughput(Path(place) / f"rows-{rows}", rows, size["events"]))
                figures["served"].append(result)
                _say("served", result)
        if only in (None, "latency"):
            figures["latency"] = asyncio.run(served.latency(Path(place) / "latency", 1_000, size["latency_seconds"]))
            _say("latency", figures["latency"])
    after = yardstick()
    figures["yardstick"] = {"before": round(before), "after": round(after), "load_average": os.getloadavg()[0]}
    _ratios(figures)
    return figures


def _step_name(punctuality: Punctuality) -> str:
    """The name of the pure step's figures; those of late events have had theirs since before there were others."""
    return "step" if punctuality == "late" else f"step_{punctuality}"


def _ratios(figures: dict[str, Any]) -> None:
    """Each rate as a share of the yardstick: the figure to compare between machines and versions."""
    unit = (figures["yardstick"]["before"] + figures["yardstick"]["after"]) / 2
    for result in [figures[name] for name in map(_step_name, PUNCTUALITIES) if name in figures]:
        result["of_yardstick"] = round(result["rate"] / unit, 4)
    for result in figures.get("served", []):
        result["of_yardstick"] = round(result["rate"] / unit, 4)


def _say(name: str, result: dict[str, Any]) -> None:
    print(f"{name}: {json.dumps(result)}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

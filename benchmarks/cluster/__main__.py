"""`python -m benchmarks.cluster`: drain, latency, restore and take-over on a real Kafka; figures as JSON."""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.yardstick import yardstick
from tests.real.kafka import Missing

SIZES: dict[str, dict[str, int]] = {
    "quick": {"events": 10_000, "rows": 5_000, "seconds": 3},
    "standard": {"events": 200_000, "rows": 100_000, "seconds": 15},
    "full": {"events": 500_000, "rows": 1_000_000, "seconds": 30},
}
MEASURES = ("drain", "latency", "restore")


async def run(size: dict[str, int], only: str | None, place: Path) -> dict[str, Any]:
    """All measures of a size, each on a broker of its own."""
    from benchmarks.cluster import measures

    figures: dict[str, Any] = {"size": size, "yardstick_before": round(yardstick())}
    if only in (None, "drain"):
        figures["drain"] = [
            await measures.drain(place / "one", size["events"], 1, with_faust=True),
            await measures.drain(place / "two", size["events"], 2, with_faust=False),
        ]
        _say("drain", figures["drain"])
    if only in (None, "latency"):
        half = figures["drain"][0]["events_per_second"] // 2 if "drain" in figures else 5_000
        figures["latency"] = [
            await measures.latency(place / f"at-{rate}", rate, size["seconds"]) for rate in (1_000, half)
        ]
        _say("latency", figures["latency"])
    if only in (None, "restore"):
        figures["restore"] = await measures.restore(place / "restore", size["rows"])
        _say("restore", figures["restore"])
    figures["yardstick_after"] = round(yardstick())
    return figures


def _say(name: str, result: Any) -> None:
    print(f"{name}: {json.dumps(result)}", file=sys.stderr, flush=True)


def main() -> int:
    """Run; 0 done, 3 without Kafka."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="standard")
    parser.add_argument("--only", choices=MEASURES)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="stockline-bench-") as place:
            figures = asyncio.run(run(SIZES[options.size], options.only, Path(place)))
    except Missing as missing:
        print(f"benchmarks: {missing}", file=sys.stderr)
        return 3
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2))
    json.dump(figures, sys.stdout, indent=2)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Every benchmark is a smoke test too: small, with the checksum of its work."""

import asyncio
from pathlib import Path

import pytest

from benchmarks import step
from benchmarks.__main__ import SIZES, run
from benchmarks.cluster import drains


def test_the_quick_run_gives_every_figure() -> None:
    figures = run(SIZES["quick"] | {"events": 1_000, "per_type": 100, "rows": [100], "latency_seconds": 1})
    assert figures["step"]["rate"] > 0
    assert all(rate > 0 for rate in figures["step"]["by_type"].values())
    assert figures["served"][0]["rows"] == 100
    assert figures["latency"]["signals"] == 100


def test_the_same_seed_gives_the_same_work(tmp_path: Path) -> None:
    first, second = (step.measure(tmp_path / name, 50, 500, 20)["checksum"] for name in ("a", "b"))
    assert first == second


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.usefixtures("broker_parts")
def test_drains_of_one_log_come_to_their_ends(tmp_path: Path) -> None:
    figures = asyncio.run(drains.run(1_000, 2, 1, tmp_path))
    assert (figures["events"], figures["drains"], figures["stalled"]) == (13_000, 2, 0)
    assert figures["events_per_second"].keys() == {"one worker", "two workers"}

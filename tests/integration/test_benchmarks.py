"""Every benchmark is a smoke test too: small, with the checksum of its work."""

import asyncio
import shutil
from pathlib import Path

import pytest

from benchmarks import columns, instructions, step
from benchmarks.__main__ import SIZES, run
from benchmarks.cluster import drains
from benchmarks.mix import SHARES
from tests.real.kafka import Missing
from tests.real.podman import apt


def test_the_quick_run_gives_every_figure() -> None:
    figures = run(SIZES["quick"] | {"events": 1_000, "per_type": 100, "rows": [100], "latency_seconds": 1})
    for name in ("step", "step_punctual"):
        assert figures[name]["rate"] > 0
        assert all(rate > 0 for rate in figures[name]["by_type"].values())
    assert figures["served"][0]["rows"] == 100
    assert figures["latency"]["signals"] == 100


def test_the_same_seed_gives_the_same_work(tmp_path: Path) -> None:
    first, second = (step.measure(tmp_path / name, 50, 500, 20)["checksum"] for name in ("a", "b"))
    assert first == second


def test_events_that_arrive_late_are_judged_otherwise_than_punctual_ones(tmp_path: Path) -> None:
    late = step.measure(tmp_path / "late", 50, 500, 20, "late")
    punctual = step.measure(tmp_path / "punctual", 50, 500, 20, "punctual")
    assert late["checksum"] != punctual["checksum"]


def test_the_columns_are_measured_by_the_same_work() -> None:
    first, second = (columns.measure(3_000, 2_000) for _ in range(2))
    assert first["checksum"] == second["checksum"]
    assert min(first["milliseconds"].values()) > 0
    assert 0 < sum(first["share of an event while somebody looks"].values()) < 1


@pytest.fixture
def valgrind() -> None:
    """Callgrind, from the system's packages where it is not there yet."""
    if shutil.which("valgrind") is None:
        try:
            apt("install", "--no-install-recommends", "valgrind")
        except Missing as missing:
            pytest.skip(f"no valgrind: {missing}")


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.usefixtures("valgrind")
def test_the_instructions_of_every_type_are_counted_and_the_work_is_that_of_the_timed_step(tmp_path: Path) -> None:
    figures = instructions.measure(rows=20, events=40, per_type=5)
    for punctuality in ("late", "punctual"):
        counted = figures[punctuality]
        assert 10_000 < counted["instructions"] < 5_000_000
        assert counted["by_type"].keys() == SHARES.keys()
        assert min(counted["by_type"].values()) > 10_000
        timed = step.measure(tmp_path / punctuality, 20, 40, 5, punctuality)
        assert counted["checksum"] == timed["checksum"]


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.usefixtures("broker_parts")
def test_drains_of_one_log_come_to_their_ends(tmp_path: Path) -> None:
    figures = asyncio.run(drains.run(1_000, 2, 1, tmp_path))
    assert (figures["events"], figures["drains"], figures["stalled"]) == (13_000, 2, 0)
    assert figures["events_per_second"].keys() == {"one worker", "two workers"}

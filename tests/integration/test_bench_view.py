"""The benchmark of the page runs, small: its grid in a real Chromium, pages without one, and the cost of a page."""

import argparse
import json

import pytest

from benchmarks.view.__main__ import reached, run
from benchmarks.view.recording import record
from benchmarks.view.staleness import Sample, held, percentile, staleness
from tests.real.chromium import chromium
from tests.real.kafka import Missing


@pytest.fixture
def browser() -> None:
    try:
        chromium()
    except Missing as missing:
        pytest.skip(f"no Chromium: {missing}")


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.usefixtures("browser")
def test_a_small_run_gives_every_figure() -> None:
    figures = run(argparse.Namespace(rows=300, rates=[200], seconds=2.0, pages=3, turns=1))
    [grid], [sockets] = figures["grid"], figures["sockets"]
    assert grid["frames_a_second"] > 0
    assert grid["heap_mib"] > 1
    assert 0 <= grid["stale_p50_seconds"] <= grid["stale_p99_seconds"]
    assert sockets["frames_a_second"] > 0
    assert figures["cost"]["us_per_event"] > 0
    assert json.loads(json.dumps(figures)) == figures


def test_a_recording_tells_the_same_whenever_it_is_made_and_its_probe_counts_the_ticks() -> None:
    first, second = record(50, 200, 0.5), record(50, 200, 0.5)
    assert first == second
    last = [json.loads(output.value)["data"] for output in first.ticks[-1].outputs if "PROBE" in output.key]
    assert [row["position"] for row in last] == [10]


def test_what_is_shown_is_as_old_as_the_first_change_that_it_lacks() -> None:
    committed = [10.0, 11.0, 12.0]
    samples = [Sample(9.0, 0), Sample(10.5, 0), Sample(10.75, 1), Sample(11.5, 1), Sample(12.0, 3), Sample(13.0, 3)]
    assert staleness(committed, samples) == [0.5, 0.0, 0.5, 0.0]
    assert held([Sample(1.0, 5), Sample(1.5, 6)], 0.25) == [Sample(1.0, 5), Sample(1.25, 5)]
    assert percentile([3.0, 1.0, 2.0, 4.0], 0.99) == 4.0


def test_a_target_that_is_missed_is_said() -> None:
    grid = {"frames_a_second": 59.0, "stale_p99_seconds": 0.3, "heap_mib": 20.0}
    assert reached({"grid": [grid], "cost": {"more": 0.02}})
    assert not reached({"grid": [grid | {"frames_a_second": 20.0}], "cost": {"more": 0.02}})
    assert not reached({"grid": [grid | {"stale_p99_seconds": 1.5}], "cost": {"more": 0.02}})
    assert not reached({"grid": [grid], "cost": {"more": 0.2}})

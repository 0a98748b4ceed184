"""Every benchmark is a smoke test too: small, with the checksum of its work."""

from pathlib import Path

from benchmarks import step
from benchmarks.__main__ import SIZES, run


def test_the_quick_run_gives_every_figure() -> None:
    figures = run(SIZES["quick"] | {"events": 1_000, "per_type": 100, "rows": [100], "latency_seconds": 1})
    assert figures["step"]["rate"] > 0
    assert all(rate > 0 for rate in figures["step"]["by_type"].values())
    assert figures["served"][0]["rows"] == 100
    assert figures["latency"]["signals"] == 100


def test_the_same_seed_gives_the_same_work(tmp_path: Path) -> None:
    first, second = (step.measure(tmp_path / name, 50, 500, 20)["checksum"] for name in ("a", "b"))
    assert first == second

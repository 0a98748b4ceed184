"""The shipped demo, two days of it: the engine as a process of its own, the loop closed over HTTP, the summary."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TWO_DAYS = ["demo", "--exit", "--from", "2011-03-01", "--to", "2011-03-02", "--port", "0"]


def stockline(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONWARNINGS": "default"}
    command = [sys.executable, "-m", "engine", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.slow
def test_the_demo_ends_with_figures_that_agree(tmp_path: Path) -> None:
    done = stockline(*TWO_DAYS, "--json", "--data", str(tmp_path / "data"))
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["agrees"]
    assert summary["events"]["sent"] == summary["events"]["applied"]
    assert summary["duplicates"]["sent"] == summary["duplicates"]["found"] > 0
    assert summary["signals"]["status"]["ordered"] == summary["events"]["sent"]["order.placed"] > 500
    drift = summary["drift"]
    assert drift["planted"] == drift["found"] > 0
    assert drift["false_alarms"] == 0
    for side in ("engine", "nightly_batch"):
        assert 0.5 < summary[side]["fill_rate"] <= 1
    assert summary["engine"]["units_demanded"] == summary["nightly_batch"]["units_demanded"]

    again = stockline(*TWO_DAYS, "--data", str(tmp_path / "data"))
    assert (again.returncode, again.stdout) == (2, "")
    assert "not empty" in again.stderr
    audited = stockline("audit", "--data", str(tmp_path / "data"))
    assert audited.returncode == 0, audited.stdout + audited.stderr


def test_days_without_data_are_wrong_usage() -> None:
    assert stockline("demo", "--from", "2012-01-01").returncode == 2
    assert stockline("demo", "--from", "yesterday").returncode == 2

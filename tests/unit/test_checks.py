"""The checks beside the tests: what they say is shown, what fails fails the run, pytest has the last line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
START = """
import sys, pytest, tests.checks
tests.checks.CHECKS = {checks}
sys.exit(pytest.main(["-p", "tests.checks", "-p", "no:cacheprovider", *sys.argv[1:]]))
"""
GOOD = {"calendar": ("calendar", "2026", "1")}
BAD = {**GOOD, "a check": ("base64", "-d", "no-such-file")}


@pytest.mark.parametrize("processes", ["0", "2"])
@pytest.mark.parametrize(("checks", "code"), [(GOOD, 0), (BAD, 1)], ids=["good", "bad"])
def test_a_check_that_fails_fails_the_run(tmp_path: Path, checks: object, code: int, processes: str) -> None:
    (tmp_path / "test_it.py").write_text("def test_it():\n    pass\n")
    command = [sys.executable, "-c", START.format(checks=checks), "--numprocesses", processes, str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == code, run.stdout + run.stderr
    assert run.stdout.count("passed beside the tests: calendar") == 1
    assert ("a check: failed" in run.stdout) == ("no-such-file" in run.stdout) == bool(code)
    assert "1 passed" in run.stdout.splitlines()[-1]

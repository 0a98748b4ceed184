"""A test that misses its real part says so; in CI it fails."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
SUITE = """
import pytest

@pytest.mark.real
def test_speaks_to_a_broker():
    pytest.skip("no broker answers")

@pytest.mark.real
@pytest.mark.skipif(True, reason="no browser")
def test_draws_a_page():
    pass

def test_of_another_platform():
    pytest.skip("another platform")
"""


def _run_suite(folder: Path, suite: str, ci: str, *options: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(CONFTEST, folder)
    (folder / "test_suite.py").write_text(suite)
    (folder / "pytest.toml").write_text('[pytest]\nmarkers = ["real"]\n')
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, str(folder)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "HYPOTHESIS"))}
    return subprocess.run(
        command, cwd=folder, env=environment | {"CI": ci}, capture_output=True, text=True, timeout=240, check=False
    )


@pytest.mark.parametrize("ci", ["", "false"])
def test_outside_ci_a_missing_part_is_named_in_a_line_of_its_own(tmp_path: Path, ci: str) -> None:
    run = _run_suite(tmp_path, SUITE, ci)
    assert run.returncode == 0, run.stdout
    assert "real part missing: no broker answers (1 test)" in run.stdout
    assert "real part missing: no browser (1 test)" in run.stdout
    assert "skipped: another platform (1 test)" in run.stdout


@pytest.mark.parametrize("options", [(), ("--numprocesses", "2")], ids=["one process", "two processes"])
def test_in_ci_a_missing_part_is_a_failure_and_other_skips_are_not(tmp_path: Path, options: tuple[str, ...]) -> None:
    run = _run_suite(tmp_path, SUITE, "true", *options)
    assert run.returncode == 1, run.stdout
    assert "1 failed, 1 skipped, 1 error" in run.stdout
    assert "in CI a missing real part is a failure: no broker answers" in run.stdout


def test_in_ci_no_module_may_skip_itself(tmp_path: Path) -> None:
    suite = 'import pytest\npytest.skip("no broker library", allow_module_level=True)\n'
    run = _run_suite(tmp_path, suite, "true")
    assert run.returncode == 2, run.stdout
    assert "in CI no module may skip itself: no broker library" in run.stdout

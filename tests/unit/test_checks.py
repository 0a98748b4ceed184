"""How a run of all tests goes: the checks beside it, and the order in which its files begin."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.order import LONGEST

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
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert run.returncode == code, run.stdout + run.stderr
    assert run.stdout.count("passed beside the tests: calendar") == 1
    assert ("a check: failed" in run.stdout) == ("no-such-file" in run.stdout) == bool(code)
    assert "1 passed" in run.stdout.splitlines()[-1]


def test_the_files_that_begin_first_exist() -> None:
    assert len(set(LONGEST)) == len(LONGEST)
    assert [name for name in LONGEST if not (ROOT / "tests" / name).is_file()] == []


def test_the_longest_files_begin_first_where_processes_share_them(tmp_path: Path) -> None:
    folders = {"integration": ("test_send.py", "test_chaos.py"), "unit": ("test_a.py",)}
    for folder, names in folders.items():
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).write_text("def test_it():\n    pass\n")
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "--numprocesses", "1", str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    begun = re.findall(r"PASSED \S*?(test_\w+)\.py", run.stdout)
    assert begun == ["test_chaos", "test_send", "test_a"], run.stdout + run.stderr

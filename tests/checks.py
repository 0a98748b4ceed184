"""Lint, format and types beside the tests: `pytest -p tests.checks`, as `make test` and `make check` do.

The checks run as processes of their own while the tests run, and what they say comes before pytest's summary, whose
line stays the last. A check that fails fails the run, whatever the tests do; so one run tells everything.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
CHECKS = {
    "lint": ("ruff", "check", "--quiet", "."),
    "format": ("ruff", "format", "--quiet", "--check", "."),
    "types": ("mypy", "--no-error-summary"),
}


class Running(NamedTuple):
    process: subprocess.Popen[bytes]
    said: IO[bytes]


class Checks:
    """The checks of one run."""

    def __init__(self) -> None:
        self._running = {name: self._start(command) for name, command in CHECKS.items()}
        self._failed: dict[str, str] = {}

    @staticmethod
    def _start(command: tuple[str, ...]) -> Running:
        said = tempfile.TemporaryFile()
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        return Running(process, said)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Wait for all of them."""
        for name, (process, said) in self._running.items():
            with said:
                if process.wait():
                    said.seek(0)
                    self._failed[name] = said.read().decode(errors="replace").strip()
        if self._failed:
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """A section for each check that failed, and a line for those that passed."""
        for name, said in self._failed.items():
            terminalreporter.section(f"{name}: failed", red=True)
            terminalreporter.line(said)
        if passed := [name for name in CHECKS if name not in self._failed]:
            terminalreporter.line(f"passed beside the tests: {', '.join(passed)}")


def pytest_configure(config: pytest.Config) -> None:
    """Start them in the process that reports, not in each that runs a part of the tests."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Checks())

"""Lint, format and types beside the tests: `pytest -p tests.checks`, as `make test` and `make check` do.

The checks run as processes of their own while the tests run, and what they say comes before pytest's summary, whose
line stays the last. A check that fails fails the run, whatever the tests do; so one run tells everything.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CHECKS = {
    "lint": ("ruff", "check", "--quiet", "."),
    "format": ("ruff", "format", "--quiet", "--check", "."),
    "types": ("mypy", "--no-error-summary"),
}


class Checks:
    """The checks of one run."""

    def __init__(self) -> None:
        self._running = {
            name: subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for name, command in CHECKS.items()
        }
        self._failed: dict[str, str] = {}

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Wait for all of them."""
        for name, process in self._running.items():
            said, _ = process.communicate()
            if process.returncode:
                self._failed[name] = said.strip()
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

"""What the tests of the pages share: a browser, a week of the demo, and an engine on a copy of it."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.browser import launch
from tests.integration.process import COMMAND, ROOT, Stockline, environment
from tests.real.alone import alone
from tests.real.kafka import Missing

WEEK = ["--from", "2011-03-01", "--to", "2011-03-08"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A running Chromium, for the tests of one file: as long as it runs, nothing else here may have an event loop."""
    with sync_playwright() as playwright:
        try:
            running = launch(playwright)
        except Missing as missing:
            pytest.skip(f"no browser: {missing}")
        yield running
        running.close()


@pytest.fixture(scope="session")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a week of the demo; it is made once for all processes of a run, and only copied."""
    # The folder above is shared by the processes of one run.
    run = tmp_path_factory.getbasetemp()
    folder = (run.parent if run.name.startswith("popen-") else run) / "demo-week"
    with alone("demo-week"):
        if not folder.exists():
            made = folder.with_suffix(".making")
            command = [*COMMAND, "demo", *WEEK, "--data", str(made), "--port", "0", "--exit"]
            done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=900)
            assert done.returncode == 0, done.stderr
            made.rename(folder)
    return folder


@pytest.fixture(scope="module")
def engine(week: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stockline]:
    """`stockline run` on a copy of the week, for the tests of one file."""
    data = tmp_path_factory.mktemp("engine") / "data"
    shutil.copytree(week, data)
    with Stockline(data, "--clock", "log") as running:
        yield running
        assert running.stop() == 0, running.errors()

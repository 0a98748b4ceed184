"""The shipped commands when their terminal is closed: what they started ends with them, cleanly."""

import os
import pty
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.process import COMMAND, ROOT, environment, stockline

DEMO = ["demo", "--from", "2011-03-01", "--port", "0"]
SECONDS = 240.0


@contextmanager
def terminal(*arguments: str, ignoring: bool = False) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A command in a terminal of its own; whoever closes the descriptor closes the terminal."""
    ours, theirs = pty.openpty()

    def take() -> None:
        os.setsid()
        os.close(os.open(os.ttyname(theirs), os.O_RDWR))  # The first terminal opened is the controlling one.
        # What the tests themselves were started with, such as `nohup`, does not count.
        signal.signal(signal.SIGHUP, signal.SIG_IGN if ignoring else signal.SIG_DFL)

    command = [*COMMAND, *arguments]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=take
    )
    os.close(theirs)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait()


def read_until(terminal: int, text: bytes) -> None:
    said = b""
    while text not in said:
        said += os.read(terminal, 65536)


def processes_of(data: Path) -> list[int]:
    """The processes whose command line names a data directory."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if os.fsencode(data) in each.read_bytes():
                found.append(int(each.parent.name))
        except OSError:
            continue
    return found


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, condition
        time.sleep(0.05)


@contextmanager
def demo(data: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The demo, in the middle of its replay."""
    with terminal(*DEMO, "--data", str(data)) as (process, screen):
        read_until(screen, b"the page is at")
        assert len(processes_of(data)) == 2
        yield process, screen


def test_closing_the_terminal_ends_the_demo_and_its_engine(tmp_path: Path) -> None:
    with demo(tmp_path / "data") as (process, screen):
        os.close(screen)
        wait_for(lambda: not processes_of(tmp_path / "data"))
        process.wait(SECONDS)
    audited = stockline("audit", "--data", str(tmp_path / "data"))
    assert audited.returncode == 0, audited.stdout + audited.stderr


def test_an_engine_does_not_outlive_a_demo_that_was_killed(tmp_path: Path) -> None:
    with demo(tmp_path / "data") as (process, screen):
        process.kill()
        wait_for(lambda: not processes_of(tmp_path / "data"))
        os.close(screen)


def test_closing_the_terminal_ends_the_engine_cleanly(tmp_path: Path) -> None:
    with terminal("run", "--data", str(tmp_path / "data"), "--port", "0") as (process, screen):
        read_until(screen, b"stockline serves")
        os.close(screen)
        assert process.wait(SECONDS) == 0


def test_an_engine_that_was_told_to_ignore_its_terminal_stays(tmp_path: Path) -> None:
    with terminal("run", "--data", str(tmp_path / "data"), "--port", "0", ignoring=True) as (process, screen):
        read_until(screen, b"stockline serves")
        os.close(screen)
        time.sleep(1)
        assert process.poll() is None

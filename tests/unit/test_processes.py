"""What all processes have in common: one way to begin and to be stopped, and roots that do not lean on each other."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.core.errors import BrokenInvariant, DiskFull
from engine.processes.lifecycle import GC_THRESHOLDS, PARENT_VARIABLE, raise_failure

ROOT = Path(__file__).parents[2]
SHARED = {f"engine.processes.{name}" for name in ("admission", "columns", "lifecycle", "logouts", "signs")}
"""What several roots are built with; none of them builds a process by itself."""
ROOTS = sorted((ROOT / "engine" / "processes").glob("*.py"))

LIFE = """
import asyncio, gc, signal
from engine.processes.lifecycle import live

# What the tests themselves were started with, such as `nohup`, does not count.
signal.signal(signal.SIGHUP, signal.SIG_DFL)

async def serve(stop):
    print(gc.get_threshold(), flush=True)
    await stop.wait()
    return "stopped"

print(live(serve))
"""


def life(parent: int) -> subprocess.Popen[bytes]:
    environment = {**os.environ, PARENT_VARIABLE: str(parent)}
    return subprocess.Popen([sys.executable, "-c", LIFE], cwd=ROOT, env=environment, stdout=subprocess.PIPE)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_process_is_stopped_by_a_signal(number: signal.Signals) -> None:
    with life(os.getpid()) as process:
        assert process.stdout is not None
        assert process.stdout.readline().decode().strip() == str(GC_THRESHOLDS)
        process.send_signal(number)
        assert process.communicate(timeout=120)[0] == b"stopped\n"
    assert process.returncode == 0


def test_a_process_is_stopped_when_its_parent_has_ended() -> None:
    with life(parent=1) as process:
        assert process.communicate(timeout=120)[0].endswith(b"stopped\n")
    assert process.returncode == 0


def test_a_failure_that_is_not_our_own_is_a_bug() -> None:
    raise_failure(None)
    with pytest.raises(DiskFull):
        raise_failure(DiskFull("full"))
    with pytest.raises(BrokenInvariant, match="KeyError"):
        raise_failure(KeyError("x"))


@pytest.mark.parametrize("path", ROOTS, ids=lambda path: path.stem)
def test_a_root_takes_nothing_from_another_root(path: Path) -> None:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    taken = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module is not None}
    assert {module for module in taken if module.startswith("engine.processes")} <= SHARED

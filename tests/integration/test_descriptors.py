"""A process that has no file descriptors left: it says so seldom, with what to do, and goes on when there are some."""

import resource
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.integration.process import Stockline, event

QUIET_SECONDS = 10.0
"""It is said at most every so many seconds."""
LIMIT = 64
CLIENTS = 300
STORM_SECONDS, PATIENCE_SECONDS = 4.0, 180.0


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Stockline]:
    """`stockline run` that may open few files."""
    with Stockline(tmp_path / "data") as started:
        resource.prlimit(started.process.pid, resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
        yield started


def said_within(errors: Callable[[], str], text: str) -> None:
    """Wait until a process has said something."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while text not in errors():
        assert time.monotonic() < deadline, errors()
        time.sleep(0.1)


def most_since(began: float) -> int:
    """How often it may have been said since a moment of the steady clock: a stalled machine leaves time for more."""
    return 1 + int((time.monotonic() - began) / QUIET_SECONDS)


def test_idle_clients_that_use_up_the_descriptors_do_not_flood_the_log(engine: Stockline) -> None:
    began = time.monotonic()
    with ExitStack() as held:
        for _ in range(CLIENTS):
            client = held.enter_context(closing(socket.socket()))
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", engine.port))
        said_within(engine.errors, "raise LimitNOFILE")
        time.sleep(STORM_SECONDS)
    said = engine.errors()
    assert 1 <= said.count("file descriptors are in use") <= most_since(began)
    assert "Traceback" not in said
    assert len(said.splitlines()) < 5
    engine.send(event("item.defined", "i1", "2026-01-01T00:00:00Z", sku="A", base_unit="each"))
    assert engine.get("/readyz")["status"] == "ok"
    assert engine.stop() == 0

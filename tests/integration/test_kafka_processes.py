"""The list of processes of a cluster: two workers and `web`, one of the workers killed, and then both ended."""

import os
import signal
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from tests.integration.process import Stockline, Workers

pytestmark = [pytest.mark.real, pytest.mark.slow]

PATIENCE_SECONDS = 180
SETTINGS = {"STOCKLINE_SESSION_TIMEOUT_MS": "1500", "STOCKLINE_MEMORY_MIB": "256"}


def once(web: Stockline, so: Callable[[list[Any]], bool]) -> list[Any]:
    """The processes, once they are `so`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found: list[Any] = web.get("/v1/settings")["processes"]
        if so(found):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def folding(found: list[Any]) -> list[Any]:
    """The workers that run."""
    return [each for each in found if each["role"] == "worker" and each["status"] == "running"]


def all_held(found: list[Any], workers: int) -> bool:
    held = [each["partitions"] for each in folding(found)]
    return len(held) == workers and all(held) and sorted(chain.from_iterable(held)) == list(range(8))


def test_each_process_is_listed_and_one_that_was_killed_is_gone(fresh: str, tmp_path: Path) -> None:
    with (
        Workers(fresh, tmp_path / "rows", 2, **SETTINGS) as workers,
        Stockline(tmp_path / "view", "--kafka", fresh, verb="web", settings=SETTINGS) as web,
    ):
        this, *others = once(web, lambda found: all_held(found, 2))
        assert (this["role"], this["port"], this["pid"]) == ("web", web.port, web.process.pid)
        assert [each["settings"]["memory_mib"] for each in (this, *others)] == [256, 256, 256]
        killed = others[0]
        os.kill(killed["pid"], signal.SIGKILL)

        def is_replaced(found: list[Any]) -> bool:
            known = {each["id"]: each["status"] for each in found}
            return known.get(killed["id"]) == "gone" and all_held(found, 2)

        # Its supervisor starts another one in its place.
        after = once(web, is_replaced)
        assert {each["id"] for each in folding(after)} > {others[1]["id"]}
        assert workers.stop() == 0
        this_one, *rest = once(web, lambda found: not folding(found))
        assert (this_one["id"], this_one["status"]) == (this["id"], "running")
        assert (killed["id"], "gone") in [(each["id"], each["status"]) for each in rest]
        assert web.stop() == 0

"""Signals and alerts as they were at a moment, and what rows held."""

from collections.abc import AsyncIterator, Iterator
from itertools import count
from typing import Any

import msgspec
import pytest

from engine.core.values import DAY, SECOND, iso
from tables.stores.memory import MemoryFamily
from tests.auditor.adapter import Rig
from tests.unit.fake_service import NOW
from tests.unit.web_client import Site, site


@pytest.fixture
async def web() -> AsyncIterator[Site]:
    async with site() as running:
        yield running


async def as_of(web: Site, path: str, at: str) -> tuple[int, dict[str, Any]]:
    async with web.client.get(f"/v1/{path}", params={"as_of": at}) as response:
        return response.status, await response.json()


@pytest.mark.parametrize("thing", ["signals/sig-1", "alerts/al-1"])
async def test_a_thing_is_read_as_it_was(web: Site, thing: str) -> None:
    web.service.open_signal("sig-1")
    web.service.open_alert("al-1")
    web.service.time = NOW + 2 * SECOND
    verb = "accept" if thing.startswith("signals") else "acknowledge"
    async with web.client.post(f"/v1/{thing}/{verb}", json={"by": "ann"}) as response:
        assert response.status == 200
    assert [(await as_of(web, thing, iso(NOW + n * SECOND)))[1]["status"] == "open" for n in (0, 1, 2)] == [
        True,
        True,
        False,
    ]


async def test_a_moment_before_the_history_is_told_apart_from_one_before_the_thing(web: Site) -> None:
    web.service.open_signal("sig-1")
    status, problem = await as_of(web, "signals/sig-1", iso(NOW - SECOND))
    assert (status, problem["reason"]) == (404, "unknown_signal")
    web.service.time = NOW + 5 * SECOND
    web.service.open_signal("sig-1", revision=2)
    del web.service.bus.published.past[0]
    status, problem = await as_of(web, "signals/sig-1", iso(NOW + SECOND))
    assert (status, problem["reason"]) == (410, "history_gone")
    assert "from 2026-03-02T09:14:10+00:00 on" in problem["detail"]


@pytest.mark.parametrize("at", ["yesterday", "2026-03-02T09:14:05", iso(NOW + SECOND)])
async def test_a_moment_that_is_none_or_to_come_is_a_400(web: Site, at: str) -> None:
    web.service.open_signal("sig-1")
    status, problem = await as_of(web, "signals/sig-1", at)
    assert (status, problem["reason"]) == (400, "invalid_parameter")


# the stock of a row ---------------------------------------------------------------------------------------------------

FIRST = NOW - 10 * DAY


def moved(name: str, kind: str, day: int, **data: Any) -> bytes:
    event = {"specversion": "1.0", "id": name, "source": "t", "type": kind, "time": iso(FIRST + day * DAY)}
    return msgspec.json.encode(event | {"data": {"sku": "A", "location": "L", **data}})


class Rows(MemoryFamily):
    """The state of a row that got 10, then was counted at 7, then lost one a day: its oldest movements are summed up.

    During each of the next `restless` scans of it the row gets one more.
    """

    def __init__(self, restless: int = 0) -> None:
        super().__init__()
        self._rig, self._numbers, self._restless = Rig(8), count(), 0
        self._send(moved("first", "stock.adjusted", 0, qty=10, reason="x"))
        self._send(moved("count", "stock.counted", 1, qty=7))
        for day in (2, 3, 4):
            self._send(moved(f"day {day}", "stock.adjusted", day, qty=-1, reason="x"))
        self._restless = restless

    def _send(self, event: bytes) -> None:
        self._rig.send([event], NOW)
        for key, value in self._rig.bus.state.scan(b"\x00", b"\xff"):
            self.apply(key, value)

    def scan(self, start: bytes, stop: bytes, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        found = super().scan(start, stop, reverse)
        if self._restless:
            self._restless -= 1
            self._send(moved(f"more {next(self._numbers)}", "stock.adjusted", 2, qty=1, reason="x"))
        return found


async def test_the_stock_of_a_row_is_told_as_of_a_moment_with_what_is_known_now(web: Site) -> None:
    web.service.bus.state = Rows()
    status, row = await as_of(web, "positions/A/L", iso(FIRST + 3 * DAY))
    assert (status, row) == (200, {
        "sku": "A", "location": "L", "as_of": iso(FIRST + 3 * DAY), "available": 5, "held": 0, "on_hand": 5,
        "kept_since": iso(FIRST + DAY),
    })  # fmt: skip
    assert (await as_of(web, "positions/A/L", iso(FIRST + 3 * DAY - 1)))[1]["available"] == 6


@pytest.mark.parametrize(
    ("row", "at", "expected"),
    [
        ("A/L", iso(FIRST + DAY - 1), (410, "history_gone")),
        ("A/L", "0001-01-01T00:00:00+14:00", (410, "history_gone")),
        ("B/L", "0001-01-01T00:00:00+14:00", (404, "unknown_row")),
        ("A/L", iso(NOW + SECOND), (400, "invalid_parameter")),
        ("A/L", "yesterday", (400, "invalid_parameter")),
    ],
)
async def test_a_moment_of_which_the_stock_is_not_known_is_explained(
    web: Site, row: str, at: str, expected: tuple[int, str]
) -> None:
    web.service.bus.state = Rows()
    status, problem = await as_of(web, f"positions/{row}", at)
    assert (status, problem["reason"]) == expected
    assert status != 410 or iso(FIRST + DAY) in problem["detail"]


async def test_a_row_that_changes_while_it_is_read_is_read_again(web: Site) -> None:
    web.service.bus.state = Rows(restless=2)
    status, row = await as_of(web, "positions/A/L", iso(FIRST + 3 * DAY))
    assert (status, row["available"]) == (200, 7)
    web.service.bus.state = Rows(restless=10**6)
    status, problem = await as_of(web, "positions/A/L", iso(FIRST + 3 * DAY))
    assert (status, problem["reason"]) == (429, "busy")

"""Signals and alerts as they were at a moment."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.core.values import SECOND, iso
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

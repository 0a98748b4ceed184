"""What operators look at: sources, and what the process runs with."""

from __future__ import annotations

from typing import Any

from tests.unit.test_dead_letter_answers import call, counted
from tests.unit.test_refused_records import serving

DECLARED = {"feed": "wms", "interval_seconds": 60, "locations": ["L"]}


def declared() -> dict[str, Any]:
    return {**counted("f"), "source": "erp", "type": "feed.declared", "data": DECLARED}


async def test_a_declared_feed_and_other_sources_are_told_with_what_was_refused() -> None:
    async with serving() as client:
        for event in (declared(), counted("1"), counted("2", qty=-1), {**counted("3", qty=-1), "source": "shop"}):
            await call(client, "POST", "/v1/events", event)
        status, told = await call(client, "GET", "/v1/sources")
        assert status == 200
        feed, other = told["items"]
        assert (feed["source"], feed["refused"], feed["feed"]["stale"]) == ("wms", 1, False)
        assert (feed["feed"]["interval_seconds"], feed["feed"]["locations"]) == (60, ["L"])
        assert (other["source"], other["feed"], other["refused"]) == ("shop", None, 1)


async def test_a_process_without_settings_tells_none() -> None:
    async with serving() as client:
        assert await call(client, "GET", "/v1/settings") == (200, {"settings": {}})

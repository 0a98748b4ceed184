"""What can be promised of a row: from its published position, or where supply is on its way from the engine."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from connectors.base import JsonObject
from connectors.client import EngineClient, EngineRefused

AT_ONCE = 4
"""So many rows are asked for at once."""

Days = list[tuple[str, int]]


class Promise(NamedTuple):
    """What can be promised of a row: pairs of a date and the quantity from that day on."""

    sku: str
    location: str
    days: Days


async def promises_of(engine: EngineClient, positions: Sequence[JsonObject]) -> list[Promise]:
    """What can be promised of the rows of these positions."""
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(position: JsonObject) -> Promise:
        async with at_once:
            return Promise(position["sku"], position["location"], await _days(engine, position))

    return list(await asyncio.gather(*map(one, positions)))


async def _days(engine: EngineClient, position: JsonObject) -> Days:
    """Without supply it is what is sellable, whatever the day, and needs no question."""
    always = [(str(position["updated"])[:10], int(position["sellable"]))]
    if not position["on_order"] and not position["in_transit"]:
        return always
    try:
        row = await engine.get(
            f"/v1/positions/{quote(position['sku'], safe='')}/{quote(position['location'], safe='')}"
        )
    except EngineRefused:
        return always
    days: Days = []
    for day in row["atp"]:
        if not days or days[-1][1] != day["atp"]:
            days.append((day["date"], day["atp"]))
    return days

"""Follows the rows of the engine: what their events say of order lines, and which forecast is in force.

A row is read once something of it is on order, and again when its version has moved: newest event first, back to the
newest one that was read before. What its events say is merged (`connectors.edi.outbound.lines`), so it does no harm if
some are read again.
"""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from connectors.base import JsonObject
from connectors.client import EngineClient
from connectors.edi.outbound.due import Terms
from connectors.edi.outbound.journal import Journal
from connectors.edi.outbound.kept import Row
from connectors.edi.outbound.lines import CONCERNS, key_of, rank_of

_PAGE: Final = "200"


class Rows:
    """Brings a journal up to date with the rows of an engine."""

    def __init__(self, journal: Journal, terms: Terms, forecasts: bool) -> None:
        self._journal, self._terms, self._forecasts = journal, terms, forecasts

    async def follow(self, engine: EngineClient) -> None:
        """Read every row that has changed since it was read. Raises `EngineUnreachable` and `Unreachable`."""
        found = await engine.sync()
        suppliers, since = sorted(self._terms.suppliers), str(self._terms.since)
        self._journal.begin(json.dumps([found.get("log"), suppliers, since, self._forecasts]))
        versions = self._journal.versions()
        async for position in engine.positions():
            row = (position["sku"], position["location"])
            # Stock moves far more often than orders alter: a row that never had one on order is not read.
            concerns = row in versions or self._forecasts or position["on_order"] or position["in_transit"]
            if concerns and versions.get(row) != position["version"]:
                await self._read(engine, row, int(position["version"]))

    async def _read(self, engine: EngineClient, name: tuple[str, str], version: int) -> None:
        row = self._journal.row(*name)
        events = [event async for event in _events_since(engine, name, row.newest)]
        newest = _identity(events[0]) if events else row.newest
        # Events that came after the list of rows was made are read too, and again with the next version.
        row = self._with_policies(replace(row, version=version, newest=newest), events)
        if self._forecasts and (row.forecast or any(event["type"] == "forecast.revised" for event in events)):
            row = replace(row, forecast=await self._forecast_of(engine, row))
        with self._journal.transaction():
            for event in events:
                if event["type"] in CONCERNS and (event["data"]["sku"], event["data"]["location"]) == name:
                    self._merge(event)
            self._journal.keep_row(row)

    def _merge(self, event: JsonObject) -> None:
        key = key_of(event["data"])
        line = self._journal.line(key)
        state = line.state.after(event)
        if state != line.state:
            self._journal.keep_line(key, state, time.time())

    @staticmethod
    def _with_policies(row: Row, events: list[JsonObject]) -> Row:
        """The row with the supplier of its latest policy that names one."""
        for event in events:
            if event["type"] == "policy.set" and event["data"].get("supplier"):
                said = (rank_of(event).time, event["data"]["supplier"])
                row = replace(row, supplier=max(row.supplier or said, said))
        return row

    async def _forecast_of(self, engine: EngineClient, row: Row) -> str | None:
        """The name of the forecast in force, None where there is none or the partner does not supply the row.

        It names the versions that it is made of: its buckets alter with every day that passes, and are no news.
        """
        if row.supplier is None or row.supplier[1] not in self._terms.suppliers:
            return None
        forecast = (await engine.get(path_of(row.sku, row.location)))["forecast"]
        return forecast and json.dumps([forecast["version"], forecast["deltas"]])


def path_of(sku: str, location: str) -> str:
    """The path of a row."""
    return f"/v1/positions/{quote(sku, safe='')}/{quote(location, safe='')}"


async def _events_since(engine: EngineClient, name: tuple[str, str], newest: str) -> AsyncIterator[JsonObject]:
    """The events of a row, newest first, up to one that was read before."""
    filters = {"limit": _PAGE}
    while True:
        page = await engine.get(f"{path_of(*name)}/events", filters)
        for event in page["items"]:
            if newest and _identity(event) == newest:
                return
            yield event
        if not page.get("next"):
            return
        filters["cursor"] = str(page["next"])


def _identity(event: JsonObject) -> str:
    return f"{event['source']} {event['id']}"

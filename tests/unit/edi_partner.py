"""A partner for the tests of what goes out by EDI: rows of an engine, and the connector that follows them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

from connectors.base import JsonObject
from connectors.client import EngineClient
from connectors.edi import read
from connectors.edi.outbound.journal import Journal
from connectors.edi.outbound.profile import Profile
from connectors.edi.outbound.sink import Folders, Outgoing
from connectors.edi.reader import EdiReader
from connectors.folder.local import LocalPlace
from connectors.ports import Batch, SameNames, Tools
from tests.unit import edi_documents as edi

START = "2026-03-02T10:00:00+00:00"


class EngineOfRows:
    """The calls of an engine that the connector makes: rows with versions, their events, signals."""

    def __init__(self) -> None:
        self.log = "log-1"
        self.events: dict[tuple[str, str], list[JsonObject]] = defaultdict(list)
        self.forecasts: dict[tuple[str, str], JsonObject] = {}
        self.listed: list[JsonObject] = []
        self.asked: list[str] = []

    def say(self, kind: str, number: int, time: str = START, **data: Any) -> None:
        """An event of a row."""
        data = {"sku": "LAMP-7", "location": "LDS", **data}
        event = {"source": "erp", "id": str(number), "type": kind, "time": time, "data": data}
        self.events[data["sku"], data["location"]].append(event)

    def order(self, number: int, line: int, qty: int, **data: Any) -> None:
        """An `order.placed` of the partner, due on the tenth of March unless said otherwise."""
        given = {"order": "PO-1", "supplier": "NORDLICHT", "due": "2026-03-10", **data}
        self.say("order.placed", number, line=line, qty=qty, **given)

    async def sync(self, wait_seconds: float = 30.0) -> JsonObject:
        return {"log": self.log, "lag": 0}

    async def positions(self) -> AsyncIterator[JsonObject]:
        for (sku, location), events in list(self.events.items()):
            on_order = sum(event["type"] == "order.placed" for event in events)
            yield {
                "sku": sku, "location": location, "version": len(events), "on_order": on_order, "in_transit": 0,
            }  # fmt: skip

    async def signals(self, status: str) -> AsyncIterator[JsonObject]:
        for signal in self.listed:
            if signal["status"] == status:
                yield signal

    async def get(self, path: str, filters: dict[str, str] | None = None) -> Any:
        name = cast(tuple[str, str], tuple(map(unquote, path.removeprefix("/v1/positions/").split("/")[:2])))
        self.asked.append(path)
        if not path.endswith("/events"):
            return {"forecast": self.forecasts.get(name)}
        events = self.events[name][::-1]
        start, size = int((filters or {}).get("cursor", "0")), 3
        following = str(start + size) if start + size < len(events) else None
        return {"items": events[start : start + size], "next": following}


class Desk:
    """The connector of a profile over a folder, with the rows that it follows."""

    def __init__(self, folder: Path, **keys: Any) -> None:
        self.folder, self.engine = folder, EngineOfRows()
        (folder / "partner" / "in").mkdir(parents=True, exist_ok=True)
        (folder / "own").mkdir(exist_ok=True)
        given = {
            "kind": "edi", "name": "nordlicht-out", "partner": "nordlicht", "standard": "x12",
            "suppliers": ["NORDLICHT"], "ours": {"id": "BUYER"}, "theirs": {"id": "SUPPLIER"},
            "journal": folder / "journal", "path": str(folder / "partner"), "gather_seconds": 0,
        }  # fmt: skip
        self.profile = Profile.model_validate({**given, **keys})
        self.identifiers: Any = SameNames()
        self.place = LocalPlace(folder / "partner")
        self.position: JsonObject | None = None

    def outgoing(self, journal: Journal) -> Outgoing:
        """The sink over an open journal."""
        partner = self.folder / "partner"
        tools = Tools(self.identifiers, self.folder / "own", cast(Any, None))
        found = Outgoing(self.profile, tools, journal, Folders(self.place, LocalPlace(partner / "in")))
        found.reader = EdiReader(edi.profile("buyer"))
        return found

    async def round(self, patch: Callable[[LocalPlace, Journal], None] | None = None) -> list[Batch]:
        """One round of a process that begins and ends; `patch` may break it."""
        self.place = LocalPlace(self.folder / "partner")
        journal = Journal(self.profile.journal, self.profile.first_number)
        batches: list[Batch] = []
        try:
            outgoing = self.outgoing(journal)
            if patch is not None:
                patch(self.place, journal)
            async for batch in outgoing.pass_on(cast(EngineClient, self.engine), self.position):
                batches.append(batch)
                self.position = batch.position or self.position
        finally:
            journal.close()
        return batches

    @property
    def files(self) -> dict[str, bytes]:
        """What lies in the folder for the partner."""
        return {path.name: path.read_bytes() for path in sorted((self.folder / "partner" / "out").glob("*"))}

    @property
    def kinds(self) -> list[str]:
        """The number and the kind of each of these files."""
        return [name.partition("-out-")[2].rpartition(".")[0] for name in self.files]

    def read(self) -> list[list[str]]:
        """What the partner reads: the events that our own reader makes of all files, as a seller, as plain rows."""
        return [edi.row(json.loads(event)) for each in self.files.values() for event in events_of(each)]


def events_of(text: bytes) -> list[bytes]:
    """The events that a seller reads; nothing may be wrong with the text."""
    items = read(text, edi.profile("seller", locations=("ST", "DP"), items=("BP", "IN"), strict=True))
    assert not edi.problems(items), edi.problems(items)
    return [event for item in items for event in item.events]

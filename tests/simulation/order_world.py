"""A purchasing system in memory, an engine that knows signals only, and people who work in both, all by seed.

Every call of the connector may be lost on its way there or back, be refused, find a list that moves, or be the last one
of a process that is killed. Two connectors may be at work at once: each call lets the other one go on.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from connectors.base import JsonObject, Submission
from connectors.client import EngineClient, EngineRefused
from connectors.orders import Key, OrderLine, PushRefused, WantedLine
from connectors.profiles import Unreachable

SYSTEM = "erp"
SKUS = tuple(f"S{number}" for number in range(8))
SUPPLIERS = {sku: f"SUP{index % 3}" for index, sku in enumerate(SKUS)}


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Document:
    supplier: str
    location: str
    lines: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Line -> the text that holds the key, and the quantity."""
    state: str = "draft"


class OrderBook:
    """The documents of the purchasing system."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}
        self.numbers = 7
        self.refuses: set[str] = set()
        """Skus that it does not want."""

    def number(self) -> str:
        self.numbers += 1
        return str(self.numbers)

    def lines(self) -> list[OrderLine]:
        return [
            OrderLine(
                key, number, line, "ordered" if document.state == "ordered" else "draft", document.supplier,
                document.location, f"PO-{number}", line, qty,
            )
            for number, document in self.documents.items()
            for line, (text, qty) in document.lines.items()
            if (key := Key.found_in(text))
        ]  # fmt: skip

    def of(self, signal: str) -> list[OrderLine]:
        return [line for line in self.lines() if line.key.signal == signal]

    def create(self, lines: Sequence[WantedLine]) -> None:
        self.check(lines)
        document = Document(lines[0].supplier, lines[0].location)
        self.documents[self.number()] = document
        document.lines = {self.number(): (f"{line.key}", line.key.qty) for line in lines}

    def add(self, number: str, lines: Sequence[WantedLine]) -> None:
        self.check(lines)
        self.draft(number).lines |= {self.number(): (f"{line.key}", line.key.qty) for line in lines}

    def change(self, line: OrderLine, wanted: WantedLine) -> None:
        self.check([wanted])
        document = self.draft(line.document)
        if line.line not in document.lines:
            raise PushRefused("there is no such line")
        document.lines[line.line] = (f"see {wanted.key}, thanks", wanted.key.qty)

    def remove(self, line: OrderLine) -> None:
        if line.document in self.documents:
            document = self.draft(line.document)
            document.lines.pop(line.line, None)
            if not document.lines:
                del self.documents[line.document]

    def draft(self, number: str) -> Document:
        document = self.documents.get(number)
        if document is None or document.state != "draft":
            raise PushRefused(f"{number} is no draft")
        return document

    def check(self, lines: Sequence[WantedLine]) -> None:
        if bad := [line.sku for line in lines if line.sku in self.refuses]:
            raise PushRefused(f"unknown article {bad[0]}")


@dataclass
class Faults:
    """How likely a call ends badly."""

    lost: float = 0.0
    killed: float = 0.0
    moved: float = 0.0


class Access:
    """A connector's way to the book: an `OrderSystem`."""

    name = SYSTEM

    def __init__(self, book: OrderBook, draw: Random, faults: Faults) -> None:
        self._book, self._draw, self._faults = book, draw, faults

    async def find(self, signals: Collection[str]) -> Sequence[OrderLine]:
        await self._fate()
        found = [line for line in self._book.lines() if line.state == "draft" or line.key.signal in signals]
        self._draw.shuffle(found)
        if found and self._draw.random() < self._faults.moved:
            found[0] = self._draw.choice(found)
        await self._fate()
        return found

    async def create_draft(self, lines: Sequence[WantedLine]) -> None:
        await self._fate()
        self._book.create(lines)
        await self._fate()

    async def add_lines(self, document: str, lines: Sequence[WantedLine]) -> None:
        await self._fate()
        self._book.add(document, lines)
        await self._fate()

    async def change_line(self, line: OrderLine, wanted: WantedLine) -> None:
        await self._fate()
        self._book.change(line, wanted)
        await self._fate()

    async def remove_line(self, line: OrderLine) -> None:
        await self._fate()
        self._book.remove(line)
        await self._fate()

    async def _fate(self) -> None:
        for _ in range(self._draw.randrange(4)):
            await asyncio.sleep(0)
        if self._draw.random() < self._faults.killed:
            raise Killed
        if self._draw.random() < self._faults.lost:
            raise Unreachable("no answer")


class SignalEngine(EngineClient):
    """The engine as far as signals go: it lists them, and folds what the connector says of them."""

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 3, 2, tzinfo=UTC)
        self.published: dict[str, dict[str, Any]] = {}
        self.said: dict[str, bytes] = {}
        self.latest: dict[tuple[str, str | None], str] = {}

    def open(self, sku: str, location: str, qty: int, disposition: str = "auto") -> str:
        ident = f"sig-{len(self.published)}"
        self.published[ident] = {
            "id": ident, "sku": sku, "location": location, "supplier": SUPPLIERS.get(sku), "qty": qty,
            "due": "2026-03-20", "status": "open", "disposition": disposition, "revision": 0, "by": None, "order": None,
            "draft": None,
        }  # fmt: skip
        self.revise(ident)
        return ident

    def revise(self, ident: str, **fields: Any) -> None:
        signal = self.published[ident]
        self.now += timedelta(seconds=1)
        signal |= fields | {"revision": signal["revision"] + 1, "updated": self.now.isoformat()}

    def standing(self, sku: str, location: str) -> str | None:
        return next(
            (
                each["id"]
                for each in self.published.values()
                if (each["sku"], each["location"]) == (sku, location) and each["status"] in ("open", "accepted")
            ),
            None,
        )

    async def sync(self, wait_seconds: float = 30.0) -> JsonObject:
        return {"applied": len(self.said)}

    async def get(self, path: str, filters: Mapping[str, str] | None = None) -> Any:
        await asyncio.sleep(0)
        if path == "/v1/sync":
            return {"accepted": len(self.said)}
        ident = path.rpartition("/")[2]
        if ident not in self.published:
            raise EngineRefused(404, "there is no such signal")
        return dict(self.published[ident])

    async def signals(self, **filters: str) -> AsyncIterator[JsonObject]:
        for signal in list(self.published.values()):
            since = filters.get("updated.min", "")
            wanted = {name: value for name, value in filters.items() if name != "updated.min"}
            if signal["updated"] >= since and all(signal[name] == value for name, value in wanted.items()):
                yield dict(signal)

    async def post_events(self, events: Sequence[bytes]) -> Submission:
        await asyncio.sleep(0)
        for line in events:
            event = json.loads(line)
            if event["id"] in self.said:
                assert self.said[event["id"]] == line, f"{event['id']} was said with other content"
                continue
            self.said[event["id"]] = line
            self.fold(event["type"], event["data"], event["time"])
        return Submission(len(events), ())

    def fold(self, kind: str, data: dict[str, Any], time: str) -> None:
        """By the rule of the contract: of what is said of a document, the latest `time` counts."""
        signal = self.published[data["signal"]]
        about = data["signal"], kind if kind == "signal.ordered" else data.get("document")
        if self.latest.get(about, "") >= time:
            return
        self.latest[about] = time
        place = {"system": data.get("system"), "document": data.get("document"), "line": data.get("line")}
        if kind == "signal.drafted" and signal["status"] in ("open", "accepted"):
            self.revise(signal["id"], draft=place)
        elif kind == "signal.draft_gone" and signal["draft"] == place:
            self.revise(signal["id"], draft=None)
        elif kind == "signal.ordered":
            assert signal["status"] != "rejected" or signal["draft"] is not None
            self.revise(signal["id"], status="ordered", order=data["order"], draft=None)

    def count(self, kind: str) -> int:
        return sum(json.loads(line)["type"] == kind for line in self.said.values())

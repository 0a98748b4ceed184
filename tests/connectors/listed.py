"""Reads stock counts from a list of lines, and keeps a list of signals: an example of a connector, for tests.

It delivers at least once, and exactly once in the log, because the id of an event is its line. The list is a file,
`count SKU LOCATION QTY` a line: a test writes to it and a process reads it. Beside it lies a receipt.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from connectors.base import JsonObject
from connectors.client import EngineClient
from connectors.mapping.values import Unreadable
from connectors.ports import Batch, Finding, Sink, Source, Tools, UntranslatedRecord
from connectors.profiles import ConnectorProfile, Secret, Unreachable
from engine.core.errors import UsageError

AWAY = "away"
BATCH = 2


class Profile(ConnectorProfile):
    kind: Literal["listed"]
    path: Path
    partner: str = "list"
    password: Secret | None = None


class Lines:
    """The source: each line is a count at a time that follows from its number."""

    def __init__(self, profile: Profile, tools: Tools, password: str | None) -> None:
        self._profile, self._tools, self._password = profile, tools, password

    async def pull(self, position: JsonObject | None) -> AsyncIterator[Batch]:
        lines = self._lines()
        first = 0 if position is None else int(position["line"])
        for start in range(first, len(lines), BATCH):
            events, untranslated = [], []
            for number in range(start, min(start + BATCH, len(lines))):
                try:
                    events += self._events(lines[number])
                except Unreadable as error:
                    untranslated.append(self._untranslated(lines[number], error))
            position = {"line": min(start + BATCH, len(lines))}
            yield Batch(events, untranslated, position, lag_seconds=float(len(lines) - position["line"]))
            # Only here is the batch durable.
            self._profile.path.with_suffix(".receipt").write_text(f"{position['line']} lines are taken\n")

    async def replay(self, record: bytes) -> Sequence[bytes]:
        return self._events(record.decode())

    def _lines(self) -> list[str]:
        try:
            lines = self._profile.path.read_text().splitlines()
        except FileNotFoundError:
            raise UsageError(f"there is no list {self._profile.path}") from None
        if AWAY in lines:
            raise Unreachable(f"the list is away, it said: no such user with the password {self._password}")
        return lines

    def _events(self, line: str) -> list[bytes]:
        if line == "bug":
            raise ZeroDivisionError("a bug of the connector")
        words = line.split(" ")
        if len(words) != 4 or words[0] != "count" or not words[3].isdigit():
            raise Unreadable(f"{line!r} is not `count SKU LOCATION QTY`")
        sku = self._tools.identifiers.ours("item", self._profile.partner, words[1])
        return [
            json.dumps(
                {
                    "specversion": "1.0", "id": line, "source": self._profile.event_source, "type": "stock.counted",
                    "time": "2026-03-02T06:00:00Z", "data": {"sku": sku, "location": words[2], "qty": int(words[3])},
                }
            ).encode()
        ]  # fmt: skip

    @staticmethod
    def _untranslated(line: str, error: Unreadable) -> UntranslatedRecord:
        name = hashlib.sha256(line.encode()).hexdigest()[:16]
        return UntranslatedRecord.of(error, name, line.encode(), f"the line {line[:40]!r}")


class SignalsFile:
    """The sink: writes the ids of all signals into a file beside the list."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def pass_on(self, engine: EngineClient, position: JsonObject | None) -> AsyncIterator[Batch]:
        signals = sorted([signal["id"] async for signal in engine.signals()])
        self._path.write_text("\n".join(signals))
        yield Batch(position={"signals": len(signals)})


class ListedConnector:
    def __init__(self, profile: Profile, tools: Tools) -> None:
        self._profile, self._tools = profile, tools
        self._password: str | None = None

    async def __aenter__(self) -> Self:
        if self._profile.password is not None:
            self._password = self._profile.password.reveal()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._password = None

    @property
    def sources(self) -> Mapping[str, Source]:
        return {"lines": Lines(self._profile, self._tools, self._password)}

    @property
    def sinks(self) -> Mapping[str, Sink]:
        return {"signals": SignalsFile(self._profile.path.with_suffix(".signals"))}

    async def check(self) -> Sequence[Finding]:
        there = self._profile.path.exists()
        return [Finding("the list", there, "it can be read" if there else f"create {self._profile.path}")]


def connect(profile: Profile, tools: Tools) -> ListedConnector:
    return ListedConnector(profile, tools)

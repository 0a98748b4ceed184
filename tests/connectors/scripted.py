"""Connectors made of functions, for tests of what runs connectors."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Self

from connectors.base import JsonObject
from connectors.client import EngineClient
from connectors.ports import Batch, Connector, Finding, Sink, Source, Tools
from connectors.profiles import ConnectorProfile

Pull = Callable[[JsonObject | None], AsyncIterator[Batch]]


def count(name: str) -> bytes:
    data = {"sku": name, "location": "LEEDS", "qty": 1}
    event = {"specversion": "1.0", "id": name, "source": "s", "type": "stock.counted", "time": "2026-03-02T06:00:00Z"}
    return json.dumps({**event, "data": data}).encode()


def failing(error: Exception) -> Pull:
    async def pull(position: JsonObject | None) -> AsyncIterator[Batch]:
        if position is None:
            raise error
        yield Batch()

    return pull


class Pulled:
    """A source, or a sink, of one function."""

    def __init__(self, pull: Pull) -> None:
        self.pull = pull

    async def replay(self, record: bytes) -> Sequence[bytes]:
        return []

    def pass_on(self, engine: EngineClient, position: JsonObject | None) -> AsyncIterator[Batch]:
        return self.pull(position)


class Scripted:
    """A connector whose sources and sinks are functions; it is its own kind."""

    Profile = ConnectorProfile

    def __init__(
        self, opening: Callable[[], None] = lambda: None, sinks: Mapping[str, Pull] | None = None, **sources: Pull
    ):
        self._opening = opening
        self.sources: Mapping[str, Source] = {name: Pulled(pull) for name, pull in sources.items()}
        self.sinks: Mapping[str, Sink] = {name: Pulled(pull) for name, pull in (sinks or {}).items()}
        self.tools: Tools | None = None

    def connect(self, profile: ConnectorProfile, tools: Tools) -> Connector:
        self.tools = tools
        return self

    async def __aenter__(self) -> Self:
        self._opening()
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def check(self) -> Sequence[Finding]:
        return []

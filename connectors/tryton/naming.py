"""Our names for what Tryton calls its items, warehouses and suppliers, and the envelope of the events about them."""

import json
from dataclasses import dataclass
from datetime import datetime

from connectors.base import JsonObject
from connectors.mapping.values import Unreadable
from connectors.ports import Identifiers
from connectors.profiles import IdentifierKind
from connectors.tryton.wire import stamp

WHERE = {"item": "product", "location": "location", "supplier": "party", "unit": "unit of measure"}


@dataclass(frozen=True)
class Naming:
    """`source` of the events, and the identifiers, in which the connector's name is the `partner`."""

    source: str
    identifiers: Identifiers
    partner: str

    def ours(self, kind: IdentifierKind, code: str | None, number: int) -> str:
        """Our name for the record `number` with a code. Raises `Unreadable` without one, or `Unmapped`."""
        if not code:
            raise Unreadable(f"the {WHERE[kind]} {number} has no code in Tryton: give it one")
        return self.identifiers.ours(kind, self.partner, code)

    def event(self, name: str, kind: str, at: datetime, data: JsonObject) -> bytes:
        """An event as a JSON line; `name` is its id, and follows from the record."""
        event = {
            "specversion": "1.0",
            "id": name,
            "source": self.source,
            "type": kind,
            "time": stamp(at),
            "data": data,
        }
        return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()

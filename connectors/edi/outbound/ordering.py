"""Signals become orders of the log where no other system orders: `order.placed`, which ends the signal."""

import json
from typing import Final

from connectors.base import JsonObject
from connectors.client import EngineClient

MOST_EVENTS: Final = 1000


async def ordered_signals(engine: EngineClient, suppliers: frozenset[str], source: str) -> list[bytes]:
    """The events of orders for signals of these suppliers that are accepted, or open and automatic.

    An order is named by its signal, so that saying it again is a duplicate, and whatever a signal's revision was, it is
    ordered once.
    """
    found: list[bytes] = []
    for status in ("open", "accepted"):
        async for signal in engine.signals(status=status):
            is_wanted = status == "accepted" or signal["disposition"] == "auto"
            if is_wanted and signal["supplier"] in suppliers and len(found) < MOST_EVENTS:
                found.append(_placed(signal, source))
    return found


def order_of(signal: str) -> str:
    """The number of a signal's order, of at most 22 characters, which is what an 850 has room for."""
    return f"SL{signal.rpartition('-')[2]}"[:22]


def _placed(signal: JsonObject, source: str) -> bytes:
    event = {
        "specversion": "1.0",
        "id": f"order/{signal['id']}",
        "source": source,
        "type": "order.placed",
        "time": signal["updated"],
        "data": {
            "order": order_of(signal["id"]),
            "line": 1,
            "sku": signal["sku"],
            "location": signal["location"],
            "supplier": signal["supplier"],
            "qty": signal["qty"],
            "due": signal["due"],
            "signal": signal["id"],
        },
    }
    return json.dumps(event, separators=(",", ":")).encode()

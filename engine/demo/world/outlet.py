"""The outlet of the simulated world: its CloudEvents in the order of their arrival, with the usual mishaps.

Some events arrive hours late, some twice, and a few are invalid on purpose. The outlet counts all of these, so that the
engine's figures can be compared with them.
"""

from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Protocol

import msgspec

from engine.demo.world.agenda import Agenda
from engine.demo.world.calendar import HOUR, MINUTE, iso

_encode = msgspec.json.Encoder().encode
DUPLICATES = 0.004
LATE = 0.02
LATE_TYPES = frozenset({"stock.issued", "stock.returned", "shipment.notified", "order.acknowledged"})

EventData = Mapping[str, object]


class Emit(Protocol):
    """Sends an event; `at` is its time in microseconds UTC. Returns source/id, the name that explanations use."""

    def __call__(self, source: str, ident: str, kind: str, at: int, data: EventData, /) -> str:
        """Send the event."""
        ...


def say_nothing(source: str, ident: str, _kind: str, _at: int, _data: EventData, /) -> str:
    """Send nothing, for a world without an engine."""
    return f"{source}/{ident}"


class Outlet:
    """Collects the lines to post. Counts: events by type, duplicates sent again, spoiled events by reason."""

    def __init__(self, agenda: Agenda, seed: str) -> None:
        self._agenda = agenda
        self._draw = Random(f"{seed}/mishaps")
        self._lines: list[bytes] = []
        self._spoiled_number = 0
        self.by_type: Counter[str] = Counter()
        self.duplicates = 0
        self.late = 0
        self.spoiled: Counter[str] = Counter()

    def emit(self, source: str, ident: str, kind: str, at: int, data: EventData) -> str:
        """Send an event; it may be delayed, and may be sent twice."""
        line = event_line(source, ident, kind, at, data)
        chance = self._draw.random()
        if kind in LATE_TYPES and chance < LATE:
            self._agenda.put(at + int(self._draw.uniform(0.3, 3) * HOUR), self._send_late, kind, line)
        else:
            self._send(kind, line)
        if chance > 1 - DUPLICATES:
            self._agenda.put(at + int(self._draw.uniform(3.5, 30) * HOUR), self._send_again, line)
        return f"{source}/{ident}"

    def spoil(self, at: int, sku: str, location: str) -> None:
        """Send an invalid event; each call takes the next of the ways in which an event can be invalid."""
        number = self._spoiled_number
        self._spoiled_number += 1
        reason, line = _spoiled(number, at, sku, location)
        self._send_spoiled(reason, line)

    def contradict(self, at: int, sku: str, location: str) -> None:
        """Send an event, and 20 hours later another one under the same source and id: a conflict."""
        ident = f"X-{self._spoiled_number}"
        self._spoiled_number += 1
        data = {"sku": sku, "location": location, "qty": 1, "reason": "cycle count booking"}
        undo = {"sku": sku, "location": location, "qty": -1, "reason": "cycle count booking undone"}
        self.emit("wms/corrections", ident, "stock.adjusted", at, data)
        self.emit("wms/corrections", ident + "-undo", "stock.adjusted", at + MINUTE, undo)
        line = event_line("wms/corrections", ident, "stock.adjusted", at, {**data, "qty": 100})
        self._agenda.put(at + 20 * HOUR, self._send_spoiled, "conflict", line)

    def take(self) -> list[bytes]:
        """The lines that were sent since the last call."""
        lines, self._lines = self._lines, []
        return lines

    def _send_spoiled(self, reason: str, line: bytes) -> None:
        self.spoiled[reason] += 1
        self._lines.append(line)

    def _send(self, kind: str, line: bytes) -> None:
        # Counted here: what is late at the end of the period is never sent.
        self.by_type[kind] += 1
        self._lines.append(line)

    def _send_late(self, kind: str, line: bytes) -> None:
        self.late += 1
        self._send(kind, line)

    def _send_again(self, line: bytes) -> None:
        self.duplicates += 1
        self._lines.append(line)


def event_line(source: str, ident: str, kind: str, at: int, data: EventData) -> bytes:
    """An event as a line of JSON."""
    return _encode({"specversion": "1.0", "id": ident, "source": source, "type": kind, "time": iso(at), "data": data})


def _spoiled(number: int, at: int, sku: str, location: str) -> tuple[str, bytes]:
    """The reason that the engine should give for the `number`-th invalid event, and its line."""
    issue = {"sku": sku, "location": location, "qty": 3}
    event = {"specversion": "1.0", "id": f"S-{number}", "source": "wms/handheld-7", "type": "stock.issued",
             "time": iso(at), "data": issue}  # fmt: skip
    variants: list[tuple[str, bytes | dict[str, object]]] = [
        ("not_json", _encode(event)[:-9]),
        ("unknown_type", {**event, "type": "stock.teleported"}),
        ("invalid_event", {**event, "data": {**issue, "qty": 2.5}}),
        ("invalid_event", {**event, "data": {"sku": sku, "qty": 3}}),
        ("invalid_event", {**event, "data": {**issue, "colour": "blue"}}),
        ("invalid_event", {**event, "time": iso(at)[:19]}),
        ("quantity_out_of_range", {**event, "data": {**issue, "qty": 10**15}}),
        ("unknown_unit", {**event, "data": {**issue, "uom": "pallet"}}),
        ("invalid_event", {**event, "data": {**issue, "qty": -3}}),
    ]
    reason, body = variants[number % len(variants)]
    return reason, body if isinstance(body, bytes) else _encode(body)

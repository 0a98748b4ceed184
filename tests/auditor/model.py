"""The contract's row arithmetic, said again as plainly as possible.

Everything is recomputed from the whole list of events each time; nothing is kept between two questions. It is slow on
purpose: what it says must be obvious from reading it beside the contract, so that the engine can be held against it.

Events are dictionaries as they come off the wire, in their order of arrival. That order matters in two places only: the
first of two events with the same name wins, and a count that comes very late is applied as of the oldest moment kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from tests.auditor.order_lines import Fact, Line, last, order_lines
from tests.auditor.reversals import note_reversals

Event = dict[str, Any]
Key = tuple[str, str]  # (sku, location)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = 3_600_000_000  # microseconds
KEPT = 48 * HOUR
QUANTITIES = ("qty", "held", "damaged", "on_hand", "on_order")
ROW_TYPES = ("goods.", "receipt.", "stock.", "order.", "shipment.", "reservation.", "balance.", "policy.", "forecast.")


@lru_cache(maxsize=100_000)
def instant(text: str) -> int:
    """Microseconds since the epoch of an ISO 8601 time."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True)
class Row:
    available: int = 0
    held: int = 0
    reserved: int = 0
    on_order: int = 0
    in_transit: int = 0

    @property
    def sellable(self) -> int:
        return self.available - self.reserved

    @property
    def position(self) -> int:
        return self.sellable + self.on_order + self.in_transit


def tie_break(event: Event) -> bytes:
    """Of two events at one moment the one with the greater digest of its name is the later: any rule that no arrival
    order can change would do, and this is the one in use.
    """
    return blake2b(f"{event['source']}\0{event['id']}".encode(), digest_size=16).digest()


def distinct(events: Iterable[Event]) -> list[Event]:
    """The first event of each name; a repeat changes nothing, whether it says the same or not."""
    first: dict[tuple[str, str], Event] = {}
    for event in events:
        first.setdefault((event["source"], event["id"]), event)
    return list(first.values())


def facts_of(events: Iterable[Event]) -> list[Fact]:
    """The distinct events, flat, their quantities in base units, counts at the moment as of which they apply."""
    facts: list[Fact] = []
    definitions: dict[str, list[Fact]] = defaultdict(list)
    newest: dict[Key, int] = {}
    for event in distinct(events):
        fact = {"type": event["type"], "at": instant(event["time"]), **event["data"]}
        fact["rank"] = (fact["at"], tie_break(event))
        if fact["type"] == "item.defined":
            definitions[fact["sku"]].append(fact)
        if fact.get("uom"):
            fact = in_base_units(fact, factor_at(definitions[fact["sku"]], fact["at"], fact["uom"]))
        for key in keys_of(fact):
            newest[key] = max(newest.get(key, fact["at"]), fact["at"])
        if fact["type"] == "stock.counted":
            fact["as_of"] = max(fact["at"], newest[fact["sku"], fact["location"]] - KEPT)
        facts.append(fact)
    return facts


def factor_at(definitions: list[Fact], at: int, unit: str) -> int:
    """The factor of a unit at a moment by what has arrived: of the latest definition until then, else of the first."""
    definition = last(fact for fact in definitions if fact["at"] <= at) or min(definitions, key=lambda f: f["rank"])
    return int({definition["base_unit"]: 1, **(definition.get("units") or {})}[unit])


def in_base_units(fact: Fact, factor: int) -> Fact:
    converted = {name: value * factor if name in QUANTITIES else value for name, value in fact.items()}
    for entries in ("schedule", "buckets"):
        if entries in fact:
            converted[entries] = [{**entry, "qty": entry["qty"] * factor} for entry in fact[entries]]
    return converted


def keys_of(fact: Fact) -> set[Key]:
    """The rows an event speaks of."""
    if fact["type"].startswith("transfer."):
        return {(fact["sku"], fact[end]) for end in ("from", "to") if end in fact}
    return {(fact["sku"], fact["location"])} if fact["type"].startswith(ROW_TYPES) else set()


def movements(fact: Fact) -> Iterator[tuple[str, str, int]]:
    """What an event moves: location, status, signed quantity."""
    kind, qty = fact["type"], fact.get("qty", 0)
    if kind == "goods.received":
        yield fact["location"], "available", qty
        yield fact["location"], "held", fact.get("held", 0)
    elif kind == "receipt.reversed":
        yield fact["location"], "available", -fact["taken"]["qty"]
        yield fact["location"], "held", -fact["taken"]["held"]
    elif kind == "transfer.received":
        yield fact["to"], "available", qty
        yield fact["to"], "held", fact.get("held", 0)
    elif kind == "transfer.shipped":
        yield fact["from"], "available", -qty
    elif kind == "stock.adjusted":
        yield fact["location"], fact.get("status", "available"), qty
    elif kind == "stock.issued":
        yield fact["location"], "available", -qty
    elif kind == "stock.returned" and fact["disposition"] != "scrap":
        yield fact["location"], fact["disposition"], qty
    elif kind == "stock.returned_to_supplier":
        yield fact["location"], fact.get("status", "available"), -qty
    elif kind == "stock.held":
        yield fact["location"], "available", -qty
        yield fact["location"], "held", qty
    elif kind == "stock.released":
        yield fact["location"], "held", -qty
        yield fact["location"], "available", qty


class Model:
    """What the contract says of a list of events, at the moment `now` (microseconds since the epoch)."""

    def __init__(self, events: Iterable[Event], now: int) -> None:
        self.now = now
        self.facts = facts_of(events)
        self.by_row: dict[Key, list[Fact]] = defaultdict(list)
        for fact in self.facts:
            for key in keys_of(fact):
                self.by_row[key].append(fact)
        for facts in self.by_row.values():
            note_reversals(facts)

    def rows(self) -> dict[Key, Row]:
        return {key: self.row(key) for key in sorted(self.by_row)}

    def row(self, key: Key) -> Row:
        lines = self.lines(key).values()
        return Row(
            available=self.balance(key, "available"),
            held=self.balance(key, "held"),
            reserved=sum(self.reservations(key).values()),
            on_order=sum(line.on_order for line in lines),
            in_transit=sum(line.in_transit for line in lines) + sum(self.transfers(key).values()),
        )

    def events_of(self, key: Key, *types: str) -> list[Fact]:
        return [fact for fact in self.by_row.get(key, ()) if not types or fact["type"] in types]

    # ---- stock

    def balance(self, key: Key, status: str) -> int:
        """The latest count plus what moved after it; without a count all that moved."""
        moved = self.moved(key, status)
        counts = self.counts(key, status)
        if not counts:
            return sum(qty for _, qty in moved)
        moment, _, counted = max(counts, key=lambda count: count[1])
        return counted + sum(qty for at, qty in moved if at > moment)

    def stock_known(self, key: Key) -> bool:
        """Whether a count, a receipt or another movement has stated the stock of the row."""
        moving = ("goods.", "stock.", "transfer.received")
        return any(
            fact.get("from") == key[1] or (fact["type"].startswith(moving) and fact["type"] != "stock.reserved")
            for fact in self.events_of(key)
        )

    def moved(self, key: Key, status: str) -> list[tuple[int, int]]:
        return [
            (fact["at"], qty)
            for fact in self.events_of(key)
            for location, bucket, qty in movements(fact)
            if (location, bucket) == (key[1], status)
        ]

    def counts(self, key: Key, status: str) -> list[tuple[int, tuple[object, ...], int]]:
        return [
            (fact["as_of"], fact["rank"], fact["qty"])
            for fact in self.events_of(key, "stock.counted")
            if fact.get("status", "available") == status
        ]

    # ---- reservations and transfers

    def reservations(self, key: Key) -> dict[str, int]:
        names = {fact["reservation"] for fact in self.events_of(key, "stock.reserved")}
        return {name: self.reservation(key, name) for name in sorted(names)}

    def reservation(self, key: Key, name: str) -> int:
        about = [fact for fact in self.events_of(key) if fact.get("reservation") == name]
        releases = [fact for fact in about if fact["type"] == "reservation.released"]
        reserved = last(fact for fact in about if fact["type"] == "stock.reserved")
        if reserved is None or any(fact.get("qty") is None for fact in releases):
            return 0
        if reserved.get("expires") is not None and instant(reserved["expires"]) <= self.now:
            return 0
        issued = sum(fact["qty"] for fact in about if fact["type"] == "stock.issued")
        return max(0, int(reserved["qty"] - sum(fact["qty"] for fact in releases) - issued))

    def transfers(self, key: Key) -> dict[str, int]:
        """What is on its way to this row, by transfer."""
        owed: dict[str, int] = defaultdict(int)
        for fact in self.events_of(key, "transfer.shipped", "transfer.received"):
            if fact["to"] == key[1]:
                sign = 1 if fact["type"] == "transfer.shipped" else -1
                owed[fact["transfer"]] += sign * (fact["qty"] + fact.get("held", 0))
        return {name: max(0, qty) for name, qty in owed.items()}

    # ---- order lines

    def lines(self, key: Key) -> dict[tuple[str, int], Line]:
        return order_lines(self.events_of(key))

    # ---- conservation

    def conserved(self, sku: str) -> tuple[int, int]:
        """Both sides of the contract's equation: what is there, and what the flows say must be there."""
        keys = [key for key in self.by_row if key[0] == sku]
        there = sum(self.balance(key, status) for key in keys for status in ("available", "held"))
        return there + sum(sum(self.transfers(key).values()) for key in keys), self.flows(sku)

    def flows(self, sku: str) -> int:
        """Received + returned + found - issued - sent back - scrapped - lost over all locations of a sku."""
        total = 0
        for fact in self.facts:
            kind = fact["type"]
            if fact.get("sku") != sku:
                continue
            if kind == "goods.received":
                total += fact.get("qty", 0) + fact.get("held", 0)
            elif kind == "receipt.reversed":
                total -= fact["taken"]["qty"] + fact["taken"]["held"]
            elif kind == "stock.returned":
                total += fact["qty"] - (fact["qty"] if fact["disposition"] == "scrap" else 0)
            elif kind in ("stock.issued", "stock.returned_to_supplier"):
                total -= fact["qty"]
            elif kind == "stock.adjusted":
                total += fact["qty"]
        keys = [key for key in self.by_row if key[0] == sku]
        found = sum(self.found_by_counts(key, status) for key in keys for status in ("available", "held"))
        return total + found + sum(self.found_by_transfers(key) for key in keys)

    def found_by_counts(self, key: Key, status: str) -> int:
        """Units that counts found (or lost, negative), one count after the other along the time line."""
        story: list[tuple[int, int, tuple[object, ...], int]] = [
            (at, 0, (), qty) for at, qty in self.moved(key, status)
        ]
        story += [(moment, 1, rank, qty) for moment, rank, qty in self.counts(key, status)]
        book = found = 0
        for _, is_count, _, qty in sorted(story):
            if is_count:
                found += qty - book
                book = qty
            else:
                book += qty
        return found

    def found_by_transfers(self, key: Key) -> int:
        """Units that arrived by a transfer beyond what it is known to have shipped."""
        owed: dict[str, int] = defaultdict(int)
        for fact in self.events_of(key, "transfer.shipped", "transfer.received"):
            if fact["to"] == key[1]:
                sign = 1 if fact["type"] == "transfer.received" else -1
                owed[fact["transfer"]] += sign * (fact["qty"] + fact.get("held", 0))
        return sum(max(0, qty) for qty in owed.values())

"""The source of stock moves: each done move is told once, each that was told and is cancelled is reversed once.

A move that is done may be stamped again, when its cost is recomputed. What was told is therefore remembered by id, in
the position, and not only recognised by the log: the time of an event is the stamp at which its move was first seen.

A move that is first seen cancelled, and has the date on which it was done, is told and reversed at once. Either the two
make nothing together, or the first was told just before a crash that lost the position: then the log refuses it.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from connectors.base import JsonObject
from connectors.mapping.values import Unreadable
from connectors.ports import Batch, UntranslatedRecord
from connectors.tryton import moves
from connectors.tryton.changes import Changes, Poll, changed_at, stamps
from connectors.tryton.moves import Move, OrderLine
from connectors.tryton.numbers import NumberSet
from connectors.tryton.wire import moment, reference
from connectors.tryton.world import Erp, World, named, untranslated

MODEL: Final = "stock.move"
FIELDS: Final = (
    "product", "product.code", "product.default_uom", "quantity", "unit", "from_location", "to_location", "state",
    "origin", "shipment", "effective_date",
)  # fmt: skip
INTERNAL: Final = "stock.shipment.internal"


@dataclass
class Told:
    """What was told so far: the moves that are done, those that were reversed, the newest stamp seen."""

    done: NumberSet = field(default_factory=NumberSet)
    reversed: NumberSet = field(default_factory=NumberSet)
    newest: datetime | None = None


@dataclass(frozen=True)
class _Documents:
    """The purchase lines and shipments that a page of moves belongs to."""

    lines: dict[int, JsonObject]
    shipments: dict[str, JsonObject]


class MoveSource:
    """Reads stock moves; `told` is what is durable in the log, None before the first round."""

    def __init__(self, erp: Erp) -> None:
        self._erp = erp
        self.told: Told | None = None

    async def pull(self, position: JsonObject | None) -> AsyncIterator[Batch]:
        """The moves that were done or cancelled since `position`."""
        kept = position or {}
        told = Told(NumberSet.parse(kept.get("done", "")), NumberSet.parse(kept.get("reversed", "")))
        world = await self._erp.world()
        domain = [["state", "in", ["done", "cancelled"]], ["company", "=", self._erp.client.company]]
        profile = self._erp.profile
        changes = Changes(self._erp.client, Poll(MODEL, FIELDS, domain), profile.page, profile.overlap)
        async for page in changes.pages(kept.get("changes")):
            fresh = [record for record in page.records if _is_new(record, told)]
            batch = await self._batch(world, fresh, told)
            sets = {"done": told.done.text(), "reversed": told.reversed.text()}
            skipped = {**batch.skipped, "told before, or never done": len(page.records) - len(fresh)}
            counts = {reason: count for reason, count in skipped.items() if count}
            yield Batch(batch.events, batch.untranslated, {"changes": page.position, **sets}, counts)
            # The host asks for more once the batch is durable: only now may balances be compared against it.
            told.newest = page.newest
            self.told = told
        self.told = told

    async def replay(self, record: bytes) -> Sequence[bytes]:
        """The events of a move that could not be translated, by what the ERP and the identifiers say today."""
        number, name = named(record)
        found = await self._erp.client.read(MODEL, [number], [*FIELDS, *stamps(self._erp.client)])
        if not found:
            raise Unreadable(f"Tryton no longer has the move {number}")
        documents = await self._documents(found)
        row = {**found[0], "state": name["state"], "last_modified_at": moment(name["at"])}
        return self._events(await self._erp.world(), row, documents, was_told=True)

    async def _batch(self, world: World, records: list[JsonObject], told: Told) -> Batch:
        documents = await self._documents(records)
        events: list[bytes] = []
        refused: list[UntranslatedRecord] = []
        within = 0
        for record in records:
            try:
                found = self._events(world, record, documents, record["id"] in told.done)
                within += not found
                events += found
            except Unreadable as error:
                # One that came and went unseen and cannot be told has changed nothing.
                if record["state"] == "done" or record["id"] in told.done:
                    refused.append(untranslated(MODEL, record, error))
            told.done.add(record["id"])
            if record["state"] == "cancelled":
                told.reversed.add(record["id"])
        return Batch(events, refused, skipped={"no balance is changed": within})

    def _events(self, world: World, record: JsonObject, documents: _Documents, was_told: bool) -> list[bytes]:
        move = translate(world, record, documents.lines, documents.shipments)
        told: list[tuple[str, moves.Effect]] = []
        if not (move.is_cancelled and was_told):
            told += [("", each) for each in moves.done(move)]
        if move.is_cancelled:
            told += [("-cancelled", each) for each in moves.cancelled(move)]
        stem = f"move-{move.id}"
        return [
            world.naming.event(f"{stem}{state}{each.suffix}", each.type, move.at, each.data) for state, each in told
        ]

    async def _documents(self, records: Iterable[JsonObject]) -> _Documents:
        lines: list[int] = []
        shipments: dict[str, list[int]] = {}
        for record in records:
            model, number = reference(record["origin"])
            if model == "purchase.line":
                lines.append(number)
            model, number = reference(record["shipment"])
            if number:
                shipments.setdefault(model, []).append(number)
        found: dict[str, JsonObject] = {}
        for model, ids in shipments.items():
            wanted = ["number", *(("from_location", "to_location") if model == INTERNAL else ())]
            found |= {f"{model},{number}": each for number, each in (await self._erp.by_id(model, ids, wanted)).items()}
        fields = ["purchase.number", "moves_progress"]
        return _Documents(await self._erp.by_id("purchase.line", lines, fields) if lines else {}, found)


def translate(world: World, record: JsonObject, lines: dict[int, JsonObject], shipments: dict[str, JsonObject]) -> Move:
    """The move of a record. Raises `Unreadable`, or `Unmapped`."""
    product = record["product."]
    shipment = shipments.get(record["shipment"] or "")
    return Move(
        id=record["id"],
        sku=world.naming.ours("item", product["code"], product["id"]),
        qty=world.units.in_base(record["quantity"], record["unit"], world.units.base(product["default_uom"])),
        origin=world.place(record["from_location"]),
        target=world.place(record["to_location"]),
        at=changed_at(record),
        is_cancelled=record["state"] == "cancelled",
        document=shipment["number"] if shipment else None,
        line=_order_line(record, lines),
        route=_route(world, record, shipment),
    )


def _is_new(record: JsonObject, told: Told) -> bool:
    """Whether it is to be told: a done move that was not yet, or one that was done and is cancelled now."""
    if record["state"] == "done":
        return record["id"] not in told.done
    was_done = record["id"] in told.done or record["effective_date"] is not None
    return was_done and record["id"] not in told.reversed


def _order_line(record: JsonObject, lines: dict[int, JsonObject]) -> OrderLine | None:
    model, number = reference(record["origin"])
    line = lines.get(number) if model == "purchase.line" else None
    if line is None or not line["purchase."]["number"]:
        return None
    progress = line["moves_progress"]
    return OrderLine(line["purchase."]["number"], number, progress is None or progress < 1)


def _route(world: World, record: JsonObject, shipment: JsonObject | None) -> tuple[str, str, str] | None:
    """The shipment between two warehouses that a move belongs to: its name, and where it begins and ends."""
    if shipment is None or reference(record["shipment"])[0] != INTERNAL or not shipment["number"]:
        return None
    start, end = world.place(shipment["from_location"]).location, world.place(shipment["to_location"]).location
    return None if start is None or end is None or start == end else (shipment["number"], start, end)

"""The source of purchase lines: what is ordered, of whom, for when, and what of it changed.

A line is read again when it, its purchase or one of its moves was changed: the moves say when goods are planned to
come. The lines that are open are kept in the position as they were told, so that a line is told again only where it
differs, and one that is deleted is found missing.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from connectors.base import JsonObject
from connectors.mapping.values import Unreadable
from connectors.ports import Batch
from connectors.tryton import buying, purchases
from connectors.tryton.changes import Changes, Poll, changed_at, stamps
from connectors.tryton.numbers import NumberSet
from connectors.tryton.purchases import Line, Step, Told
from connectors.tryton.wire import reference, stamp
from connectors.tryton.world import Erp, World, named, untranslated

PURCHASE: Final = "purchase.purchase"
LINE: Final = "purchase.line"
MOVE: Final = "stock.move"
FIELDS: Final = (
    "type", "product", "product.code", "product.default_uom", "quantity", "unit", "delivery_date", "moves_progress",
    "purchase", "purchase.number", "purchase.state", "purchase.purchase_date", "purchase.warehouse",
    "purchase.party.code", "purchase.reference", "note", "create_uid.login",
)  # fmt: skip
STARTED: Final = ("staging", "draft", "assigned")
"""The states of a move that has not happened yet."""


@dataclass
class _Kept:
    """What was told: the open lines by id, the ids of those that were closed."""

    open: dict[str, JsonObject]
    closed: NumberSet

    def told(self, number: int) -> Told | None:
        """An open line as it was told."""
        kept = self.open.get(str(number))
        return None if kept is None else Told(**kept)

    def take(self, number: int, step: Step, is_finished: bool) -> None:
        """Remember what a step tells."""
        if step.told is None:
            self.open.pop(str(number), None)
        else:
            self.open[str(number)] = step.told.written()
        (self.closed.add if is_finished else self.closed.discard)(number)


class PurchaseSource:
    """Reads purchase lines."""

    def __init__(self, erp: Erp) -> None:
        self._erp = erp

    async def pull(self, position: JsonObject | None) -> AsyncIterator[Batch]:
        """The lines that differ from what was told of them."""
        before = position or {}
        kept = _Kept(dict(before.get("open", {})), NumberSet.parse(before.get("closed", "")))
        at: JsonObject = dict(before.get("changes", {}))
        world, profile, client = await self._erp.world(), self._erp.profile, self._erp.client
        own = ["company", "=", client.company]
        polls = (
            Poll(PURCHASE, ["lines"], [own]),
            Poll(LINE, ["id"], [["purchase.company", "=", client.company]]),
            Poll(MOVE, ["origin"], [own, ["origin", "like", f"{LINE},%"]]),
        )
        for poll in polls:
            async for page in Changes(client, poll, profile.page, profile.overlap).pages(at.get(poll.model)):
                at = {**at, poll.model: page.position}
                batch = await self._batch(world, sorted(set(_lines_of(page.records))), kept)
                yield Batch(batch.events, batch.untranslated, _written(at, kept))
        yield Batch(await self._deleted(world, kept), position=_written(at, kept))

    async def replay(self, record: bytes) -> Sequence[bytes]:
        """The events of a line that could not be translated, as it is today."""
        number, _ = named(record)
        batch = await self._batch(await self._erp.world(), [number], _Kept({}, NumberSet()))
        for each in batch.untranslated:
            raise Unreadable(each.detail)
        return batch.events

    async def _batch(self, world: World, ids: list[int], kept: _Kept) -> Batch:
        rows = await self._erp.by_id(LINE, ids, self._fields())
        moves = await self._moves(list(rows))
        events, refused = [], []
        for number, row in rows.items():
            if row["type"] != "line" or row["product"] is None or row["quantity"] <= 0:
                continue
            try:
                line = translate(world, row, moves.get(number, []), kept.told(number), self._erp.profile.user)
            except Unreadable as error:
                if row["purchase."]["state"] in purchases.ORDERED:
                    refused.append(untranslated(LINE, row, error))
                continue
            if line is None:
                continue
            step = purchases.step(line, kept.told(number), number in kept.closed)
            kept.take(number, step, line.is_ordered and line.is_finished)
            events += _events(world, number, step)
        return Batch(events, refused)

    async def _deleted(self, world: World, kept: _Kept) -> list[bytes]:
        """The end of the open lines that the ERP no longer has."""
        ids = [int(number) for number in kept.open]
        present = await self._erp.by_id(LINE, ids, ["id"]) if ids else {}
        events: list[bytes] = []
        for number in sorted(set(ids) - set(present)):
            if (told := kept.told(number)) is not None:
                step = purchases.deleted(number, told)
                kept.take(number, step, is_finished=False)
                events += _events(world, number, step)
        return events

    async def _moves(self, lines: list[int]) -> dict[int, list[JsonObject]]:
        """The moves of lines, by line."""
        found: dict[int, list[JsonObject]] = {}
        fields = ["origin", "state", "planned_date", "write_uid.login", *stamps(self._erp.client)]
        page = self._erp.profile.page
        for start in range(0, len(lines), page):
            origins = [f"{LINE},{number}" for number in lines[start : start + page]]
            for row in await self._erp.client.search_read(MOVE, [["origin", "in", origins]], fields):
                found.setdefault(reference(row["origin"])[1], []).append(row)
        return found

    def _fields(self) -> list[str]:
        marks = stamps(self._erp.client)
        return [*FIELDS, *marks, *(f"purchase.{mark}" for mark in marks)]


def translate(
    world: World, row: JsonObject, moves: Sequence[JsonObject], told: Told | None = None, login: str = ""
) -> Line | None:
    """The line of a record and its moves; None where its warehouse is not followed. Raises `Unreadable`, `Unmapped`.

    It is due when the earliest move that has not happened is planned; without one, when the line says, or at once. A
    move that our own `login` has planned says what a supplier promises, not when the goods are due: where there are
    only such, the line stays due as it was told.
    """
    purchase, product = row["purchase."], row["product."]
    if purchase["state"] not in purchases.ORDERED and not purchase["number"]:
        return None
    warehouse = world.places.warehouses.get(purchase["warehouse"])
    if warehouse is None:
        return None
    party, progress, key = purchase["party."], row["moves_progress"], buying.key_of(row, login)
    return Line(
        id=row["id"],
        order=purchase["number"],
        sku=world.naming.ours("item", product["code"], product["id"]),
        location=world.naming.ours("location", warehouse.code, warehouse.id),
        supplier=world.naming.ours("supplier", party["code"], party["id"]),
        qty=world.units.in_base(row["quantity"], row["unit"], world.units.base(product["default_uom"])),
        due=_planned(moves, told, login) or row["delivery_date"] or purchase["purchase_date"] or changed_at(row).date(),
        at=_newest([row, purchase, *moves]),
        signal=None if key is None else key.signal,
        is_ordered=purchase["state"] in purchases.ORDERED,
        is_finished=progress is not None and progress >= 1,
    )


def _planned(moves: Sequence[JsonObject], told: Told | None, login: str) -> date | None:
    """The earliest day on which an open move is planned, by somebody other than our own login where there is one."""
    started = [move for move in moves if move["state"] in STARTED and move["planned_date"]]
    days = [move["planned_date"] for move in started if (move.get("write_uid.") or {}).get("login") != login]
    if not days and started and told is not None:
        return date.fromisoformat(told.due)
    return min(days, default=None)


def _newest(records: Iterable[JsonObject]) -> datetime:
    return max(map(changed_at, records))


def _lines_of(records: Iterable[JsonObject]) -> list[int]:
    """The ids of the lines that changed purchases, lines or moves belong to."""
    found: list[int] = []
    for record in records:
        if "lines" in record:
            found += record["lines"]
        else:
            found.append(reference(record["origin"])[1] if "origin" in record else record["id"])
    return found


def _events(world: World, number: int, step: Step) -> list[bytes]:
    stem = f"line-{number}-{stamp(step.at)}"
    return [world.naming.event(stem + each.suffix, each.type, step.at, each.data) for each in step.effects]


def _written(changes: JsonObject, kept: _Kept) -> JsonObject:
    return {"changes": changes, "open": dict(kept.open), "closed": kept.closed.text()}

"""What a supplier promises of a purchase line, against the open moves by which Tryton expects it. No I/O here.

Tryton expects what is open of a line as draft moves, each with a quantity and a planned date. A promise in several
parts splits a move; parts are never joined again, so nothing that a person has prepared is taken away. What is not
promised keeps its move as it is: Tryton lets nobody lower a confirmed line, and the engine's alert `short_ack` says it.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from connectors.base import JsonObject


@dataclass(frozen=True)
class Part:
    """So many base units are expected on a day; None where nobody has said one."""

    qty: int
    day: date | None


@dataclass(frozen=True)
class OpenMove:
    """A move that has not happened: its id and what it expects; `is_fixed` where a shipment is being received by it."""

    id: int
    part: Part
    is_fixed: bool = False


@dataclass(frozen=True)
class Rewritten:
    """A move that becomes these parts: the first is the move itself, the others are made beside it."""

    move: int
    parts: tuple[Part, ...]


def statement(line: JsonObject) -> str | None:
    """What the supplier has said of a line of `/v1/positions/{sku}/{location}`, as text; None where it is nothing.

    Receipts are not in it, so it changes only when the supplier says something else.
    """
    shipments = {name: [each["qty"], each["eta"]] for name, each in line["shipments"].items()}
    if not line["acknowledged"] and not shipments:
        return None
    return json.dumps([line["acknowledged"], shipments], sort_keys=True)


def open_qty(line: JsonObject) -> int:
    """What the engine still expects of a line by what was ordered, whatever is promised."""
    return max(int(line["ordered"] or 0) - int(line["received"]), 0)


def promised(line: JsonObject) -> list[Part]:
    """What is open of the promises of a line, by day: what is shipped at its eta, the rest as it is acknowledged.

    What has come or is shipped is taken from the earliest promises, as the engine does.
    """
    shipments = [Part(each["qty"] - each["received"], _day(each["eta"])) for each in line["shipments"].values()]
    shipped = sorted((part for part in shipments if part.qty > 0), key=_rank)
    arrived = sum(part.qty for part in shipped) - line["in_transit"]
    acknowledged = [
        Part(each["qty"], _day(each["due"])) for each in line["acknowledged"] if each["status"] != "rejected"
    ]
    awaited, _ = _taken(sorted(acknowledged, key=_rank), line["promised"])
    begun = sum(part.qty for part in awaited) - line["on_order"]
    return sorted([*_after(shipped, max(arrived, 0)), *_after(awaited, max(begun, 0))], key=_rank)


def rewritten(parts: Sequence[Part], moves: Sequence[OpenMove]) -> Iterator[Rewritten]:
    """The moves that expect something else than `parts` say, with what they are to expect."""
    left = [part for part in parts if part.day is not None]
    for move in sorted(moves, key=lambda move: (_rank(move.part), move.id)):
        mine, left = _taken(left, move.part.qty)
        missing = move.part.qty - sum(part.qty for part in mine)
        if missing:
            mine.append(Part(missing, move.part.day))
        joined = _joined(mine)
        if joined != [move.part] and not move.is_fixed:
            yield Rewritten(move.id, tuple(joined))


def _taken(parts: Sequence[Part], qty: int) -> tuple[list[Part], list[Part]]:
    """The first `qty` of some parts, and what is left of them."""
    taken: list[Part] = []
    for index, part in enumerate(parts):
        if part.qty > qty:
            taken += [Part(qty, part.day)] if qty else []
            return taken, [Part(part.qty - qty, part.day), *parts[index + 1 :]]
        taken.append(part)
        qty -= part.qty
    return taken, []


def _after(parts: Sequence[Part], qty: int) -> list[Part]:
    """Some parts without the first `qty` of them."""
    return _taken(parts, qty)[1]


def _joined(parts: Sequence[Part]) -> list[Part]:
    """Parts of one day as one."""
    days: dict[date | None, int] = {}
    for part in parts:
        days[part.day] = days.get(part.day, 0) + part.qty
    return [Part(qty, day) for day, qty in days.items()]


def _rank(part: Part) -> tuple[bool, date]:
    return part.day is None, part.day or date.min


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)

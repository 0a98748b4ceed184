"""What somebody else's books say is there: the parts of a balance, summed by item and location."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from connectors.edi import codes
from connectors.edi.codes import StockKind
from connectors.edi.dates import When
from connectors.edi.message import Message, Nothing, Statement
from connectors.edi.problems import Fault, Misread
from connectors.edi.schedules import one_unit
from connectors.edi.segments import Segment
from connectors.edi.values import Quantity


@dataclass(frozen=True)
class Balance:
    """A line of an inventory report: quantities by the qualifier that says what they are."""

    segment: Segment
    sku: str
    location: str
    quantities: list[tuple[str, Quantity]]
    when: When | None = None


def balances(message: Message, lines: Iterable[Balance]) -> Iterator[Statement | Nothing | Fault]:
    """A `balance.reported` for each item at a location."""
    if message.purpose == "cancel":
        raise Misread("an inventory report is cancelled: the contract has no event for it, send a right one")
    found: dict[tuple[str, str], list[Balance]] = {}
    for line in lines:
        found.setdefault((line.sku, line.location), []).append(line)
    for key, parts in found.items():
        try:
            yield _statement(message, key, parts)
        except Misread as error:
            yield Fault.of(parts[0].segment, error)


def one_place(parties: Iterable[tuple[str, str]]) -> None:
    """Check that no two parties of one kind are named in a line. Raises `Misread`."""
    known: dict[str, str] = {}
    for kind, place in parties:
        if known.setdefault(kind, place) != place:
            raise Misread(
                f"one line is of two places ({kind}): {known[kind]} and {place}; each needs a line of its own"
            )


def _statement(message: Message, key: tuple[str, str], parts: list[Balance]) -> Statement | Nothing:
    meanings = {**codes.STOCK[message.standard], **message.values.profile.codes.stock}
    totals: dict[str, int] = {}
    for part in parts:
        for meaning, qty in _amounts(part, meanings):
            totals[meaning] = totals.get(meaning, 0) + qty
    if "on_hand" not in totals and "available" not in totals:
        found = ", ".join(sorted({code for part in parts for code, _ in part.quantities})) or "none"
        raise Misread(f"no quantity on hand: the kinds are {found}; say in `codes.stock` of the profile which one is")
    uom = one_unit(
        quantity for part in parts for code, quantity in part.quantities if meanings.get(code, "none") != "none"
    )
    on_hand = totals.get("on_hand", totals.get("available", 0) + totals.get("held", 0))
    data = {"sku": key[0], "location": key[1], "on_hand": on_hand}
    data |= {name: totals[name] for name in ("held", "on_order") if name in totals}
    return Statement(
        parts[0].segment, "balance.reported", {**data, **({"uom": uom} if uom else {})}, key, when=parts[0].when
    )


def _amounts(part: Balance, meanings: Mapping[str, StockKind]) -> Iterator[tuple[StockKind, int]]:
    """What one line says, by its meaning. Raises `Misread` where it says two amounts of one meaning."""
    by_code: dict[str, int] = {}
    for code, quantity in part.quantities:
        by_code[code] = by_code.get(code, 0) + quantity.qty
    said: dict[StockKind, dict[str, int]] = {}
    for code, qty in by_code.items():
        said.setdefault(meanings.get(code, "none"), {})[code] = qty
    said.pop("none", None)
    for meaning, amounts in said.items():
        # Goods are held for several reasons, which add up; of all else several codes say one amount again.
        yield meaning, sum(amounts.values()) if meaning == "held" else _same(meaning, amounts)


def _same(meaning: StockKind, said: Mapping[str, int]) -> int:
    """The one amount that several codes of a meaning say. Raises `Misread` where they differ."""
    if len({*said.values()}) > 1:
        told = " and ".join(f"{code} {qty}" for code, qty in sorted(said.items()))
        raise Misread(
            f"two quantities that mean {meaning}: {told}; in `codes.stock` of the profile set all but one to `none`"
        )
    return next(iter(said.values()))

"""What somebody else's books say is there: the parts of a balance, summed by item and location."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from connectors.edi import codes
from connectors.edi.message import Message, Nothing, Statement
from connectors.edi.problems import Fault, Misread
from connectors.edi.schedules import one_unit
from connectors.edi.segments import Segment
from connectors.edi.values import Quantity, When


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


def _statement(message: Message, key: tuple[str, str], parts: list[Balance]) -> Statement | Nothing:
    meanings = {**codes.STOCK, **message.values.profile.codes.stock}
    totals: dict[str, int] = {}
    used: list[Quantity] = []
    for code, quantity in (each for part in parts for each in part.quantities):
        meaning = meanings.get(code, "none")
        if meaning != "none":
            totals[meaning] = totals.get(meaning, 0) + quantity.qty
            used.append(quantity)
    if "on_hand" not in totals and "available" not in totals:
        found = ", ".join(sorted({code for part in parts for code, _ in part.quantities})) or "none"
        raise Misread(f"no quantity on hand: the kinds are {found}; say in `codes.stock` of the profile which one is")
    uom = one_unit(used)
    on_hand = totals.get("on_hand", totals.get("available", 0) + totals.get("held", 0))
    data = {"sku": key[0], "location": key[1], "on_hand": on_hand}
    data |= {name: totals[name] for name in ("held", "on_order") if name in totals}
    return Statement(
        parts[0].segment, "balance.reported", {**data, **({"uom": uom} if uom else {})}, key, when=parts[0].when
    )

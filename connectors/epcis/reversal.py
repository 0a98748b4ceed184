"""The opposite of an event: what takes it back when an EPCIS event is declared an error, or a shipment is voided.

Every opposite bears the time of the event that it takes back, because that event never happened: a count that came
after it stays right. Receipts and notices have reversals of their own in the contract. The others are taken back by the
inverse event, or by an adjustment where there is none.
"""

from collections.abc import Callable
from typing import Final

from connectors.base import JsonObject
from connectors.epcis.telling import Told
from connectors.mapping.values import Unreadable

REASON: Final = "EPCIS error declaration"


def opposite(told: Told) -> list[Told]:
    """What takes an event back. Raises `Unreadable` for a count, which only another count can correct."""
    if told.type not in _OPPOSITES:
        raise Unreadable(f"{told.type} cannot be taken back: count again")
    return _OPPOSITES[told.type](told)


def _receipt(told: Told) -> list[Told]:
    data = {name: value for name, value in told.data.items() if value != 0}
    return [Told("receipt.reversed", data, told.part)]


def _notice(told: Told) -> list[Told]:
    kept = ("shipment", "order", "line", "sku", "location")
    return [Told("shipment.cancelled", {name: told.data[name] for name in kept}, told.part)]


def _adjustment(told: Told) -> list[Told]:
    sign = 1 if told.type in ("stock.issued", "stock.returned_to_supplier") else -1
    return [_corrected(told, told.data["location"], sign * told.data["qty"], told.data.get("status"))]


def _customer_return(told: Told) -> list[Told]:
    """What was scrapped at once has changed no balance."""
    disposition = told.data["disposition"]
    if disposition == "scrap":
        return []
    held = "held" if disposition == "held" else None
    return [_corrected(told, told.data["location"], -told.data["qty"], held)]


def _release(told: Told) -> list[Told]:
    return [Told("stock.released", told.data, told.part)]


def _hold(told: Told) -> list[Told]:
    return [Told("stock.held", told.data, told.part)]


def _shipped(told: Told) -> list[Told]:
    """The transfer arrives, and both sides are corrected: nothing stays in transit."""
    data, qty = told.data, told.data["qty"]
    arrived = _with_unit(told, {"transfer": data["transfer"], "sku": data["sku"], "to": data["to"], "qty": qty})
    return [
        Told("transfer.received", arrived, f"{told.part}/arrived"),
        _corrected(told, data["to"], -qty, None, "/to"),
        _corrected(told, data["from"], qty, None, "/from"),
    ]


def _transfer_receipt(told: Told) -> list[Told]:
    """The stock falls again. What was in transit stays received: the receipt does not say where it came from."""
    held = told.data.get("held", 0)
    return [_corrected(told, told.data["to"], -(held or told.data["qty"]), "held" if held else None)]


def _corrected(told: Told, location: str, qty: int, status: str | None, part: str = "") -> Told:
    data: JsonObject = {"sku": told.data["sku"], "location": location, "qty": qty, "reason": REASON}
    if status == "held":
        data["status"] = status
    return Told("stock.adjusted", _with_unit(told, data), told.part + part)


def _with_unit(told: Told, data: JsonObject) -> JsonObject:
    return data | ({"uom": told.data["uom"]} if "uom" in told.data else {})


_OPPOSITES: Final[dict[str, Callable[[Told], list[Told]]]] = {
    "goods.received": _receipt,
    "shipment.notified": _notice,
    "stock.adjusted": _adjustment,
    "stock.held": _release,
    "stock.issued": _adjustment,
    "stock.released": _hold,
    "stock.returned": _customer_return,
    "stock.returned_to_supplier": _adjustment,
    "transfer.received": _transfer_receipt,
    "transfer.shipped": _shipped,
}

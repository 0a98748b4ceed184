"""Every kind of message that is read: who sends it, and which event each purpose of it becomes, or that it is none."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from connectors.edi import (
    edifact_orders,
    edifact_stock,
    functional,
    x12_forecasts,
    x12_orders,
    x12_shipments,
    x12_stock,
    x12_warehouse,
)
from connectors.edi.codes import Purpose
from connectors.edi.message import Message, Outcome
from connectors.edi.profile import Role

Translation = Callable[[Message], Iterator[Outcome]]

NONE: Final = "none"
"""A purpose that is read and means no event."""
REFUSED: Final = "refused"
"""A purpose for which the contract has no event, and which a person must see."""


@dataclass(frozen=True)
class Kind:
    """A kind of message: its codes in X12 and EDIFACT, who we are when it comes in, and the event by purpose."""

    codes: tuple[str, ...]
    what: str
    we_are: tuple[Role, ...]
    events: Mapping[Purpose, str]
    translations: tuple[Translation, ...]


def _all(event: str) -> dict[Purpose, str]:
    return {"original": event, "change": event, "replace": event, "cancel": event}


def _only(event: str, cancel: str = REFUSED) -> dict[Purpose, str]:
    return {"original": event, "change": REFUSED, "replace": REFUSED, "cancel": cancel}


_BUYER: Final[tuple[Role, ...]] = ("buyer",)
_SELLER: Final[tuple[Role, ...]] = ("seller",)
_ORDERS: Final[dict[Purpose, str]] = {**_all("stock.reserved"), "cancel": "reservation.released"}

KINDS: Final = (
    Kind(
        ("855", "865", "ORDRSP"), "acknowledgement of an order", _BUYER, _all("order.acknowledged"),
        (x12_orders.acknowledgement, x12_orders.acknowledgement, edifact_orders.acknowledgement),
    ),
    Kind(
        ("856", "DESADV"), "notice of a shipment", _BUYER,
        {"original": "shipment.notified", "change": "shipment.changed", "replace": "shipment.changed",
         "cancel": "shipment.cancelled"},
        (x12_shipments.ship_notice, edifact_stock.despatch_advice),
    ),
    Kind(
        ("861", "RECADV"), "receiving advice", _BUYER, _only("goods.received", "receipt.reversed"),
        (x12_stock.receiving_advice, edifact_stock.receiving_advice),
    ),
    Kind(("867",), "resale report", _BUYER, _only("stock.issued"), (x12_stock.resale,)),
    Kind(
        ("846", "INVRPT"), "inventory report", _BUYER, {**_all("balance.reported"), "cancel": REFUSED},
        (x12_stock.inventory, edifact_stock.inventory_report),
    ),
    Kind(("944",), "warehouse: stock received", _BUYER, _only("goods.received"), (x12_warehouse.stock_receipt,)),
    Kind(("945",), "warehouse: stock shipped", _BUYER, _only("stock.issued"), (x12_warehouse.shipping_advice,)),
    Kind(("947",), "warehouse: stock adjusted", _BUYER, _only("stock.adjusted"), (x12_warehouse.adjustment,)),
    Kind(("850", "ORDERS"), "customer's order", _SELLER, _ORDERS, (x12_orders.order, edifact_orders.order)),
    Kind(
        ("860", "ORDCHG"), "customer's change of an order", _SELLER, _ORDERS,
        (x12_orders.order_change, edifact_orders.order_change),
    ),
    Kind(
        ("830", "DELFOR"), "planning schedule", _SELLER,
        {"original": "forecast.revised", "replace": "forecast.revised", "change": REFUSED, "cancel": REFUSED},
        (x12_forecasts.planning_schedule, edifact_stock.delivery_schedule),
    ),
    Kind(("940",), "warehouse: order to ship", _SELLER, _ORDERS, (x12_warehouse.shipping_order,)),
    Kind(
        ("997", "999", "CONTRL"), "receipt of what we sent", ("buyer", "seller"), _all(NONE),
        (functional.acknowledged,) * 3,
    ),
)  # fmt: skip
"""The table of docs/connectors/edi.md. A message of another kind is read to its end and means no event."""

BY_CODE: Final = {
    code: (kind, translation) for kind in KINDS for code, translation in zip(kind.codes, kind.translations, strict=True)
}

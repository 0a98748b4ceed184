"""The segments of each document, in X12 004010 and in EDIFACT D.96A. Pure: names are mapped by whoever calls.

order, change, cancellation   850, 860             ORDERS, ORDCHG
forecast                      830                  DELFOR
receipt of what came in       997                  CONTRL
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from connectors.edi.outbound.due import Action, OrderDocument
from connectors.edi.outbound.writing import Element, Envelope, Written, edifact, limited, x12

_POC: Final[dict[Action, str]] = {"add": "AI", "change": "CA", "delete": "DI"}
_LIN: Final[dict[Action, str]] = {"add": "1", "change": "3", "delete": "2"}
Standard = Literal["x12", "edifact"]


@dataclass(frozen=True)
class NamedLine:
    """A line in the partner's names; `action` is what a change makes of it."""

    line: str
    item: str
    location: str
    qty: int
    unit: str
    due: date
    action: Action = "add"


@dataclass(frozen=True)
class ForecastItem:
    """A forecast in the partner's names, in buckets of (first day, days, quantity)."""

    item: str
    location: str
    unit: str
    buckets: tuple[tuple[date, int, int], ...]


@dataclass(frozen=True)
class Form:
    """The standard, and by its codes what kind of numbers the partner's names of items and locations are."""

    standard: Standard
    item: str
    location: str


def order_text(
    form: Form, envelope: Envelope, control: int, document: OrderDocument, lines: Sequence[NamedLine]
) -> bytes:
    """An interchange of an order, its change or its cancellation. Raises `Misread` for what does not fit."""
    write = _x12_order if form.standard == "x12" else _edifact_order
    return write(form, envelope, control, document, lines)


def _x12_order(
    form: Form, envelope: Envelope, control: int, document: OrderDocument, lines: Sequence[NamedLine]
) -> bytes:
    order, placed = limited(document.order, 22, "the order's number"), document.placed.strftime("%Y%m%d")
    body: list[Written] = []
    if document.kind == "order":
        body.append(("BEG", ["00", "SA", order, "", placed]))
    else:
        purpose = "01" if document.kind == "cancellation" else "04"
        body.append(("BCH", [purpose, "SA", order, "", str(control), placed]))
    body.append(("N1", ["BY", "", "92", envelope.ours.id]))
    for each in lines:
        number = limited(each.line, 20, "the line's number")
        item = [form.item, limited(each.item, 48, "the item")]
        if document.kind == "order":
            body.append(("PO1", [number, str(each.qty), each.unit, "", "", *item]))
        else:
            body.append(("POC", [number, _POC[each.action], str(each.qty), "", each.unit, "", "", *item]))
        body.append(("DTM", ["002", each.due.strftime("%Y%m%d")]))
        body.append(("N1", ["ST", "", form.location, limited(each.location, 80, "the location")]))
    body.append(("CTT", [str(len(lines))]))
    return x12(envelope, control, ("PO", "850") if document.kind == "order" else ("PC", "860"), body)


def _edifact_order(
    form: Form, envelope: Envelope, control: int, document: OrderDocument, lines: Sequence[NamedLine]
) -> bytes:
    order = limited(document.order, 35, "the order's number")
    is_order = document.kind == "order"
    purpose = {"order": "9", "change": "4", "cancellation": "1"}[document.kind]
    body: list[Written] = [
        ("BGM", ["220" if is_order else "230", order if is_order else str(control), purpose]),
        ("DTM", [("137", envelope.made.strftime("%Y%m%d%H%M"), "203")]),
    ]
    if not is_order:
        body.append(("RFF", [("ON", order)]))
    for role, party in (("BY", envelope.ours), ("SU", envelope.theirs)):
        body.append(("NAD", [role, (limited(party.id, 17, "the party"), "", "9" if party.qualifier == "14" else "92")]))
    for each in lines:
        number = limited(each.line, 6, "the line's number")
        item = (limited(each.item, 35, "the item"), form.item)
        body += [
            ("LIN", [number, "" if is_order else _LIN[each.action], item]),
            ("QTY", [("21", str(each.qty), each.unit)]),
            ("DTM", [("2", each.due.strftime("%Y%m%d"), "102")]),
            ("NAD", ["DP", (limited(each.location, 17, "the location"), "", form.location)]),
        ]
    body += [("UNS", ["S"]), ("CNT", [("2", str(len(lines)))])]
    return edifact(envelope, control, "ORDERS" if is_order else "ORDCHG", body)


def forecast_text(form: Form, envelope: Envelope, control: int, items: Sequence[ForecastItem]) -> bytes:
    """An interchange of forecasts, each of which replaces the one of its item and location before."""
    write = _x12_forecast if form.standard == "x12" else _edifact_forecast
    return write(form, envelope, control, items)


def _x12_forecast(form: Form, envelope: Envelope, control: int, items: Sequence[ForecastItem]) -> bytes:
    days = [day for item in items for day, *_ in item.buckets]
    last = max((_last(bucket) for item in items for bucket in item.buckets), default=envelope.made.date())
    made = envelope.made.strftime("%Y%m%d")
    horizon = [min(days, default=last).strftime("%Y%m%d"), last.strftime("%Y%m%d")]
    body: list[Written] = [("BFR", ["05", str(control), "", "DL", "A", *horizon, made])]
    for number, item in enumerate(items, 1):
        body += [
            ("LIN", [str(number), form.item, limited(item.item, 48, "the item")]),
            ("UIT", [item.unit]),
            ("N1", ["ST", "", form.location, limited(item.location, 80, "the location")]),
        ]
        for bucket in item.buckets:
            first, end = bucket[0].strftime("%Y%m%d"), _last(bucket).strftime("%Y%m%d")
            body.append(("FST", [str(bucket[2]), "D", "F", first, end]))
    body.append(("CTT", [str(len(items))]))
    return x12(envelope, control, ("PS", "830"), body)


def _edifact_forecast(form: Form, envelope: Envelope, control: int, items: Sequence[ForecastItem]) -> bytes:
    body: list[Written] = [
        ("BGM", ["241", str(control), "5"]),
        ("DTM", [("137", envelope.made.strftime("%Y%m%d%H%M"), "203")]),
    ]
    for number, item in enumerate(items, 1):
        body += [
            ("LIN", [str(number), "", (limited(item.item, 35, "the item"), form.item)]),
            ("NAD", ["DP", (limited(item.location, 17, "the location"), "", form.location)]),
        ]
        for bucket in item.buckets:
            body += [
                ("SCC", ["4"]),
                ("QTY", [("113", str(bucket[2]), item.unit)]),
                ("DTM", [("64", bucket[0].strftime("%Y%m%d"), "102")]),
                ("DTM", [("63", _last(bucket).strftime("%Y%m%d"), "102")]),
            ]
    body += [("UNS", ["S"]), ("CNT", [("2", str(len(items)))])]
    return edifact(envelope, control, "DELFOR", body)


def _last(bucket: tuple[date, int, int]) -> date:
    return bucket[0] + timedelta(days=bucket[1] - 1)


@dataclass(frozen=True)
class ReadMessage:
    """A message that came in, as its receipt names it: its code, its number, and whether it was taken.

    `version` is the identifier of its type (EDIFACT).
    """

    code: str
    control: str
    verdict: Literal["accepted", "with errors", "rejected"]
    version: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadGroup:
    """What one receipt answers: a group of X12 (`function` is its GS01) or an interchange of EDIFACT."""

    function: str
    control: str
    messages: tuple[ReadMessage, ...]
    sender: Element = ""
    receiver: Element = ""


def receipt_text(standard: Standard, envelope: Envelope, control: int, group: ReadGroup) -> bytes:
    """An interchange of a 997 or a CONTRL."""
    if standard == "edifact":
        return edifact(envelope, control, "CONTRL:D:3:UN", _contrl(group))
    taken = sum(message.verdict != "rejected" for message in group.messages)
    verdict = "A" if all(message.verdict == "accepted" for message in group.messages) else "P"
    body: list[Written] = [("AK1", [group.function, group.control])]
    for message in group.messages:
        body.append(("AK2", [message.code, message.control]))
        body.append(("AK5", {"accepted": ["A"], "with errors": ["E", "5"], "rejected": ["R", "5"]}[message.verdict]))
    if not taken:
        verdict = "R"
    elif taken == len(group.messages) and verdict != "A":
        verdict = "E"
    counts = [str(len(group.messages)), str(len(group.messages)), str(taken)]
    body.append(("AK9", [verdict, *counts]))
    return x12(envelope, control, ("FA", "997"), body)


def _contrl(group: ReadGroup) -> list[Written]:
    body: list[Written] = [("UCI", [group.control, group.sender, group.receiver, "7"])]
    for message in group.messages:
        action = ["4", "12"] if message.verdict == "rejected" else ["7"]
        body.append(("UCM", [message.control, message.version, *action]))
    return body

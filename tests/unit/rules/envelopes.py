"""What the fold does around the rules: it digests events, reads the rows of many at once, and writes outputs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec

from agents.pipeline import asked_by
from engine.core import events, outputs
from tables import keys
from tables.purchasing import LINE, ORDER, PIECE, SHIPMENT, line_name
from tables.stock import RESERVATION, STOCK
from tests.unit.rules.figures import figure, issued, of_kind
from tests.unit.rules.rule import Figure
from tests.unit.rules.world import AT, NOON, moment

# digests and names of events ------------------------------------------------------------------------------------------


def event_of(text: bytes) -> events.Event:
    found = events.decode(text)
    assert isinstance(found, events.Event), found
    return found


def content(text: bytes, at: int = AT) -> str:
    return events.content(event_of(text), at).hex()


def same_content(text: bytes, at: int) -> bool:
    return content(text, at) == content(issued())


def identity(text: bytes) -> str:
    return events.identity(event_of(text)).hex()


REORDERED = (
    b'{"data": {"qty":1, "uom":null, "location":"L", "sku":"S"}, "x":1, "type":"stock.issued", '
    b'"time":"2026-03-10T13:00:00+01:00", "source":"other", "id":"2", "specversion":"1.0"}'
)
DIGESTS = [
    Figure("the content of an event is its type, instant and data", lambda: content(issued()), "b80ca17579045c44"),
    Figure("other JSON of the same content is the same", lambda: content(REORDERED) == content(issued()), True),
    *(
        figure(f"the content of another {said} is another", False, same_content, text, at)
        for said, text, at in (
            ("type", of_kind("stock.reserved", reservation="R", qty=1), AT),
            ("instant", issued(), AT + 1),
            ("quantity", of_kind("stock.issued", qty=2), AT),
        )
    ),
    Figure(
        "the idempotency key of an event is its source and id",
        lambda: identity(issued()),
        "61cf6fa82782633df0186a5a4cea918a",
    ),
    Figure("whatever else it says", lambda: identity(of_kind("stock.issued", qty=7)) == identity(issued()), True),
    Figure("another id is another event", lambda: identity(issued(id="2")) == identity(issued()), False),
    Figure("so is that of another source", lambda: identity(issued(source="t")) == identity(issued()), False),
    Figure(
        "a source and an id cannot be mistaken for others",
        lambda: identity(issued(source="a", id="bc")) == identity(issued(source="ab", id="c")),
        False,
    ),
    Figure("an explanation names an event by source and id", lambda: event_of(issued()).ref, "s/1"),
    Figure(
        "an event is written as it was read",
        lambda: json.loads(events.encode(event_of(issued()))),
        json.loads(issued()),
    ),
    Figure("a time of 1970 is taken", lambda: event_of(issued(time="1970-01-01T00:00:00Z")).time.year, 1970),
]

# the rows that a batch of events reads at once ------------------------------------------------------------------------

ROW = keys.row("S", "L")
OF_LINE = keys.part(LINE, ROW, line_name("PO", "1"))


def asked(kind: str, **data: object) -> list[bytes]:
    return asked_by(event_of(of_kind(kind, **data)))


ASKED = [
    Figure("an issue asks for its row", lambda: asked("stock.issued", qty=1), [STOCK + ROW]),
    Figure(
        "an order asks for its line as well",
        lambda: asked("order.placed", order="PO", line=1, supplier="A", qty=1, due="2026-03-20"),
        [STOCK + ROW, OF_LINE, keys.part(ORDER, ROW, "PO")],
    ),
    Figure(
        "a shipment asks for its line, its part of it and itself",
        lambda: asked("shipment.notified", shipment="A", order="PO", line=1, qty=1),
        [
            STOCK + ROW,
            OF_LINE,
            keys.part(PIECE, ROW, line_name("PO", "1"), "A"),
            keys.part(SHIPMENT, ROW, "A"),
        ],
    ),
    Figure(
        "a reservation asks for itself",
        lambda: asked("stock.reserved", reservation="R", qty=1),
        [STOCK + ROW, keys.part(RESERVATION, ROW, "R")],
    ),
    Figure(
        "a transfer asks for both its rows",
        lambda: asked_by(
            event_of(
                issued(type="transfer.shipped", data={"sku": "S", "transfer": "T", "from": "L", "to": "M", "qty": 1})
            )
        ),
        [STOCK + ROW, STOCK + keys.row("S", "M")],
    ),
    Figure(
        "its receipt asks for the row of its destination",
        lambda: asked_by(
            event_of(issued(type="transfer.received", data={"sku": "S", "transfer": "T", "to": "M", "qty": 1}))
        ),
        [STOCK + keys.row("S", "M")],
    ),
    Figure(
        "an event of no row asks for nothing",
        lambda: asked_by(event_of(issued(type="item.defined", data={"sku": "S", "base_unit": "each"}))),
        [],
    ),
]

# outputs --------------------------------------------------------------------------------------------------------------

POSITION = outputs.Position("S", "L", 7, 1, 8, 2, 5, 3, 4, 13, 9, datetime(2026, 3, 10, 12, tzinfo=UTC))
LETTER = outputs.DeadLetter(id="0-7", reason="not_json", detail="it is none", place="events/0/7", arrived=NOON, raw="{")
OF_POSITION = {
    "sku": "S", "location": "L", "available": 7, "held": 1, "on_hand": 8, "reserved": 2, "sellable": 5, "on_order": 3,
    "in_transit": 4, "position": 13, "version": 9, "updated": "2026-03-10T12:00:00Z",
}  # fmt: skip
OF_ROW = {
    "specversion": "1.0",
    "source": "stockline",
    "subject": "S@L",
    "type": "position.changed",
    "data": OF_POSITION,
}


def put(data: outputs.Position | outputs.DeadLetter, cause: events.Event | None = None) -> dict[str, Any]:
    kind = "position.changed" if isinstance(data, outputs.Position) else "event.refused"
    found: dict[str, Any] = msgspec.json.decode(outputs.envelope(kind, "n", AT + 1, data, cause))
    return found


OUTPUTS = [
    Figure(
        "an output about a row is a CloudEvent whose subject is the row",
        lambda: put(POSITION),
        {**OF_ROW, "id": "n", "time": moment(1).isoformat().replace("+00:00", "Z")},
    ),
    Figure(
        "a position is named by its row and the record that changed it, and has the time of its row",
        lambda: msgspec.json.decode(outputs.position_changed(POSITION, "0-7")),
        {**OF_ROW, "id": "S@L/0-7", "time": "2026-03-10T12:00:00Z"},
    ),
    Figure("a dead letter's subject is its reason", lambda: put(LETTER)["subject"], "not_json"),
    Figure(
        "a dead letter holds no more than is known",
        lambda: put(LETTER)["data"],
        {
            "id": "0-7",
            "reason": "not_json",
            "detail": "it is none",
            "place": "events/0/7",
            "arrived": "2026-03-10T12:00:00Z",
            "raw": "{",
        },
    ),
    Figure(
        "an output continues the trace and the correlation of its cause",
        lambda: [
            put(POSITION, event_of(issued(traceparent="00-1", correlationid="c"))).get(name)
            for name in ("traceparent", "correlationid")
        ],
        ["00-1", "c"],
    ),
    Figure(
        "an output of a cause without them has none",
        lambda: put(POSITION, event_of(issued())).keys() & {"traceparent", "correlationid"},
        set(),
    ),
]

TABLE = [*DIGESTS, *ASKED, *OUTPUTS]

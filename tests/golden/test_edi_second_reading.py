"""The golden lists of EDI beside a second, plain reading of the documents: the quantities of their lines.

It cuts the first interchange of a file at its separators and knows nothing else, so that a list which was only recorded
from the translator would not agree with it.
"""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from tests.golden.test_edi_samples import HUGE, expected, needs_samples
from tests.unit import edi_documents as edi

PLACES = {"PO1": 2, "W01": 1, "W07": 1, "W12": 3, "W19": 2}
"""The element with the quantity of a line, by its segment."""
QUALIFIED = {"ORDERS": ("21", "1"), "DESADV": ("12",), "RECADV": ("48",), "INVRPT": ("145",)}
KINDS = ("stock.reserved", "shipment.notified", "goods.received", "stock.issued", "stock.adjusted", "balance.reported")
SEEN = {
    "edifact/bots--dutchic_desadv1.edi": ["121212121212.121"],
    "x12/bots--850-004010.15.x12": ["0"],
    "x12/edifabric--CorruptSt.txt": ["25"],
}
"""What a look at the document shows to be no event: a part of a piece, a line of none, a set without its header."""
OTHERWISE = {
    "edifact/edifabric--MixedTransactions.txt": "the quantities of an invoice are none of an order",
    "illustrative/846-snapshot.x12": "QTY says in one place what is on hand and what of it is available",
    "x12/bots--mailbag01.x12": "its interchanges have different separators",
    "x12/edifabric--ReceivingAdvice.txt": "one piece is held: RCD06 and its condition in RCD08",
    "x12/stupidedi--002001-856-fail-1.edi": "packs below an item repeat its quantity in parts",
    "x12/x12parser--846-example1.txt": "available and held are summed",
    "x12/x12parser--867-example1.txt": "its lines lie in QTY below PTD",
}


def second_reading(text: str) -> list[Decimal]:
    """The quantities of the lines of a document."""
    start = text.find("ISA")
    if start >= 0:
        element = text[start + 3]
        parts = text[start:].split(element)
        end = parts[16][1]
        segments = [segment.strip().split(element) for segment in text[start:].split(end)]
        places = PLACES | ({"SN1": 2} if any(segment[0] == "SN1" for segment in segments) else {})
        return [Decimal(segment[places[segment[0]]]) for segment in segments if segment[0] in places]
    found = []
    wanted: tuple[str, ...] = ()
    for segment in re.split(r"(?<!\?)'", text):
        tag, _, rest = segment.strip().partition("+")
        if tag == "UNH":
            wanted = QUALIFIED.get(rest.split("+")[1].split(":")[0], ())
        elif tag == "QTY" and rest.split(":")[0] in wanted:
            found.append(Decimal(rest.split(":")[1]))
    return found


def golden(name: str) -> list[Decimal]:
    rows = [row for we_are in ("buyer", "seller") for row in expected().get((name, we_are), []) if row[0] in KINDS]
    return [Decimal(row[4].split("/")[0]) for row in rows]


NAMES = sorted({name for name, _ in expected()} - OTHERWISE.keys() - {HUGE})


@needs_samples
@pytest.mark.parametrize("name", [name for name in NAMES if golden(name)])
def test_a_second_reading_finds_the_same_quantities(name: str) -> None:
    found = second_reading(edi.content(name).decode("latin-1"))
    assert sorted(found) == sorted([*golden(name), *map(Decimal, SEEN.get(name, []))])


@pytest.mark.parametrize(
    ("name", "quantities"),
    [
        ("x12/x12parser--867-example1.txt", ["15", "4", "1"]),
        ("x12/stupidedi--002001-856-fail-1.edi", ["1000", "176", "100", "156", "234", "25"]),
        ("x12/x12parser--846-example1.txt", ["5350/100"]),
        ("x12/edifabric--ReceivingAdvice.txt", ["0 held:1"]),
        ("illustrative/846-snapshot.x12", ["250", "0"]),
    ],
)
def test_what_was_read_by_eye(name: str, quantities: list[str]) -> None:
    rows = [row for we_are in ("buyer", "seller") for row in expected().get((name, we_are), [])]
    assert [row[4] for row in rows] == quantities

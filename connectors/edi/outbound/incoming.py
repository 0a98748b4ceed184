"""What came in from a partner: which groups need a receipt, and which of our documents were answered.

The files lie in a folder once they were read. They are read here a second time, by the same profile, so that a receipt
says of each message what became of it.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from connectors.edi.envelopes import Envelopes, Transaction
from connectors.edi.functional import Answer, answers
from connectors.edi.outbound.documents import ReadGroup, ReadMessage, Standard
from connectors.edi.outbound.writing import Element
from connectors.edi.reader import EdiReader
from connectors.edi.scanner import Scanner

RECEIPTS: Final = frozenset({"997", "999", "CONTRL"})


@dataclass(frozen=True)
class Received:
    """What a file says: groups that need a receipt, each with whether it is a test, and answers to what we sent."""

    groups: tuple[tuple[ReadGroup, bool], ...]
    answers: tuple[Answer, ...]


def received(data: bytes, reader: EdiReader, standard: Standard, partner: str) -> Received:
    """What a file says. Interchanges of another standard or sender, and what is damaged, get no receipt."""
    transactions = [
        found
        for found in Envelopes(Scanner(io.BytesIO(data)))
        if isinstance(found, Transaction) and found.standard.lower() == standard and found.sender == partner
    ]
    told = [answer for each in transactions if each.code in RECEIPTS for answer in answers(each)]
    groups: dict[tuple[int, int], list[Transaction]] = {}
    for each in transactions:
        # A 997 names a group, so what is in none cannot be answered.
        if each.code not in RECEIPTS and (standard == "edifact" or each.group is not None):
            group = each.group.header.number if each.group is not None and standard == "x12" else 0
            groups.setdefault((each.interchange.header.number, group), []).append(each)
    read = tuple((_group(each, reader, standard), each[0].is_test) for each in groups.values())
    return Received(read, tuple(told))


def _group(transactions: list[Transaction], reader: EdiReader, standard: Standard) -> ReadGroup:
    first = transactions[0]
    messages = tuple(_messages(transactions, reader))
    if standard == "x12" and first.group is not None:
        return ReadGroup(first.group.header[1], first.group.control, messages)
    header = first.interchange.header
    sender, receiver = (_side(header.part(place, 1), header.part(place, 2)) for place in (2, 3))
    return ReadGroup("", first.interchange.control, messages, sender, receiver)


def _side(identification: str, qualifier: str) -> Element:
    return (identification, qualifier)


def _messages(transactions: Iterable[Transaction], reader: EdiReader) -> Iterator[ReadMessage]:
    for each in transactions:
        items = list(reader.items(each))
        refused = any(item.problem is not None for item in items)
        taken = any(item.events for item in items)
        version = tuple(each.header.part(2, component) for component in range(1, 5))
        yield ReadMessage(
            each.code,
            each.control,
            "accepted" if not refused else "with errors" if taken else "rejected",
            version if each.header.tag == "UNH" else (),
        )

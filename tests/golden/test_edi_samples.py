"""The public samples of EDI, read where a machine has them: what they become, and that it agrees with their totals.

`edi-inbound.tsv` holds facts alone: for each file and side the type, document, line, item, quantity, unit and date.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.edi import read
from connectors.edi.envelopes import Envelopes, Transaction
from connectors.edi.reader import EdiReader
from connectors.edi.scanner import Scanner
from tests.unit import edi_documents as edi

EXPECTED = Path(__file__).with_name("edi-inbound.tsv")
HUGE = "edifact/pydifact--huge_file2.edi.xz"
COUNTED_WRONGLY = {
    ("x12/bots--850-004010.17.x12", "sum", 1),
    ("x12/bots--mailbag01.x12", "sum", 1),
    ("x12/stupidedi--003010-850-fail-1.edi", "lines", 1),
    ("x12/vscodeedi--850-loop.edi", "lines", 1),
    ("x12/vscodeedi--850-loop.edi", "sum", 200),
}
"""Totals that a look at the document shows to be wrong: a line of 4 in a sum of 1, two lines that are counted as 1."""
needs_samples = pytest.mark.skipif(not edi.samples(), reason="the public samples of EDI are not beside the project")


def expected() -> dict[tuple[str, str], list[list[str]]]:
    found: dict[tuple[str, str], list[list[str]]] = {}
    with EXPECTED.open(encoding="utf-8", newline="") as file:
        for name, we_are, *row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            found.setdefault((name, we_are), []).append(row)
    return found


@needs_samples
@pytest.mark.parametrize("name", edi.samples())
def test_a_sample_is_read_to_its_end_or_refused_with_its_place(name: str) -> None:
    items = read(edi.content(name), edi.profile("seller"))
    assert items
    assert items[-1].mark.offset <= len(edi.content(name))
    for item in items:
        assert item.events or item.skipped or item.problem
        if item.problem is not None:
            assert "segment " in item.problem
            assert "byte " in item.problem


@needs_samples
@pytest.mark.parametrize("we_are", ["buyer", "seller"])
@pytest.mark.parametrize("name", [name for name in edi.samples() if name != HUGE])
def test_the_events_of_a_sample(name: str, we_are: str) -> None:
    assert edi.rows(name, "buyer" if we_are == "buyer" else "seller") == expected().get((name, we_are), [])


@needs_samples
def test_the_huge_order_is_read_line_by_line() -> None:
    items = read(edi.content(HUGE), edi.profile("seller"))
    found = [edi.row(event) for event in edi.events(items)]
    assert len(found) == edi.content(HUGE).count(b"\nLIN+")
    assert {row[4] for row in found} == {"8"}
    assert not edi.problems(items)


def totals(transaction: Transaction) -> Iterator[tuple[str, Decimal]]:
    """What a document says of itself: how many lines it has, and the sum of their quantities."""
    for segment in transaction.segments:
        if segment.tag == "CTT" and transaction.code != "856" and segment[1]:
            yield "lines", Decimal(segment[1])
        if segment.tag == "CTT" and segment[2]:
            yield "sum", Decimal(segment[2])
        if segment.tag == "CNT" and segment.part(1, 1) == "2":
            yield "lines", Decimal(segment.part(1, 2))
        if segment.tag in ("W76", "W03") and segment[1]:
            yield "sum", Decimal(segment[1])


def read_of(transaction: Transaction, we_are: str) -> tuple[int, Decimal] | None:
    """The lines and the sum of the quantities that were read of a transaction; None if any was refused."""
    items = list(EdiReader(edi.profile("buyer" if we_are == "buyer" else "seller")).items(transaction))
    events = edi.events(items)
    if (
        not events
        or edi.problems(items)
        or any(item.skipped and "without a quantity" in item.skipped for item in items)
    ):
        return None
    sums = Decimal(0)
    for event in events:
        data = event["data"]
        parts = data.get("schedule") or data.get("buckets") or [data]
        sums += sum(Decimal(part.get("qty", 0)) for part in parts)
    return len(events), sums


@needs_samples
@pytest.mark.parametrize("we_are", ["buyer", "seller"])
@pytest.mark.parametrize("name", [name for name in edi.samples() if name != HUGE])
def test_the_events_of_a_sample_agree_with_its_own_totals(name: str, we_are: str) -> None:
    for transaction in Envelopes(Scanner(io.BytesIO(edi.content(name)))):
        if not isinstance(transaction, Transaction):
            continue
        found = read_of(transaction, we_are)
        for kind, total in totals(transaction):
            if found is not None and (name, kind, int(total)) not in COUNTED_WRONGLY:
                assert (kind, found[0] if kind == "lines" else found[1]) == (kind, total)

"""Files of suppliers that cannot be read at all are a 400 that says why."""

import csv
import io

import pytest

from engine.runtime.supplied import SuppliedLine
from engine.web import supplier_csv
from engine.web.problems import Problem


@pytest.mark.parametrize(
    ("body", "detail"),
    [(b"a\rb", "no column"), (b'"' + b"x" * 200_000 + b'",line\n', "row 1: field larger"), (b"\xff", "not UTF-8")],
)
def test_a_first_row_that_is_none_is_said(body: bytes, detail: str) -> None:
    with pytest.raises(Problem, match=detail) as raised:
        supplier_csv.read(body)
    assert raised.value.status == 400


def test_rows_may_end_as_on_an_old_machine() -> None:
    assert supplier_csv.read(b"order,line,status,qty\rPO-1,1,accepted,5\r").names == [("PO-1", "1")]


def told(*rows: str) -> tuple[list[tuple[str, str]], list[str]]:
    """The names of the lines that a file answers or ships, and what is wrong with its other rows."""
    filled = supplier_csv.read("\n".join(["order,line,status,qty,promised,shipment,shipped,eta", *rows]).encode())
    return filled.names, [str(each.detail) for each in filled.unreadable]


def test_a_file_in_which_nothing_was_filled_in_says_nothing() -> None:
    assert told("PO-1,1,,,,,,", "PO-2,1,,,,,,") == ([], [])


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("PO-1,1,accepted,5,27/03/2026,,,", "row 2: `promised` is a day such as 2026-03-27, not '27/03/2026'"),
        ("PO-1,1,accepted,1.5,,,,", "row 2: `qty` is a whole number such as 120, not '1.5'"),
        ("PO-1,1,perhaps,1,,,,", "row 2: `status` is one of accepted, changed, backordered, rejected, not 'perhaps'"),
        ("PO-1,1,,,,S-1,,", "row 2: `shipped` is a whole number such as 120, not ''"),
        ("PO-1,1,,,,S\x1fX,3,", "row 2: the name 'S\\x1fX' has a character that is not printable"),
        ("PO-1,1,,,,S-1,3,tomorrow", "row 2: `eta` is a day such as 2026-03-27, not 'tomorrow'"),
    ],
)
def test_a_row_that_makes_no_sense_is_told_why(row: str, why: str) -> None:
    names, [said] = told(row)
    assert names == []
    assert said.startswith(why)


def test_a_schedule_of_which_a_part_cannot_be_read_is_not_taken_at_all() -> None:
    """It replaces what was said before, so without that part it would take back more than was meant."""
    names, said = told("PO-1,1,Accepted,5,,,,", "PO-1,1,changed,5,soon,S-1,5,", "PO-1,2,ACCEPTED,3,,,,")
    assert names == [("PO-1", "2"), ("PO-1", "1")]
    assert said[1] == "row 2: another row of this line cannot be taken"


def test_a_shipment_is_announced_for_a_line_once_in_a_file() -> None:
    names, said = told("PO-1,1,,,,S-1,5,", "PO-1,1,,,,S-1,6,", "PO-1,2,,,,S-1,6,", "PO-1,1,,,,S-2,1,")
    assert names == [("PO-1", "1"), ("PO-1", "2"), ("PO-1", "1")]
    assert said == ["row 3: row 2 announces this shipment of the line already"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\uff1d1", "\uff201"])
def test_no_text_of_a_file_is_run_by_a_spreadsheet_and_it_comes_back_as_it_was(text: str) -> None:
    order = text.strip()
    line = SuppliedLine(order, "1", "A", "L", text, "each", 5, None, [], [], 0, 0, 5, False)
    body = supplier_csv.download([line]).body
    assert isinstance(body, bytes)
    [row] = csv.DictReader(io.StringIO(body.decode(), newline=""))
    assert (row["order"], row["description"]) == (f"'{order}", f"'{text}")
    row |= {"status": "accepted", "qty": "5"}
    back = io.StringIO()
    writer = csv.DictWriter(back, list(row))
    writer.writeheader()
    writer.writerow(row)
    assert supplier_csv.read(back.getvalue().encode()).names == [(order, "1")]

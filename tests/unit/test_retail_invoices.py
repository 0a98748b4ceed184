"""The Online Retail invoices: what every peculiar line is, and that the packaged part is the data it says it is."""

import hashlib
import io
import json
import lzma
from collections import Counter

import pytest

from connectors.files.lines import Mark
from connectors.files.readers import Item, choose_reader
from connectors.retail.invoices import COLUMNS, BadLine, InvoiceParser, classify, packaged_data, read_invoices
from connectors.retail.mapping import InvoiceReader, event_of
from connectors.retail.remarks import is_remark, reason_of
from engine.core.events import decode, type_name
from engine.core.outcomes import Rejection

HEADING = (",".join(COLUMNS) + "\n").encode()


START = Mark()


def items(text: str, start: Mark = START) -> list[Item]:
    return list(InvoiceReader().read(io.BytesIO(HEADING + text.encode()), start))


@pytest.mark.parametrize(
    "columns",
    [
        ("536365", "85123A", "WHITE HANGING HEART", 6, 2.55, "sale", None),
        ("536365", "85123a", "WHITE HANGING HEART", 6, 2.55, "sale", None),
        ("536414", "DCGSSGIRL", "GIRLS PARTY BAG", 1, 3.29, "sale", None),
        ("C536379", "21730", "GLASS STAR", -3, 4.25, "return", None),
        ("C536379", "D", "Discount", -1, 27.5, "not goods", None),
        ("536370", "POST", "POSTAGE", 3, 18.0, "not goods", None),
        ("536540", "C2", "CARRIAGE", 1, 50.0, "not goods", None),
        ("536544", "gift_0001_20", "Gift Voucher", 1, 16.0, "not goods", None),
        ("537434", "m", "Manual", 1, 5.0, "not goods", None),
        ("A563185", "B", "Adjust bad debt", 1, 11062.06, "bad debt", None),
        ("536589", "21777", "", -10, 0.0, "adjustment", "unexplained"),
        ("537032", "21275", "?", -30, 0.0, "adjustment", "unexplained"),
        ("540012", "21777", "damages", -5, 0.0, "adjustment", "damaged"),
        ("540012", "21777", "thrown away", -5, 0.0, "adjustment", "scrapped"),
        ("540012", "21777", "???missing", -5, 0.0, "adjustment", "lost"),
        ("540012", "21777", "sold as set on dotcom", -5, 0.0, "adjustment", "sold_under_other_code"),
        ("540012", "21777", "Found in w/hse", 5, 0.0, "adjustment", "found"),
        ("540012", "21777", "", 56, 0.0, "adjustment", "found"),
        ("540012", "21777", "RECIPE BOX PANTRY YELLOW DESIGN", 1, 0.0, "sale", None),
        ("540012", "21777", "POLYESTER FILLER PAD 40x40cm", 1, 0.0, "sale", None),
    ],
)
def test_what_a_line_is(columns: tuple[str, str, str, int, float, str, str | None]) -> None:
    assert classify(*columns[:5]) == columns[5:]


def test_rows_of_an_invoice_are_numbered_even_where_they_repeat_and_where_another_comes_between() -> None:
    parser = InvoiceParser()
    cells = ["1", "22692", "MAT", "2", "2011-02-01 11:20:00", "7.95", "12836.0", "United Kingdom"]
    other = ["2", *cells[1:]]
    assert [parser.parse(row).row for row in (cells, cells, other, cells)] == [1, 2, 1, 3]


def test_a_broken_line_does_not_shift_the_rows_behind_it() -> None:
    parser = InvoiceParser()
    cells = ["1", "22692", "MAT", "2", "2011-02-01 11:20:00", "7.95", "", "United Kingdom"]
    with pytest.raises(BadLine):
        parser.parse([*cells[:3], "two", *cells[4:]])
    assert parser.parse(cells).row == 2


def test_codes_that_differ_in_case_are_the_same_goods() -> None:
    upper, lower = items(
        "1,85123A,HEART,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n"
        "1,85123a,HEART,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n"
    )[1:]
    first, second = json.loads(upper.events[0]), json.loads(lower.events[0])
    assert first["data"] == second["data"]
    assert (first["id"], second["id"]) == ("1-1", "1-2")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "536365,85123A,HEART,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom",
            ("stock.issued", "2010-12-01T08:26:00+00:00", {"qty": 6, "order": "536365"}),
        ),
        (
            "C1,85123A,HEART,-6,2011-07-01 08:26:00,2.55,17850.0,United Kingdom",
            ("stock.returned", "2011-07-01T08:26:00+01:00", {"qty": 6, "disposition": "available"}),
        ),
        (
            "1,85123A,wet damaged,-6,2011-07-01 08:26:00,0.0,,United Kingdom",
            ("stock.adjusted", "2011-07-01T08:26:00+01:00", {"qty": -6, "reason": "damaged"}),
        ),
    ],
)
def test_goods_move_by_an_event_in_local_time(line: str, expected: tuple[str, str, dict[str, object]]) -> None:
    item = items(line + "\n")[1]
    event = json.loads(item.events[0])
    data = {"sku": "85123A", "location": "UK", **expected[2]}
    assert (event["type"], event["time"], event["data"]) == (expected[0], expected[1], data)
    assert not isinstance(decode(item.events[0]), Rejection)


def test_what_moves_no_goods_is_skipped_by_its_kind_and_what_is_no_line_is_a_problem() -> None:
    found = items(
        "1,POST,POSTAGE,1,2011-07-01 08:26:00,18.0,1.0,France\n"
        "A2,B,Adjust bad debt,1,2011-07-01 08:26:00,1.0,,United Kingdom\n"
        "3,85123A,HEART,6,yesterday,2.55,,United Kingdom\n"
        "3,85123A,HEART\n"
    )[1:]
    assert [item.skipped for item in found] == ["not goods", "bad debt", None, None]
    assert "'yesterday' is not a time" in str(found[2].problem)
    assert "3 cells" in str(found[3].problem)


def test_a_resumed_file_numbers_its_rows_as_the_whole_one() -> None:
    text = "1,85123A,HEART,6,2011-07-01 08:26:00,2.55,,UK\n" * 4
    whole = items(text)
    assert items(text, whole[2].mark) == whole[3:]


def test_the_retail_format_is_chosen_by_its_name() -> None:
    assert isinstance(choose_reader("anything.csv.xz", "online-retail"), InvoiceReader)


@pytest.mark.parametrize(
    ("text", "remark"), [("check", True), ("?", True), ("", True), ("20713", True), ("OWL", False)]
)
def test_remarks_are_not_names(text: str, remark: bool) -> None:
    assert is_remark(text) == remark


def test_a_remark_without_telling_words_says_so() -> None:
    assert (reason_of("hm", -1), reason_of("hm", 1)) == ("unexplained", "found")


def test_the_packaged_data_is_what_its_readme_says() -> None:
    with lzma.open(packaged_data()) as file:
        body = file.read()
    digest = hashlib.sha256(body).hexdigest()
    assert digest in packaged_data().with_name("README.md").read_text()
    assert packaged_data().stat().st_size <= 3_000_000
    assert body.count(b"\n") == 370_932


def test_every_line_of_the_packaged_data_has_its_place() -> None:
    lines = list(read_invoices())
    assert Counter(line.kind for line in lines) == {
        "sale": 360_962,
        "return": 6_214,
        "not goods": 2_201,
        "adjustment": 1_551,
        "bad debt": 3,
    }
    assert len({(line.invoice, line.row) for line in lines}) == len(lines) == 370_931
    events = [event_of(line) for line in lines[::997]]
    decoded = [decode(json.dumps(event).encode()) for event in events if event]
    kinds = {type_name(event) for event in decoded if not isinstance(event, Rejection)}
    assert kinds == {"stock.issued", "stock.returned", "stock.adjusted"}

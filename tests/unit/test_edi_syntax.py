"""Interchanges as files have them: any delimiters, several in a file, wrapped, commented, cut and damaged."""

from __future__ import annotations

import io
from collections.abc import Iterable

import pytest

from connectors.edi.envelopes import Envelopes, Found, Transaction
from connectors.edi.problems import Fault, Remark
from connectors.edi.scanner import MAX_SEGMENT_BYTES, Scanner

X12 = (
    "ISA*00*          *00*          *ZZ*THEM           *ZZ*US             *260302*0910*U*00401*000000071*0*P*>~"
    "GS*PR*THEM*US*20260302*0910*71*X*004010~ST*855*0001~BAK*00*AC*PO-1*20260302~PO1*1*5*EA*9**BP*A>B~"
    "CTT*1~SE*5*0001~GE*1*71~IEA*1*000000071~"
)
EDIFACT = (
    "UNB+UNOC:3+THEM:ZZ+US:ZZ+260302:0910+71'UNH+1+ORDRSP:D:96A:UN'BGM+231+R-1+4'FTX+AAI+++It?'s 5?+5??'"
    "LIN+1+5+A-1:IN'UNS+S'UNT+6+1'UNZ+1+71'"
)


class Trickle(io.RawIOBase):
    """A source that gives a byte at a time, as a pipe may."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(size, 1) if size >= 0 else -1)


def found(data: bytes) -> list[Found]:
    return list(Envelopes(Scanner(io.BytesIO(data))))


def transactions(data: bytes) -> list[Transaction]:
    return [each for each in found(data) if isinstance(each, Transaction)]


def shape(each: Iterable[Transaction]) -> list[list[str]]:
    return [[segment.tag for segment in transaction.segments] for transaction in each]


SHAPE = [["ST", "BAK", "PO1", "CTT", "SE"]]


@pytest.mark.parametrize(
    ("element", "component", "terminator"),
    [
        ("*", ">", "~"), ("*", "@", "\n"), ("*", "@", "\r\n"), ("*", "@", "\r"), ("~", ">", "}"), ("^", ">", "~\r\n"),
        ("|", ">", "!"), ("*", "~", "|"), ("\x1d", "\x1f", "\x1c"), ("*", ":", "\x15"), ("*", ">", "\xc4"),
        ("~", ">", "*"), ("*", "+", "\\"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_the_delimiters_are_those_of_the_isa(element: str, component: str, terminator: str, encoding: str) -> None:
    marks = {"*": element, ">": component, "~": terminator}
    text = "".join(marks.get(letter, letter) for letter in X12)
    (transaction,) = transactions(text.encode(encoding))
    assert shape([transaction]) == SHAPE
    assert [transaction.segments[2].part(7, place) for place in (1, 2)] == ["A", "B"]
    assert not [each for each in found(text.encode(encoding)) if not isinstance(each, Transaction)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\ufeff" + X12, id="byte order mark"),
        pytest.param(X12.replace("~", "~\r\n") + "\x1a", id="lines and an end mark"),
        pytest.param(X12.replace("~", "~\n    "), id="indented"),
        pytest.param("\n".join(X12[at : at + 80] for at in range(0, len(X12), 80)), id="wrapped at 80 columns"),
        pytest.param("// a file\n" + X12.replace("~", "~ // why\n"), id="commented"),
        pytest.param(X12.rstrip("~"), id="no terminator after the last segment"),
        pytest.param(X12.replace("          ", "").replace("           *", "*"), id="elements that are trimmed"),
        pytest.param(X12.replace("          ", "\u00a0" * 10), id="filled with no-break spaces"),
        pytest.param("mail header: x\r\n\r\n" + X12, id="text before"),
    ],
)
def test_ways_to_write_an_interchange(text: str) -> None:
    (transaction,) = transactions(text.encode())
    assert shape([transaction]) == SHAPE
    assert transaction.sender == "THEM"
    assert transaction.interchange.control == "000000071"


@pytest.mark.parametrize(
    ("advice", "marks"),
    [("", {}), ("UNA:+.? '", {}), ("UNA:+,?*'\r\n", {}), ("UNA|^.! ~", {":": "|", "+": "^", "'": "~", "?": "!"})],
)
def test_the_delimiters_are_those_of_the_una(advice: str, marks: dict[str, str]) -> None:
    (transaction,) = transactions((advice + "".join(marks.get(letter, letter) for letter in EDIFACT)).encode())
    said = {value: key for key, value in marks.items()}
    text = "".join(said.get(letter, letter) for letter in transaction.segments[2].part(4, 1))
    assert text == "It's 5+5?"
    assert transaction.code == "ORDRSP"
    assert transaction.segments[3].part(3, 2) == "IN"


def test_a_file_holds_interchanges_of_both_standards_in_other_delimiters() -> None:
    other = X12.replace("*", "|").replace("~", "\x15")
    data = "\r\n".join((X12, EDIFACT, other, "UNA:+.? '" + EDIFACT, "\x1a")).encode("latin-1")
    assert [transaction.code for transaction in transactions(data)] == ["855", "ORDRSP", "855", "ORDRSP"]
    assert len(found(data)) == 4


def test_places_are_segments_and_bytes_of_the_file() -> None:
    data = ("\ufeff// five\n" + X12.replace("SE*5", "SE*9")).encode()
    (remark,) = [remark for transaction in transactions(data) for remark in transaction.remarks]
    assert remark.place.segment == 7
    assert data[remark.place.byte :].startswith(b"SE*9*0001~")
    assert remark.detail == "SE counts 9 segments, there are 5"


@pytest.mark.parametrize(
    ("text", "whole", "words"),
    [
        ("GS*PR*THEM~ST*855*1~SE*2*1~", 0, "belong to no interchange"),
        (X12.replace("ISA*00*", "SA*00*"), 0, "belong to no interchange"),
        (X12.replace("ST*855", "T*855"), 0, "in no transaction"),
        (X12.replace("SE*5*0001~", ""), 0, "has no SE: a GE closes what is around it"),
        (X12[: X12.index("CTT")], 0, "has no SE: the file ends before"),
        (X12[: X12.index("GE*")], 1, "the ISA is not closed: the file ends before"),
        (X12[: X12.index("GE*")] + X12, 2, "the ISA is not closed: another interchange begins"),
        (X12.replace("*00401", ""), 0, "the ISA has 15 elements where 16 belong"),
        (X12.replace("GE*1", "GE*2"), 1, "GE counts 2 transactions, there are 1"),
        (X12.replace("IEA*1*000000071", "IEA*1*000000072"), 1, "IEA says 000000072, ISA 000000071"),
        (EDIFACT.replace("UNB+", "NB+"), 0, "belong to no interchange"),
        (EDIFACT.replace("UNB+", "UNB!"), 0, "no UNA before it says so"),
        (EDIFACT.replace("UNT+6+1'", ""), 0, "has no UNT: a UNZ closes what is around it"),
        ("STX=ANA:1+5000000000000:X+5010000000000:Y+070315:130233+7'", 0, "TRADACOMS is not read"),
        (X12.replace("~", "") + "x" * MAX_SEGMENT_BYTES, 0, "the ISA"),
    ],
)
def test_what_is_damaged_costs_itself_and_says_where(text: str, whole: int, words: str) -> None:
    data = text.encode()
    wrong = [each for each in found(data) if isinstance(each, Fault | Remark)]
    assert any(words in each.detail for each in wrong), wrong
    assert len(transactions(data)) == whole
    assert all(0 <= each.place.byte < len(data) for each in wrong)


def test_a_damaged_interchange_does_not_cost_the_next_one() -> None:
    for damaged in (X12[: X12.index("GE*")], X12.replace("ISA*00*", "SA*00*"), EDIFACT[: EDIFACT.index("UNS")]):
        assert transactions((damaged + "\n" + X12).encode())[-1].code == "855"


def test_a_source_that_gives_a_byte_at_a_time_is_read_the_same() -> None:
    data = (X12 + "\n" + EDIFACT).encode()
    slowly = [each for each in Envelopes(Scanner(Trickle(data))) if isinstance(each, Transaction)]  # type: ignore[arg-type]
    assert shape(slowly) == shape(transactions(data))


def test_a_record_is_an_interchange_of_its_own() -> None:
    for text in (X12, EDIFACT, "UNA:+,? '" + EDIFACT):
        (transaction,) = transactions(text.encode())
        (again,) = transactions(transaction.record())
        assert shape([again]) == shape([transaction])
        assert again.record() == transaction.record()
        assert len(found(transaction.record())) == 1


def test_text_is_utf_8_and_else_iso_8859_1() -> None:
    for encoding in ("utf-8", "latin-1"):
        (transaction,) = transactions(X12.replace("A>B", "Käse").encode(encoding))
        assert transaction.segments[2][7] == "Käse"


def test_each_line_is_a_segment_where_the_terminators_were_lost() -> None:
    lines = EDIFACT.replace("It?'s", "It is").replace("'", "\r\n")
    assert shape(transactions(lines.encode())) == shape(transactions(EDIFACT.encode()))


@pytest.mark.parametrize("advice", ["UNA:+.?'\n", "UNA:+.?'\r\n", "UNA:+.? '" + "\n" * 9])
def test_an_advice_without_its_blank_or_far_from_its_interchange(advice: str) -> None:
    [read_so] = transactions((advice + EDIFACT.replace("'", "'\n").replace("?'\n", "?'")).encode())
    assert [segment.tag for segment in read_so.segments] == ["UNH", "BGM", "FTX", "LIN", "UNS", "UNT"]
    assert read_so.segments[1][3] == "4"


@pytest.mark.parametrize("text", [EDIFACT.replace("'", "|"), "UNB+UNOC:3+THEM+US+260302:0910+71'"])
def test_an_interchange_in_which_nothing_is_found_is_refused(text: str) -> None:
    [fault] = found(text.encode())
    assert isinstance(fault, Fault)
    assert "the file ends before, and no transaction is in it: do all segments end with" in fault.detail

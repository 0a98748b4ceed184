"""X12 as strangers write it: lines in unusual places, elements left out, codes of other trades, headers that are cut.

Each document is read as a person reads it, or refused with the reason that a person would give.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from connectors.edi import read
from connectors.edi.profile import Role
from engine.core.events import decode
from engine.core.outcomes import Rejection
from tests.unit import edi_documents as edi
from tests.unit.test_edi_messages import x12

ANSWER = "BAK*00*AC*PO8*20260301~"
NOTICE = "BSN*00*S8*20260301*1200~HL*1**S~HL*2*1*O~PRF*PO8~"
SALES = "BPT*00*R8*20260301*SS~DTM*091*20260228~"
ORDER = "BEG*00*SA*WS8**20260301~"
PLAN = "BFR*00*F8**DL*A*20260301*20260601*20260301~LIN*1*VP*A~"


class Reading(NamedTuple):
    """A document, our side, its events as plain rows, and words of what is refused."""

    text: str
    rows: list[list[str]]
    refused: str = ""
    we_are: Role = "buyer"


def shipped(line: str, sku: str, quantity: str) -> list[str]:
    return ["shipment.notified", "S8", line, sku, quantity, ""]


def acknowledged(parts: str) -> list[list[str]]:
    return [["order.acknowledged", "PO8", "1", "A", parts, ""]]


def reserved(line: str, sku: str, quantity: str) -> list[str]:
    return ["stock.reserved", f"WS8/{line}", "", sku, quantity, ""]


def planned(buckets: str) -> list[list[str]]:
    return [["forecast.revised", "F8", "", "A", buckets, ""]]


READINGS: dict[str, Reading] = {
    "several items in one level of a notice": Reading(
        x12("856", f"{NOTICE}HL*3*2*P~MAN*GM*0012~LIN*1*BP*A~SN1**4*EA~LIN*2*BP*B~SN1**9*EA~LIN*3*BP*C~SN1**2*EA~"),
        [shipped("1", "A", "4"), shipped("2", "B", "9"), shipped("3", "C", "2")],
    ),
    "several items in one level, each quantity before its item": Reading(
        x12("856", f"{NOTICE}SN1**4*EA~LIN*1*BP*A~SN1**9*EA~LIN*2*BP*B~"),
        [shipped("1", "A", "4"), shipped("2", "B", "9")],
    ),
    "an item behind the returnable container that it lies in": Reading(
        x12("856", f"{NOTICE}HL*3*2*I~LIN**RC*BOX-9~LIN*7*BP*A~SN1**4*EA~"), [shipped("7", "A", "4")]
    ),
    "an item with two quantities": Reading(
        x12("856", f"{NOTICE}HL*3*2*I~LIN*1*BP*A~SN1**4*EA~SN1**6*EA~"), [], "the item has several SN1"
    ),
    "a level whose second item has no quantity": Reading(
        x12("856", f"{NOTICE}HL*3*2*I~LIN*1*BP*A~SN1**4*EA~LIN*2*BP*B~"), [shipped("1", "A", "4")],
        "LIN: the item has no SN1",
    ),
    "an order that the notice names before its levels": Reading(
        x12("856", "BSN*00*S8*20260301*1200~REF*PO*PO8~HL*1**S~HL*2*1*I~LIN*1*BP*A~SN1**4*EA~"),
        [shipped("1", "A", "4")],
    ),
    "sales whose item stands before the quantity": Reading(
        x12("867", f"{SALES}PTD*SS~LIN*1*VP*A~QTY*32*5*EA~LIN*2*VP*B~QTY*32*8*EA~QTY*76*1*EA~"),
        [["stock.issued", "", "", "A", "5", ""], ["stock.issued", "", "", "B", "8", ""],
         ["stock.returned", "", "", "B", "1", ""]],
    ),
    "a sale that cannot be read beside one that can": Reading(
        x12("867", f"{SALES}PTD*SS~QTY*32*5*EA~LIN**VP*A~QTY*32*5*EA~LIN**XX*B~"),
        [["stock.issued", "", "", "A", "5", ""]], "no item number with a qualifier",
    ),
    "a sale without an item beside one with its own": Reading(
        x12("867", f"{SALES}PTD*SS~QTY*32*5*EA~QTY*32*7*EA~LIN**VP*A~QTY*32*9*EA~LIN**VP*B~"),
        [["stock.issued", "", "", "A", "7", ""], ["stock.issued", "", "", "B", "9", ""]], "QTY has no LIN",
    ),
    "a sale has no date of another one, nor its order": Reading(
        x12("867", f"{SALES}PTD*SS~QTY*32*5*EA~LIN**VP*A~QTY*32*6*EA~LIN**VP*B~DTM*003*20260210~REF*PO*X9~"),
        [["stock.issued", "", "", "A", "5", ""], ["stock.issued", "X9", "", "B", "6", ""]],
    ),
    "a customer to whom nothing was sold": Reading(
        x12("867", f"{SALES}PTD*SS~N1*ST*SHOP~PTD*SS~QTY*32*5*EA~LIN**VP*A~"), [["stock.issued", "", "", "A", "5", ""]]
    ),
    "goods that a distributor sent back to its vendor": Reading(
        x12("867", f"{SALES}PTD*RV~QTY*32*5*EA~LIN**VP*A~"), [], "PTD01 says by RV a return to the vendor"
    ),
    "a return that says it was sold": Reading(
        x12("867", f"{SALES}PTD*RB~QTY*32*5*EA~LIN**VP*A~"), [], "says by RB that goods came back, and QTY01 by 32"
    ),
    "a return below 0": Reading(
        x12("867", f"{SALES}PTD*RB~QTY*32*-5*EA~LIN**VP*A~"), [["stock.returned", "", "", "A", "5", ""]]
    ),
    "sales outside of any PTD": Reading(
        x12("867", f"{SALES}LIN**VP*A~QTY*32*5*EA~"), [], "there is LIN in segment 6 and no PTD"
    ),
    "a receipt in the segments of a shipment": Reading(
        x12("861", "BRA*R8*20260301*00*1~LIN*1*BP*A~SN1**5*EA~"), [], "there is LIN in segment 5 and no RCD"
    ),
    "a balance of no item": Reading(
        x12("846", "BIA*00*SI*X*20260301~QTY*17*5*EA~"), [], "there is QTY in segment 5 and no LIN"
    ),
    "a forecast of no item": Reading(
        x12("830", "BFR*00*F8**DL*A~FST*5*D*W*20260309~"), [], "there is FST in segment 5 and no LIN", "seller"
    ),
    "each answer has its own date behind it": Reading(
        x12("855", f"{ANSWER}PO1*1*10*EA***BP*A~ACK*IA*6*EA~DTM*068*20260310~ACK*IB*4*EA~DTM*068*20260324~"),
        acknowledged("accepted:6@2026-03-10 backordered:4@2026-03-24"),
    ),
    "an answer without a date has that of the line": Reading(
        x12("855", f"{ANSWER}PO1*1*10*EA***BP*A~DTM*067*20260309~ACK*IA*6*EA~ACK*IB*4*EA~DTM*068*20260324~"),
        acknowledged("accepted:6@2026-03-09 backordered:4@2026-03-24"),
    ),
    "the answers to what a line consists of": Reading(
        x12("865", "BCA*00*AC*PO8***20260301~POC*1*QI*6**EA***BP*A~ACK*IA*6*EA~SLN*1**A*12*EA~ACK*IA*12*EA~"),
        acknowledged("accepted:6@"),
    ),
    "item numbers in the place of the price's basis": Reading(
        x12("855", f"{ANSWER}PO1*1*5*EA*9.5*UP*400123*BP*BOLT-7~"),
        [["order.acknowledged", "PO8", "1", "BOLT-7", "accepted:5@", ""]],
    ),
    "an order whose quantities are those of the stores": Reading(
        x12("850", f"{ORDER}PO1*1**EA***VP*A~SDQ*EA*92*0007*3*0012*4~SDQ*EA*92*0031*5~"),
        [reserved("1", "A", "12")], "", "seller",
    ),
    "stores that get another quantity than is ordered": Reading(
        x12("850", f"{ORDER}PO1*1*12*EA***VP*A~SDQ*EA*92*0007*3*0012*4~PO1*2*2*EA***VP*B~SDQ*CA*92*0007*1~"),
        [reserved("2", "B", "2")], "PO102 orders 12, and SDQ divides 7 over the stores", "seller",
    ),
    "an order without a quantity": Reading(
        x12("850", f"{ORDER}PO1*1**EA***VP*A~"), [], "PO102 has no quantity, and neither SCH nor SDQ has one", "seller"
    ),
    "a line that stands in an order twice": Reading(
        x12("850", f"{ORDER}PO1*1*5*EA***VP*A~PO1*2*1*EA***VP*B~PO1*1*6*EA***VP*A~"), [reserved("2", "B", "1")],
        "the line 1 of A stands in the order 2 times (segments 5 and 7)", "seller",
    ),
    "a line that an order says again": Reading(
        x12("850", f"{ORDER}PO1*1*5*EA***VP*A~PO1*1*5*EA***VP*A~"), [reserved("1", "A", "5"), reserved("1", "A", "5")],
        "", "seller",
    ),
    "a line's number that two items have": Reading(
        x12("850", f"{ORDER}PO1*1*5*EA***VP*A~PO1*1*6*EA***VP*B~"), [reserved("1", "A", "5"), reserved("1", "B", "6")],
        "", "seller",
    ),
    "a change that says one quantity twice": Reading(
        x12("860", "BCH*04*SA*WS8***20260301~POC*1*QI*7**EA***VP*A~POC*1*PC*7**EA***VP*A~POC*2*NC*9**EA***VP*A~"),
        [reserved("1", "A", "7"), reserved("1", "A", "7")], "", "seller",
    ),
    "a change that says two quantities of a line": Reading(
        x12("860", "BCH*04*SA*WS8***20260301~POC*1*QI*7**EA***VP*A~POC*1*QD*3**EA***VP*A~"), [],
        "the line 1 of A stands in the order 2 times", "seller",
    ),
    "a change that takes a line back": Reading(
        x12("860", "BCH*04*SA*WS8***20260301~POC*1*CF*7**EA***VP*A~"),
        [["reservation.released", "WS8/1", "", "A", "all", ""]], "", "seller",
    ),
    "a change that names a release and no order": Reading(
        x12("860", "BCH*04*SA**R2**20260301~POC*1*QI*7**EA***VP*A~"), [],
        "BCH03, the order's number, is missing", "seller",
    ),
    "forecasts of four weeks, half a year and ten days": Reading(
        x12("830", f"{PLAN}FST*9*D*T*20260302~FST*8*D*S*20260401~FST*7*D*G*20261005~"),
        planned("9@2026-03-02+28 8@2026-04-01+183 7@2026-10-05+10"), "", "seller",
    ),
    "a forecast of a timing that is agreed": Reading(
        x12("830", f"{PLAN}FST*9*D*Z*20260302~"), [],
        "a quantity of the timing 'Z' from 2026-03-02 on has no last day: say in `codes.bucket_days`", "seller",
    ),
    "a flexible forecast without its end": Reading(
        x12("830", f"{PLAN}FST*9*D*F*20260302~"), [], "the timing 'F' from 2026-03-02 on has no last day", "seller"
    ),
    "a flexible forecast": Reading(
        x12("830", f"{PLAN}FST*9*D*F*20260302*20260311~"), planned("9@2026-03-02+10"), "", "seller"
    ),
    "a length is no number of an order's line": Reading(
        x12("944", "W17*F*20260301*RC8*PO8~W07*5*EA**BP*A~N9*LN*18.5~"), [["goods.received", "RC8", "", "A", "5", ""]]
    ),
    "a serial number is no item": Reading(
        x12("861", "BRA*R8*20260301*00*1~RCD*1*1*EA~LIN**SN*C-77~"), [], "there are: SN"
    ),
    "what was shipped on a date that stands beside its header": Reading(
        x12("945", "W06*F*12345678~G62*10*20260227~G62*11*20260228~LX*1~W12*CC*5*5**EA**BP*A~"),
        [["stock.issued", "12345678", "", "A", "5", ""]],
    ),
    "what was shipped on no date": Reading(
        x12("945", "W06*F*12345678~LX*1~W12*CC*5*5**EA**BP*A~"), [], "no date in element 3, and no G62 of 11 says one"
    ),
    "a text before a segment": Reading(
        x12("846", "BIA*00*SI*X*20260301~ (stock) LIN*1*BP*A~QTY*17*5*EA~"), [],
        "'(stock) LIN*1*BP*A~' is no segment: does a text stand before it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", READINGS)
def test_a_document_is_read_as_a_person_reads_it(name: str) -> None:
    reading = READINGS[name]
    items = read(reading.text.encode(), edi.profile(reading.we_are))
    assert [edi.row(event)[:6] for event in edi.events(items)] == reading.rows
    problems = edi.problems(items)
    assert any(reading.refused in problem for problem in problems) if reading.refused else not problems
    for item in items:
        for event in item.events:
            assert not isinstance(decode(event), Rejection)


def test_levels_that_lie_in_each_other_without_end_are_refused() -> None:
    deep = "".join(f"HL*{number}*{number - 1}*I~LIN*{number}*BP*A~SN1**1*EA~" for number in range(3, 500))
    (problem,) = edi.problems(read(x12("856", NOTICE + deep).encode(), edi.profile()))
    assert "the HL 34 of segment 101 lies below more than 32 others" in problem


def test_a_document_of_no_lines_is_counted() -> None:
    for code, body in (
        ("945", "W06*X*SO8*20260301~"),
        ("846", "BIA*00*SI*X*20260301~"),
        ("861", "BRA*R*20260301*00*1~"),
    ):
        items = read(x12(code, body).encode(), edi.profile())
        assert [item.skipped for item in items] == ["a document of no lines"]


LINES = x12("855", f"{ANSWER}PO1*1*5*EA***BP*A~").split("~")[:-1]
ENVELOPES = {
    "the ISA ends at a line break, all else with a sign": (
        "\n".join([LINES[0], *(line + "~" for line in LINES[1:])]),
        "ends at a line break, and the line behind it with '~'",
    ),
    "the ISA ends with a sign, all else at a line break": (
        LINES[0] + "~\n" + "\n".join(LINES[1:]),
        "the ISA ends with '~', and the lines behind it at line breaks",
    ),
    "a page of the web": ("~".join([LINES[0][:-1] + "&gt;", *LINES[1:]]), "the text is escaped for HTML"),
    "two characters in ISA16": ("~\n".join([LINES[0] + ">", *LINES[1:]]), "behind the end of the ISA stands '~'"),
    "an element too many": ("~\n".join([LINES[0] + "*9", *LINES[1:]]), "the ISA has more than 16 elements"),
    "a transaction alone": ("~".join(LINES[2:-2]), "; ISA and GS are missing before it"),
    "a group alone": ("~".join(LINES[1:-1]), "; ISA and GS are missing before it"),
    "two bytes a character": ("~".join(LINES), "; it looks like UTF-16: save it as UTF-8"),
    "an end that never comes": ("~".join(LINES[:2]), "no transaction is in it: do all segments end with '~'?"),
}


@pytest.mark.parametrize("name", ENVELOPES)
def test_what_has_no_envelope_is_refused_once_and_with_its_reason(name: str) -> None:
    text, words = ENVELOPES[name]
    items = read(text.encode("utf-16" if "two bytes" in name else "utf-8"), edi.profile())
    (problem,) = edi.problems(items)
    assert problem.startswith("segment 1, byte 0: ")
    assert words in problem
    assert not edi.events(items)


@pytest.mark.parametrize("gap", ["\r\n", "\t", "\n\t  ", " // who\n"])
def test_what_stands_between_segments_is_not_read(gap: str) -> None:
    (event,) = edi.events(read((gap.join(line + "~" for line in LINES)).encode(), edi.profile()))
    assert edi.row(event)[:6] == acknowledged("accepted:5@")[0]


def test_an_isa_without_its_last_element_ends_its_segments_in_lines() -> None:
    text = "\n".join(line + "~" for line in [LINES[0][:-1], *LINES[1:]])
    (event,) = edi.events(read(text.encode(), edi.profile()))
    assert edi.row(event)[:6] == acknowledged("accepted:5@")[0]


def test_an_isa_that_is_one_character_too_long_or_too_short_is_read() -> None:
    for header in (LINES[0].replace("THEM ", "THEM  "), LINES[0].replace("THEM ", "THEM")):
        (event,) = edi.events(read("~".join([header, *LINES[1:], ""]).encode(), edi.profile()))
        assert edi.row(event)[:6] == acknowledged("accepted:5@")[0]

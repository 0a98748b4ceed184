"""Documents as trading partners send them, and what a person reads in each: its events, what is refused and noted.

Each row of the first table was read wrongly once; it says in its name what the document means.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from connectors.edi import read
from connectors.edi.profile import Role
from engine.core.events import decode
from engine.core.outcomes import Rejection
from tests.unit import edi_documents as edi
from tests.unit.test_edi_messages import edifact, x12

ACK, ITEM = "BAK*00*AC*PO1*20260301~", "PO1*1*10*EA***BP*A~"
NOTICE = "BSN*00*S1*20260301*1200~HL*1**S~PRF*PO1~"
REPORT = "BIA*00*SI*X*20260301~LIN*1*BP*A~"
ANSWER, DESPATCH = "BGM+231+R1+4'RFF+ON:PO1'", "BGM+351+S1+9'RFF+ON:PO1'CPS+1'"
ISA = x12("997", "")[:106]


class Reading(NamedTuple):
    """A document, our side, its events as plain rows, and words of what is refused and noted."""

    text: str
    rows: list[list[str]]
    refused: str = ""
    noted: str = ""
    we_are: Role = "buyer"


def acknowledged(line: str, sku: str, parts: str) -> list[str]:
    return ["order.acknowledged", "PO1", line, sku, parts, ""]


def shipped(line: str, sku: str, quantity: str) -> list[str]:
    return ["shipment.notified", "S1", line, sku, quantity, ""]


READINGS: dict[str, Reading] = {
    "a part is backordered, and nobody says how much": Reading(
        x12("855", f"{ACK}{ITEM}ACK*BP~"), [], "PO1: ACK says that a part of the line is backordered, and no quantity"
    ),
    "what is backordered is told beside what is shipped": Reading(
        x12("855", f"{ACK}{ITEM}ACK*BP*6*EA*067*20260310~ACK*IB*4*EA*067*20260410~"),
        [acknowledged("1", "A", "accepted:6@2026-03-10 backordered:4@2026-04-10")],
    ),
    "a part is shipped in two, the rest is backordered": Reading(
        x12("855", f"{ACK}{ITEM}ACK*BP*3*EA*067*20260310~ACK*BP*2*EA*067*20260317~"),
        [acknowledged("1", "A", "accepted:3@2026-03-10 accepted:2@2026-03-17 backordered:5@")],
    ),
    "thousands with a comma": Reading(
        x12("855", f"{ACK}PO1*1*1,000*EA***BP*A~"), [], "'1,000' is either a decimal number or one of thousands"
    ),
    "a promise below 0": Reading(x12("855", f"{ACK}PO1*1*5-*EA***BP*A~"), [], "a quantity of -5 cannot be promised"),
    "an order that is rejected as a whole, without its lines": Reading(
        x12("855", "BAK*00*RD*PO1*20260301~"), [], "BAK: the supplier says of the whole order PO1 that it is rejected"
    ),
    "an ORDRSP that rejects a whole order without its lines": Reading(
        edifact("ORDRSP", "BGM+231+R1+27'RFF+ON:PO1'"), [], "of the whole order PO1 that it is rejected"
    ),
    "an ORDRSP that rejects by the kind of its answer": Reading(
        edifact("ORDRSP", "BGM+231+R1+9+RE'RFF+ON:PO1'LIN+1++12:EN'QTY+21:5'"), [acknowledged("1", "12", "rejected:5@")]
    ),
    "another item comes in place of the one ordered": Reading(
        x12("855", f"{ACK}{ITEM}ACK*IS*10*EA*067*20260310**BP*B~"),
        [acknowledged("1", "A", "changed:10@2026-03-10")], noted="an item that comes in place",
    ),
    "an ORDRSP with a substitute is of the item that was ordered": Reading(
        edifact("ORDRSP", f"{ANSWER}LIN+1+3+12:EN'PIA+3+NEW:IN'QTY+21:5'"),
        [acknowledged("1", "12", "changed:5@")], noted="an item that comes in place",
    ),
    "lines that are accepted with an amendment, or not amended": Reading(
        edifact("ORDRSP", f"{ANSWER}LIN+1+24+12:EN'QTY+21:5'LIN+2+11+13:EN'QTY+21:6'LIN+3+12+14:EN'QTY+21:7'"),
        [acknowledged("1", "12", "changed:5@"), acknowledged("2", "13", "accepted:6@")],
        "the action '12' of LIN is not known",
    ),
    "a notice that is cancelled, to be sent anew": Reading(
        x12("856", f"{NOTICE.replace('*00*', '*17*')}HL*2*1*I~LIN*1*BP*A~SN1**5*EA~"),
        [["shipment.cancelled", "S1", "1", "A", "all", ""]],
    ),
    "a notice with a purpose that nobody declares": Reading(
        x12("856", f"{NOTICE.replace('*00*', '*44*')}HL*2*1*I~LIN*1*BP*A~SN1**5*EA~"), [],
        "BSN: the purpose '44' of BSN is not known: say what it means in `codes.purpose`",
    ),
    "a quantity without an item": Reading(
        x12("856", f"{NOTICE}HL*2*1*I~SN1**5*EA~HL*3*1*I~LIN*2*BP*B~SN1**3*EA~"), [shipped("2", "B", "3")],
        "segment 7, byte 198: HL: SN1 says a quantity, and no LIN says of which item",
    ),
    "a pallet that is named by its container": Reading(
        x12("856", f"{NOTICE}HL*2*1*T~LIN**RC*PALLET~SN1**1~HL*3*2*I~LIN*1*BP*A~SN1**5~"), [shipped("1", "A", "5")]
    ),
    "schedules of more than the line": Reading(
        x12("855", f"{ACK}{ITEM}ACK*IA*10*EA~SCH*8*EA***067*20260310~SCH*8*EA***067*20260317~"), [],
        "SCH divides 10 into parts of 16 in all",
    ),
    "items without an HL": Reading(
        x12("856", "BSN*00*S1*20260301~LIN**BP*A*PO*PO1~SN1**5*EA~"), [], "the notice has items and no HL",
    ),
    "a sub-line says what its line consists of": Reading(
        edifact("DESADV", f"{DESPATCH}LIN+1++12:EN'QTY+12:6'LIN+2++13:EN+1:1'QTY+12:36'LIN+3++14:EN'QTY+12:7'"),
        [shipped("1", "12", "6"), shipped("3", "14", "7")], noted="a sub-line",
    ),
    "a receipt of which a part went back": Reading(
        x12("861", "BRA*R1*20260301*00*1~RCD*1*100*EA*5*EA~LIN**BP*A~"), [], "RCD04 says that 5 were returned"
    ),
    "a balance of two warehouses in one line": Reading(
        x12("846", f"{REPORT}N1*WH**92*LDS~QTY*33*10*EA~N1*WH**92*YRK~QTY*33*20*EA~"), [],
        "one line is of two places (WH): LDS and YRK",
    ),
    "a balance that SDQ divides": Reading(
        x12("846", f"{REPORT}QTY*17*30*EA~SDQ*EA*92*LDS*10*YRK*20~"), [], "SDQ divides the balance over places"
    ),
    "a balance without its quantity": Reading(x12("846", f"{REPORT}QTY*17~"), [], "QTY02 has no quantity"),
    "sales of two branches": Reading(
        x12("867", "BPT*00*D1*20260301*SS~N1*DB**92*LDS~PTD*SS~N1*DB**92*YRK~QTY*32*5*EA~LIN**VP*A~"
                   "PTD*SS~QTY*32*7*EA~LIN**VP*A~"),
        [["stock.issued", "", "", "A", "5", ""], ["stock.issued", "", "", "A", "7", ""]],
    ),
    "a total and its parts by warehouse": Reading(
        edifact("INVRPT", "BGM+35+I1+9'LIN+1++12:EN'QTY+145:100'QTY+145:60'LOC+18+LDS::9'QTY+145:40'LOC+18+YRK::9'"),
        [["balance.reported", "", "", "12", "60", ""], ["balance.reported", "", "", "12", "40", ""]],
    ),
    "a total that is not the sum of its parts": Reading(
        edifact("INVRPT", "BGM+35+I1+9'LIN+1++12:EN'QTY+145:99'QTY+145:60'LOC+18+LDS'QTY+145:40'LOC+18+YRK'"), [],
        "QTY 145 says 99 without a place, which is not the sum",
    ),
    "stock that is damaged": Reading(
        edifact("INVRPT", "BGM+35+I1+9'LIN+1++12:EN'INV++1'QTY+145:90'INV++2'QTY+145:5'"), [],
        "INV says stock of the type 2",
    ),
    "an order that says its quantity in all and by schedule": Reading(
        edifact("ORDERS", "BGM+220+O1+9'LIN+1++A:SA'QTY+21:10'SCC+1'QTY+21:4'SCC+1'QTY+21:6'UNS+S'"),
        [["stock.reserved", "O1/1", "", "A", "10", ""]], we_are="seller",
    ),
    "a promise in all and by schedule": Reading(
        edifact("ORDRSP", f"{ANSWER}LIN+1+5+12:EN'QTY+21:10'SCC+1'QTY+21:4'DTM+2:20260310:102'SCC+1'QTY+21:6'"),
        [acknowledged("1", "12", "accepted:4@2026-03-10 accepted:6@")],
    ),
    "a quantity changes, and nobody says to what": Reading(
        x12("860", "BCH*04*SA*O1**1*20260303~POC*1*QD**2*EA*5**VN*A~"), [],
        "POC03 has no quantity, and POC02 says by QD", we_are="seller",
    ),
    "a schedule of cumulative quantities": Reading(
        x12("830", "BFR*00*F1**DL*C*20260301*20260401*20260301~LIN**VP*A~FST*9*C*W*20260302~"), [],
        "BFR05 says that the quantities are cumulative", we_are="seller",
    ),
    "a group that is taken in part, without a word of which": Reading(
        x12("997", "AK1*PO*55~AK9*P*3*3*2~"), [], "the partner rejected what we sent: 55"
    ),
    "an interchange of ours that is rejected": Reading(
        f"{ISA}TA1*000000005*260301*1200*R*006~IEA*0*000000071~", [],
        "segment 2, byte 106: the partner rejected the interchange 000000005 that we sent: code 006",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", READINGS)
def test_what_a_person_reads(name: str) -> None:
    text, rows, refused, noted, we_are = READINGS[name]
    items = read(text.encode(), edi.profile(we_are))
    assert [edi.row(event)[:6] for event in edi.events(items)] == rows
    problems = edi.problems(items)
    assert any(refused in problem for problem in problems) if refused else not problems
    remarks = [item.skipped for item in items if item.skipped and item.skipped.startswith("noted")]
    assert any(noted in remark for remark in remarks) if noted else not remarks
    for item in items:
        for raw in item.events:
            assert not isinstance(decode(raw), Rejection)


def test_sales_are_of_the_branch_that_their_own_loop_names() -> None:
    items = read(READINGS["sales of two branches"].text.encode(), edi.profile())
    assert [event["data"]["location"] for event in edi.events(items)] == ["YRK", "LDS"]


def test_balances_are_of_the_warehouse_that_follows_them() -> None:
    items = read(READINGS["a total and its parts by warehouse"].text.encode(), edi.profile())
    assert [event["data"]["location"] for event in edi.events(items)] == ["LDS", "YRK"]


def test_a_message_is_in_the_characters_that_its_interchange_names() -> None:
    text = edifact("DESADV", f"{DESPATCH}LIN+1++ŁÓDŹ-1:IN'QTY+12:6'").replace("UNOC", "UNOD")
    for encoding in ("iso8859-2", "utf-8"):
        items = read(text.encode(encoding), edi.profile())
        assert [event["data"]["sku"] for event in edi.events(items)] == ["ŁÓDŹ-1"]


ORDERED = edifact("DESADV", f"{DESPATCH}LIN+1++A:IN'QTY+12:6'")
SHIPPED = x12("856", f"{NOTICE}HL*2*1*I~LIN*1*BP*A~SN1**6*EA~")


@pytest.mark.parametrize(
    "text",
    [
        SHIPPED.replace("~", "~\r\n"), SHIPPED.replace("~", "\n"), SHIPPED.replace("~", "\r\n"),
        SHIPPED.replace("*", "|").replace("~", "^"), "\ufeff" + SHIPPED, SHIPPED + "\x00" * 500,
        SHIPPED.replace("           ", ""), SHIPPED.replace("THEM           ", "THEM                "),
        SHIPPED.replace("BP*A~", "BP*A    ~"), SHIPPED.lower().replace("isa*", "ISA*", 1).upper(),
        ORDERED, ORDERED.replace("'", "'\r\n"), "UNA:+,? '\r\n" + ORDERED.replace("12:6'", "12:6,0'"),
        "\n".join(ORDERED[at : at + 80] for at in range(0, len(ORDERED), 80)),
        "UNA^|.\\ ~" + ORDERED.replace(":", "^").replace("+", "|").replace("'", "~"),
    ],
)  # fmt: skip
def test_however_it_is_written_it_says_the_same(text: str) -> None:
    items = read(text.encode(), edi.profile())
    assert [edi.row(event)[:6] for event in edi.events(items)] == [shipped("1", "A", "6")]
    assert not edi.problems(items)

"""Each kind of message, line by line: what of it counts, what is summed, what is refused and in which words."""

from __future__ import annotations

import pytest

from connectors.edi import read
from connectors.edi.profile import Role
from tests.unit import edi_documents as edi


def x12(code: str, body: str) -> str:
    """A transaction of X12 in its envelopes."""
    count = body.count("~") + 2
    return (
        "ISA*00*          *00*          *ZZ*THEM           *ZZ*US             *260302*0910*U*00401*000000071*0*P*>~"
        f"GS*XX*THEM*US*20260302*0910*71*X*004010~ST*{code}*0001~{body}SE*{count}*0001~GE*1*71~IEA*1*000000071~"
    )


def edifact(code: str, body: str) -> str:
    """A message of EDIFACT in its envelopes."""
    count = body.count("'") + 2
    return f"UNB+UNOC:3+THEM:14+US:14+260302:0910+71'UNH+1+{code}:D:96A:UN:EAN008'{body}UNT+{count}+1'UNZ+1+71'"


CASES: dict[str, tuple[Role, str, list[list[str]], str]] = {
    "an order that is rejected as a whole": (
        "buyer", x12("855", "BAK*00*RD*PO1*20260301~PO1*1*5*EA***BP*A~"),
        [["order.acknowledged", "PO1", "1", "A", "rejected:5@", ""]], "",
    ),
    "a line in two parts": (
        "buyer",
        x12("855", "BAK*00*AC*PO1*20260301~PO1*1*10*EA***BP*A~ACK*IQ*6*EA*067*20260305~ACK*IB*4*EA*067*20260401~"),
        [["order.acknowledged", "PO1", "1", "A", "changed:6@2026-03-05 backordered:4@2026-04-01", ""]], "",
    ),
    "a line that is told twice": (
        "buyer", x12("855", "BAK*00*AC*PO1*20260301~PO1*1*6*EA***BP*A~PO1*1*4*EA***BP*A~"),
        [["order.acknowledged", "PO1", "1", "A", "accepted:6@ accepted:4@", ""]], "",
    ),
    "a change of an order that a supplier deletes a line of": (
        "buyer", x12("865", "BCA*00*AC*PO1***20260301~POC*1*DI*5*0*EA*9**BP*A~"),
        [["order.acknowledged", "PO1", "1", "A", "rejected:5@", ""]], "",
    ),
    "packs below an item, and an item in two places": (
        "buyer",
        x12("856", "BSN*00*S1*20260301*1200~HL*1**S~HL*2*1*O~PRF*PO1~HL*3*2*I~LIN*1*UP*12~SN1**5*CA~HL*4*3*P~SN1**5*CA~"
                   "HL*5*2*T~HL*6*5*I~LIN*1*UP*12~SN1**2*CA~"),
        [["shipment.notified", "S1", "1", "12", "7", "CA"]], "",
    ),
    "an item in two units": (
        "buyer",
        x12("856", "BSN*00*S1*20260301~HL*1**S~PRF*PO1~HL*2*1*I~LIN*1*UP*12~SN1**5*CA~HL*3*1*I~LIN*1*UP*12~SN1**1*EA~"),
        [], "two units in one line: CA, the base unit",
    ),
    "a level that is above itself": (
        "buyer", x12("856", "BSN*00*S1*20260301~HL*1*1*I~PRF*PO1~LIN*1*UP*12~SN1**5*EA~"),
        [["shipment.notified", "S1", "1", "12", "5", ""]], "",
    ),
    "a notice without the order": (
        "buyer", x12("856", "BSN*00*S1*20260301~HL*1**I~LIN*1*UP*12~SN1**5*EA~"), [], "the number of the order",
    ),
    "a cancellation without lines": (
        "buyer", x12("856", "BSN*01*S1*20260301~"), [], "changed or cancelled without its lines",
    ),
    "conditions of what was received": (
        "buyer",
        x12("861", "BRA*R1*20260301*00*1~REF*PO*PO1~RCD*1*10*EA***2*EA*01*3*EA*02*1*EA*08~LIN*1*BP*A~"),
        [["goods.received", "R1", "1", "A", "10 held:1 damaged:2", ""]], "",
    ),
    "a receipt that is taken back": (
        "buyer", x12("861", "BRA*R1*20260301*01*1~RCD*1*10*EA~LIN*1*BP*A~"),
        [["receipt.reversed", "R1", "", "A", "10", ""]], "",
    ),
    "a receipt that is replaced": (
        "buyer", x12("861", "BRA*R1*20260301*05*1~RCD*1*10*EA~LIN*1*BP*A~"), [],
        "ask for a cancellation and an original",
    ),
    "a balance by lots, with what is held and ordered": (
        "buyer",
        x12("846", "BIA*00*SI*X*20260301*2300~LIN**BP*A~QTY*17*100*EA~QTY*QH*3*EA~QTY*63*40*EA~LIN**BP*A~QTY*17*5*EA~"),
        [["balance.reported", "", "", "A", "105/3/40", ""]], "",
    ),
    "a balance that is told by two codes": (
        "buyer", x12("846", "BIA*00*SI*X*20260301~LIN**BP*B~QTY*01*50*EA~QTY*17*50*EA~QTY*20*3*EA~QTY*QH*2*EA~"),
        [["balance.reported", "", "", "B", "50/5", ""]], "",
    ),
    "two balances of one item": (
        "buyer", x12("846", "BIA*00*SI*X*20260301~LIN**BP*B~QTY*01*50*EA~QTY*17*48*EA~"), [],
        "two quantities that mean on_hand: 01 50 and 17 48; in `codes.stock`",
    ),
    "a lot of a balance that cannot be read": (
        "buyer", x12("846", "BIA*00*SI*X*20260301~LIN*1*BP*A~QTY*17*5~LIN*2*BP*A~QTY*17*?~LIN*3*BP*B~QTY*17*7~"),
        [["balance.reported", "", "", "B", "7", ""]], ": LIN: it waits for segment 7, a line of the same item",
    ),
    "a part of what was shipped that cannot be read": (
        "buyer", x12("945", "W06*F*SO1*20260301*B1~LX*1~W12*CC*4*4.5**EA**BP*A~LX*2~W12*CC*6*6**EA**BP*A~"), [],
        "it waits for segment 6",
    ),
    "an acknowledged quantity without its unit": (
        "buyer", x12("855", "BAK*00*AC*PO1*20260301~PO1*1*10*CA***BP*A~ACK*IA*10**067*20260305~"),
        [["order.acknowledged", "PO1", "1", "A", "accepted:10@2026-03-05", "CA"]], "",
    ),
    "a line that is shipped in two units": (
        "buyer", edifact("DESADV", "BGM+351+S1+9'RFF+ON:PO1'LIN+1++12:EN'QTY+12:2:CA'QTY+12:6:PCE'"), [],
        "two units in one line: CA, the base unit",
    ),
    "a balance of an unknown kind": (
        "buyer", x12("846", "BIA*00*SI*X*20260301~LIN**BP*B~QTY*29*5*EA~"), [], "say in `codes.stock` of the profile",
    ),
    "sales and returns": (
        "buyer", x12("867", "BPT*00*D1*20260301*SS~PTD*SS~QTY*32*5*EA~LIN**VP*A~QTY*76*2*EA~LIN**VP*B~"),
        [["stock.issued", "", "", "A", "5", ""], ["stock.returned", "", "", "B", "2", ""]], "",
    ),
    "a customer's order by its schedule": (
        "seller",
        x12("850", "BEG*00*SA*PO1*7*20260301~PO1*1**EA***VP*A~SCH*4*EA***002*20260310~SCH*6*EA***002*20260320~"),
        [["stock.reserved", "PO1/7/1", "", "A", "10", ""]], "",
    ),
    "a customer's order that is cancelled": (
        "seller", x12("850", "BEG*01*SA*PO1**20260301~PO1*1*10*EA***VP*A~"),
        [["reservation.released", "PO1/1", "", "A", "all", ""]], "",
    ),
    "changes of a customer's order": (
        "seller",
        x12("860", "BCH*04*SA*PO1**2*20260301~POC*1*QI*15*5*EA*9**VP*A~POC*2*DI*10**EA***VP*B~POC*3*PC*****9*VP*C~"),
        [["stock.reserved", "PO1/1", "", "A", "15", ""], ["reservation.released", "PO1/2", "", "B", "all", ""]], "",
    ),
    "what a warehouse is to ship": (
        "seller", x12("940", "W05*N*SO1*PO1~LX*1~W01*5*CA**VN*A~LX*2~W01*7*EA*00123456789012~W76*12~"),
        [["stock.reserved", "SO1/1", "", "A", "5", "CA"],
         ["stock.reserved", "SO1/2", "", "00123456789012", "7", ""]], "",
    ),
    "a schedule that says only what changes": (
        "seller", x12("830", "BFR*04*F1**DL*A*20260301*20260401*20260301~LIN**VP*A~FST*1*C*D*20260301~"), [],
        "ask for a whole schedule",
    ),
    "parts of a line, each with its date": (
        "buyer",
        edifact("ORDRSP", "BGM+231+R1+29'RFF+ON:PO1'LIN+1+3+12:EN'DTM+67:20260310:102'QTY+21:10'QTY+83:4'"
                          "DTM+67:20260401:102'LIN+2+5+13:EN'QTY+113:6'DTM+67:20260310:102'QTY+113:4'DTM+67:202614:616'UNS+S'"),
        [["order.acknowledged", "PO1", "1", "12", "changed:6@2026-03-10 backordered:4@2026-04-01", ""],
         ["order.acknowledged", "PO1", "2", "13", "accepted:6@2026-03-10 accepted:4@2026-03-30", ""]], "",
    ),
    "a notice that is changed": (
        "buyer",
        edifact("DESADV", "BGM+351+S1+5'RFF+ON:PO1'CPS+1'LIN+1++12:EN'QTY+12:5:PCE'CPS+2+1'LIN+1++12:EN'QTY+12:2'"),
        [["shipment.changed", "S1", "1", "12", "7", ""]], "",
    ),
    "what was accepted of what was received": (
        "buyer", edifact("RECADV", "BGM+632+R1+9'DTM+137:20260301:102'LIN+1++12:EN'QTY+48:10'QTY+194:7'QTY+196:3'"),
        [["goods.received", "R1", "", "12", "7 damaged:3", ""]], "",
    ),
    "weeks and months of a schedule": (
        "seller",
        edifact("DELFOR", "BGM+241+F1+9'LIN+1++12:SA'SCC+4++W'QTY+113:70'DTM+64:20260309:102'DTM+63:20260315:102'"
                          "SCC+4++M'QTY+113:31'DTM+2:202604:610'QTY+70:500'UNS+S'"),
        [["forecast.revised", "F1", "", "12", "70@2026-03-09+7 31@2026-04-01+30", ""]], "",
    ),
    "a message of ours that a partner rejects": (
        "buyer", edifact("CONTRL", "UCI+5+US+THEM+7'UCM+1+ORDERS:D:96A:UN+4+12'"), [],
        "the partner rejected what we sent: ORDERS 1 of the group 5",
    ),
    "less is sent than was ordered": (
        "buyer", edifact("ORDRSP", "BGM+231+R1+4'RFF+ON:PO1'LIN+1+3+12:EN'QTY+21:70'QTY+12:55'LIN+2++13:EN'QTY+12:8'"),
        [["order.acknowledged", "PO1", "1", "12", "changed:55@", ""],
         ["order.acknowledged", "PO1", "2", "13", "accepted:8@", ""]], "",
    ),
    "a part of a line that is cancelled, and one that is rejected": (
        "buyer",
        edifact("ORDRSP", "BGM+231+R1+29'RFF+ON:PO1'LIN+1+5+12:EN'QTY+12:4'QTY+185:2'LIN+2+10+13:EN'QTY+182:9'"),
        [["order.acknowledged", "PO1", "1", "12", "accepted:4@ rejected:2@", ""],
         ["order.acknowledged", "PO1", "2", "13", "rejected:9@", ""]], "",
    ),
    "nothing of a line now, and all of it later": (
        "buyer",
        edifact("ORDRSP", "BGM+231+R1+29'RFF+ON:PO1'LIN+1+5+12:EN'QTY+21:6'QTY+113:0'QTY+83:6'DTM+67:260401:101'"),
        [["order.acknowledged", "PO1", "1", "12", "backordered:6@2026-04-01", ""]], "",
    ),
    "an answer for several shops": (
        "buyer", edifact("ORDRSP", "BGM+231+R1+29'RFF+ON:PO1'LIN+1+5+12:EN'LOC+7+S1::92'QTY+11:3'DTM+2:20260310:102'"
                                   "LOC+7+S2::92'QTY+11:4'DTM+2:20260317:102'"),
        [["order.acknowledged", "PO1", "1", "12", "accepted:3@2026-03-10 accepted:4@2026-03-17", ""]], "",
    ),
    "a date that is only confirmed": (
        "buyer", edifact("ORDRSP", "BGM+231+R1'RFF+ON:PO1'LIN+10++X:SA'PIA+1+12:BP'QTY+12:2'DTM+55:20260522:102'"
                                   "RFF+ON:PO1:000010'"),
        [["order.acknowledged", "PO1", "10", "12", "accepted:2@2026-05-22", ""]], "",
    ),
    "a notice of two orders, and a line that says of which it is": (
        "buyer", edifact("DESADV", "BGM+351+S1+9'RFF+ON:PO1'RFF+ON:PO2'LIN+1++12:EN'QTY+12:5'"
                                   "LIN+2++13:EN'QTY+12:6'RFF+ON:PO2:30'"),
        [["shipment.notified", "S1", "30", "13", "6", ""]],
        "the line is of one of the orders PO1, PO2: its own RFF+ON has to say of which",
    ),
    "pieces that were delivered": (
        "buyer", edifact("RECADV", "BGM+632+R1+9'RFF+ON:PO1'LIN+4++12:EN'QTY+12:20'QTY+46:18'QTY+124:3'"),
        [["goods.received", "R1", "4", "12", "15 damaged:3", ""]], "",
    ),
    "stock that cannot be sold, and quantities that are no stock": (
        "buyer", edifact("INVRPT", "BGM+35+I1+9'LIN+1++12:EN'QTY+17:80'QTY+89:5'QTY+124:2'QTY+33:500'QTY+74:900'"
                                   "LIN+2++13:EN'QTY+26:9'"),
        [["balance.reported", "", "", "12", "80/7", ""]], "no quantity on hand: the kinds are 26",
    ),
    "how long the buckets of a schedule are": (
        "seller", edifact("DELFOR", "BGM+241+F1+5'DTM+137:20260302:102'LIN+1++12:SA'SCC+10'QTY+113:7'SCC+1++F'"
                                    "QTY+113:30'DTM+2:20260309:102'SCC+4++D'QTY+113:70'DTM+2:2026031620260325:718'"
                                    "QTY+113:90'DTM+2:202614:616'SCC+4++T'QTY+131:280'DTM+2:20260406:102'UNS+S'"),
        [["forecast.revised", "F1", "", "12",
          "7@2026-03-02+1 30@2026-03-09+1 70@2026-03-16+10 90@2026-03-30+7 280@2026-04-06+28", ""]], "",
    ),
    "a schedule of cumulative quantities": (
        "seller", edifact("DELFOR", "BGM+241+F1+5'LIN+1++12:SA'QTY+70:500'SCC+1++W'QTY+3:700'DTM+2:20260309:102'"), [],
        "the schedule has cumulative quantities only: ask for discrete ones (QTY 113)",
    ),
    "a schedule of unknown frequency": (
        "seller", edifact("DELFOR", "BGM+241+F1+5'LIN+1++12:SA'SCC+4++ZZZ'QTY+113:7'DTM+2:20260309:102'"), [],
        "the timing 'ZZZ' from 2026-03-09 on has no last day: say in `codes.bucket_days`",
    ),
    "a group of ours that a partner rejects": (
        "buyer", edifact("CONTRL", "UCI+5+US+THEM+7'UCF+31+US+THEM+4+12'"), [],
        "the partner rejected what we sent: 5/31",
    ),
    "a message of the other side": ("buyer", x12("850", "BEG*00*SA*PO1**20260301~PO1*1*1*EA***VP*A~"), [], ""),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_messages(case: str) -> None:
    we_are, text, expected, words = CASES[case]
    items = read(text.encode(), edi.profile(we_are))
    assert [edi.row(event)[:6] for event in edi.events(items)] == expected
    problems = edi.problems(items)
    assert any(words in problem for problem in problems) if words else not problems
    assert not [item.skipped for item in items if item.skipped and item.skipped.startswith("noted")]


@pytest.mark.parametrize(
    ("code", "body", "words"),
    [
        ("DESADV", "BGM+351+S1+9'RFF+ON:PO1'LIN+1++12:EN'QTY+12:5'QTY+192:1'", "free goods, which are not added"),
        ("DESADV", "BGM+351+S1+9'DTM+17:SOON:102'RFF+ON:PO1'LIN+1++12:EN'QTY+12:5'", "a date that cannot be read"),
    ],
)
def test_what_is_passed_over_is_noted_once(code: str, body: str, words: str) -> None:
    items = read(edifact(code, body).encode(), edi.profile("buyer"))
    assert [event["data"]["qty"] for event in edi.events(items)] == [5]
    assert [words in item.skipped for item in items if item.skipped] == [True]

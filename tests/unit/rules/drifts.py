"""Drift of balances with its causes, and drift of lead times."""

from __future__ import annotations

from typing import Any

from agents.drift_causes import SCORES
from engine.core.rules import Rules
from tests.unit.rules.given import item, line, min_max, plan, report, stock
from tests.unit.rules.orders import notified, placed, received
from tests.unit.rules.rule import AnyRule, Rule, Said, alert, given, then
from tests.unit.rules.world import AT, Happening, day, days, event, hours, minutes, tick

START = stock(available=100, on_order=0)


def reported(on_hand: int, at: int | None = None, **data: Any) -> Happening:
    return event("balance.reported", at, data.pop("id", None), on_hand=on_hand, **data)


def issued(qty: int, at: int) -> Happening:
    return event("stock.issued", at, qty=qty)


def cause(kind: str, explains: int, score: int, *events: str) -> dict[str, object]:
    return {"cause": kind, "events": list(events), "explains": explains, "score": score}


def drift(what: str, difference: int, *causes: dict[str, object], **fields: Any) -> Said:
    said = {"causes": list(causes)} if causes else {}
    return alert(what, "balance_drift", difference=difference, **said, **fields)


UNKNOWN = cause("unknown", 7, 0)
NEW = 8
"""What a movement since the last report scores more."""

REPORTS = [
    Rule(
        "a report that agrees says nothing",
        given(START),
        reported(100),
        then(report(difference=0, at=AT, ref="test/1")),
    ),
    Rule(
        "a report that differs by what no movement explains is told, with no cause",
        given(START),
        reported(107),
        then(
            report(difference=7, on_hand=107),
            drift(
                "opened",
                7,
                UNKNOWN,
                severity="warning",
                as_of="2026-03-10T12:00:00Z",
                reported=107,
                kept=100,
                report="test/1",
                held=None,
                on_order=None,
            ),
        ),
    ),
    Rule(
        "a report compares what is on hand, the held part included",
        given(stock(available=90, held=10)),
        reported(100),
        then(report(difference=0, available=90, held=10)),
    ),
    Rule(
        "a report is compared as of its own moment",
        given(START, issued(10, -hours(2)), issued(5, -hours(1))),
        reported(90, -hours(1.5)),
        then(report(difference=0, available=90)),
    ),
    Rule(
        "a movement at the moment of the report is in it",
        given(START, issued(10, -hours(2))),
        reported(90, -hours(2)),
        then(report(difference=0)),
    ),
    Rule(
        "a movement just after the moment of the report is not in it",
        given(START, issued(10, -hours(2))),
        reported(100, -hours(2) - 1),
        then(report(difference=0)),
    ),
    Rule(
        "an older report changes nothing",
        given(START, reported(100)),
        reported(150, -1),
        then(),
    ),
    Rule(
        "of two reports of one moment the digest of their event decides",
        given(START, reported(100, 0, id="a")),
        reported(150, 0, id="b"),
        then(),
    ),
    Rule(
        "a report from before all that is kept is not compared, and says so",
        given(START),
        reported(150, -days(3) - 1),
        then(
            alert(
                "opened",
                "late_count",
                reported_at="2026-03-07T11:59:59.999999Z",
                kept_since="2026-03-07T12:00:00Z",
                events=["test/1"],
            )
        ),
    ),
    Rule(
        "a report as of just that moment is compared",
        given(START),
        reported(107, -days(3)),
        then(report(), drift("opened", 7, UNKNOWN)),
    ),
    Rule(
        "a movement that comes late is compared with the report again",
        given(
            START,
            reported(93),
        ),
        issued(7, -hours(1)),
        then(stock(available=93), report(difference=0, available=93), drift("resolved", -7)),
    ),
    Rule(
        "a movement after the report leaves the comparison alone",
        given(START, reported(93)),
        issued(7, 1),
        then(stock(available=93)),
    ),
    Rule(
        "a count that comes late states what is compared with the report",
        given(START, reported(93)),
        event("stock.counted", -hours(1), qty=93),
        then(stock(available=93), report(difference=0), drift("resolved", -7)),
    ),
    Rule(
        "a held count that comes late does so for held stock",
        given(stock(available=90, held=10), reported(93)),
        event("stock.counted", -hours(1), qty=3, status="held"),
        then(stock(held=3), report(difference=0, held=3), drift("resolved", -7)),
    ),
    Rule(
        "a report that agrees again ends the drift",
        given(START, reported(93)),
        reported(100, 1),
        then(report(difference=0, causes=[]), drift("resolved", -7)),
    ),
    Rule(
        "a difference within the tolerance is none",
        given(START),
        reported(107),
        then(report(difference=7)),
        Rules(clock="log", balance_tolerance=7),
    ),
    Rule(
        "a difference just beyond it is one, also below",
        given(START),
        reported(92),
        then(report(difference=-8), drift("opened", -8)),
        Rules(clock="log", balance_tolerance=7),
    ),
    Rule(
        "held stock that differs is told beside a sum that agrees",
        given(stock(available=90, held=10)),
        reported(100, held=4),
        then(report(difference=0), drift("opened", 0, held={"reported": 4, "kept": 10, "difference": -6})),
    ),
    Rule(
        "held stock that agrees says nothing",
        given(stock(available=90, held=10)),
        reported(100, held=10),
        then(report()),
    ),
    Rule(
        "what is on order and differs is told",
        given(START, placed(50)),
        reported(100, on_order=44),
        then(report(), drift("opened", 0, on_order={"reported": 44, "kept": 50, "difference": -6})),
    ),
    Rule(
        "what is on order and agrees says nothing", given(START, placed(50)), reported(100, on_order=50), then(report())
    ),
    Rule(
        "goods in transit may count as on order",
        given(START, placed(50), notified("A", 20, day(3))),
        reported(100, on_order=50),
        then(report()),
    ),
    Rule(
        "or not",
        given(START, placed(50), notified("A", 20, day(3))),
        reported(100, on_order=30),
        then(report()),
    ),
    Rule(
        "what is on order is not compared with a report from before it last changed",
        given(START, placed(50)),
        reported(100, -1, on_order=44),
        then(report()),
    ),
    Rule(
        "all that is in transit may be booked by the ERP already",
        given(START, placed(50), notified("A", 12, day(3)), notified("B", 8, day(3))),
        reported(120),
        then(report(difference=20, causes=[])),
    ),
    Rule(
        "one shipment may be booked already",
        given(START, placed(50), notified("A", 12, day(3)), notified("B", 8, day(3))),
        reported(108),
        then(report(difference=8)),
    ),
    Rule(
        "a part of a shipment is not booked alone",
        given(START, placed(50), notified("A", 12, day(3)), notified("B", 8, day(3))),
        reported(107),
        then(report(), drift("opened", 7, UNKNOWN)),
    ),
    Rule(
        "goods in transit explain no difference of held stock",
        given(stock(available=100, held=5), placed(50), notified("A", 12, day(3))),
        reported(117, held=17),
        then(report(), drift("opened", 12)),
    ),
    Rule(
        "a count that covers more than the moment of a report is no part of what is compared",
        given(START, event("stock.counted", qty=50), issued(5, hours(1))),
        reported(100, -hours(1)),
        then(report(difference=0, available=100)),
    ),
    Rule(
        "a second report goes on from the first",
        given(START, issued(10, -hours(8)), reported(90, -hours(7)), issued(5, -hours(6)), issued(1, -hours(1))),
        reported(85, -hours(2)),
        then(report(difference=0, available=85)),
    ),
    Rule(
        "a count between two reports is in the second",
        given(
            START,
            reported(100, -hours(7)),
            event("stock.counted", -hours(6), qty=70),
            event("stock.counted", -hours(6), qty=4, status="held"),
            issued(1, -hours(1)),
        ),
        reported(74, -hours(2)),
        then(report(difference=0, available=70, held=4)),
    ),
]


def explained(
    name: str, before: tuple[Any, ...], on_hand: int, *causes: dict[str, object], at: int | None = None
) -> Rule:
    difference = causes[0]["explains"]
    assert isinstance(difference, int)
    return Rule(
        name, given(START, *before), reported(on_hand, at), then(report(), drift("opened", difference, *causes))
    )


CASES = item(units={"case": 12, "each": 1})

CAUSES = [
    explained(
        "a movement that the ERP has not posted",
        (issued(10, -hours(2)),),
        100,
        cause("not_posted", 10, SCORES["not_posted"] + NEW, "test/1"),
    ),
    explained(
        "a movement that the ERP has posted twice",
        (CASES, issued(10, -hours(2))),
        80,
        cause("posted_twice", -10, SCORES["posted_twice"] + NEW, "test/1"),
    ),
    explained(
        "a movement that the ERP has posted with the other sign",
        (CASES, issued(10, -hours(2))),
        110,
        cause("flipped_sign", 20, SCORES["flipped_sign"] + NEW, "test/1"),
    ),
    explained(
        "a movement that the ERP has taken for cases",
        (CASES, issued(5, -hours(2))),
        40,
        cause("unit_factor", -55, SCORES["unit_factor"] + NEW, "test/1"),
    ),
    explained(
        "a movement of whole cases that the ERP has taken for pieces",
        (CASES, issued(24, -hours(2))),
        98,
        cause("unit_factor", 22, SCORES["unit_factor"] + NEW, "test/1"),
    ),
    explained(
        "a common factor, where the item declares none, is less likely",
        (issued(7, -hours(2)),),
        58,
        cause("unit_factor", -35, SCORES["unit_factor"] - 25 + NEW, "test/1"),
    ),
    explained(
        "a whole balance in cases",
        (CASES, event("stock.adjusted", -hours(2), qty=20, reason="x")),
        10,
        cause("unit_factor", -110, SCORES["unit_factor"] + NEW),
    ),
    explained(
        "a whole balance in pieces",
        (CASES,),
        1200,
        cause("unit_factor", 1100, SCORES["unit_factor"] + NEW),
    ),
    explained(
        "a leg of a transfer that the ERP has left out",
        (event("transfer.shipped", -hours(2), transfer="T", origin="L", to="M", qty=10),),
        100,
        cause("transfer_leg", 10, SCORES["transfer_leg"] + NEW, "test/1"),
    ),
    explained(
        "the last movement before the moment of the report, which the ERP has put after it",
        (issued(10, -minutes(15)),),
        100,
        cause("cut_off", 10, SCORES["cut_off"] + NEW, "test/1"),
        at=0,
    ),
    explained(
        "a movement just before that is no matter of the cut-off",
        (issued(10, -minutes(15) - 1),),
        100,
        cause("not_posted", 10, SCORES["not_posted"] + NEW, "test/1"),
        at=0,
    ),
    explained(
        "the first movement after the moment, which the ERP has put before it",
        (issued(10, minutes(15)),),
        90,
        cause("cut_off", -10, SCORES["cut_off"] + NEW, "test/1"),
        at=0,
    ),
    explained(
        "a movement just after that is no matter of the cut-off either",
        (issued(10, minutes(15) + 1),),
        90,
        cause("unknown", -10, 0),
        at=0,
    ),
    explained(
        "the last two movements before the moment",
        (issued(3, -minutes(9)), issued(4, -minutes(8))),
        100,
        cause("cut_off", 7, SCORES["cut_off"] - 10 + NEW, "test/2", "test/1"),
        at=0,
    ),
    explained(
        "the first two after it",
        (issued(3, minutes(8)), issued(4, minutes(9))),
        93,
        cause("cut_off", -7, SCORES["cut_off"] - 10 + NEW, "test/1", "test/2"),
        at=0,
    ),
    explained(
        "two movements that the ERP has not posted",
        (issued(3, -hours(9)), issued(40, -hours(8)), issued(4, -hours(7))),
        60,
        cause("not_posted", 7, 40 + NEW, "test/1", "test/3"),
    ),
    explained(
        "a movement from before the last report is less likely",
        (issued(10, -hours(4)), reported(90, -hours(3)), issued(10, -hours(2))),
        90,
        cause("not_posted", 10, SCORES["not_posted"] + NEW, "test/3"),
        cause("not_posted", 10, SCORES["not_posted"], "test/1"),
    ),
    explained(
        "of two movements as likely the later one comes first",
        (issued(10, -hours(4)), issued(10, -hours(2))),
        90,
        cause("not_posted", 10, SCORES["not_posted"] + NEW, "test/2"),
        cause("not_posted", 10, SCORES["not_posted"] + NEW, "test/1"),
    ),
    explained(
        "at most five causes are told",
        tuple(issued(10, -hours(9 - number)) for number in range(7)),
        40,
        *(cause("not_posted", 10, SCORES["not_posted"] + NEW, f"test/{number}") for number in (7, 6, 5, 4, 3)),
    ),
    explained(
        "only the last 32 movements are looked at",
        (issued(9, -hours(9)), *(issued(1, -hours(8) + number) for number in range(32))),
        68,
        cause("unknown", 9, 0),
    ),
    explained(
        "the one before the last 31 is",
        (issued(9, -hours(9)), *(issued(1, -hours(8) + number) for number in range(31))),
        69,
        cause("not_posted", 9, SCORES["not_posted"] + NEW, "test/1"),
    ),
    explained(
        "a count is no movement",
        (event("stock.counted", -hours(3), qty=10), issued(1, -hours(2))),
        19,
        cause("unknown", 10, 0),
    ),
    explained(
        "a movement from available to held changes nothing on hand",
        (event("stock.held", -hours(3), qty=10),),
        110,
        cause("unknown", 10, 0),
    ),
    Rule(
        "a cause that an open alert names is not looked for again",
        given(START, issued(10, -hours(2)), reported(100)),
        reported(100, 1),
        then(
            report(causes=[cause("not_posted", 10, 92, "test/1")]),
            drift("updated", 10, cause("not_posted", 10, 92, "test/1")),
        ),
    ),
    Rule(
        "a difference that grows has another cause before the first",
        given(START, issued(10, -hours(2)), reported(100, 0), issued(3, hours(1))),
        reported(100, hours(2)),
        then(
            report(difference=13),
            drift("updated", 13, cause("not_posted", 3, 92, "test/3"), cause("not_posted", 10, 92, "test/1")),
        ),
    ),
    Rule(
        "where nothing explains the rest the first cause stays the first",
        given(START, issued(10, -hours(2)), reported(100, 0)),
        reported(107, hours(2)),
        then(report(), drift("updated", 17, cause("not_posted", 10, 92, "test/1"), UNKNOWN)),
    ),
    Rule(
        "a movement that comes late and lets the difference shrink needs no other cause",
        given(START, issued(10, -hours(2)), reported(103)),
        event("stock.adjusted", -hours(3), qty=5, reason="x"),
        then(stock(available=95), report(difference=8), drift("updated", 8, cause("unknown", 13, 0))),
    ),
    Rule(
        "one that turns the difference round does",
        given(START, issued(10, -hours(2)), reported(93)),
        event("stock.adjusted", -hours(3), qty=5, reason="x"),
        then(
            stock(available=95),
            report(difference=-2),
            drift("updated", -2, cause("not_posted", -5, 92, "test/3"), cause("unknown", 3, 0)),
        ),
    ),
]

# lead times -----------------------------------------------------------------------------------------------------------


def with_lead_times(took: tuple[int, ...], expected: float = 7, **data: Any) -> Any:
    samples = [(AT - days(9) + number, f"x\0{number}", one) for number, one in enumerate(took)]
    return plan(**{**min_max(0, 0, lead_time_days=expected, **data).named, "completed": samples})


def policy_of(expected: float, at: int | None = None) -> Happening:
    return event(
        "policy.set", at, policy={"kind": "min_max", "min": 0, "max": 0}, lead_time_days=expected, supplier="ACME"
    )


def watched(name: str, took: tuple[int, ...], expected: float, *effects: Any) -> Rule:
    return Rule(name, given(START, with_lead_times(took, 99)), policy_of(expected), then(plan(), stock(), *effects))


def off(what: str, **fields: Any) -> Said:
    return alert(what, "lead_time_drift", **fields)


LEAD_TIMES = [
    watched("lead times as the policy says are no drift", (7, 7, 7, 7, 7), 7),
    watched("two days more are none yet", (9, 9, 9, 9, 9), 7),
    Rule(
        "lead times beyond two days are",
        given(START, plan(completed=[(AT - number, f"x\0{number}", 9 + (number == 0)) for number in range(5)][::-1])),
        policy_of(7),
        then(
            plan(),
            stock(),
            off(
                "opened",
                severity="warning",
                policy_days="7",
                observed_days="9.2",
                deviation_days="0.4",
                samples=5,
                open_and_late=0,
                supplier="ACME",
            ),
        ),
    ),
    Rule(
        "a supplier that is early is off as well",
        given(START, plan(completed=[(AT - 9 + number, f"x\0{number}", 4) for number in range(5)])),
        policy_of(7),
        then(plan(), stock(), off("opened", observed_days="4.0")),
    ),
    Rule(
        "four lines are too few",
        given(START, plan(completed=[(AT - 9 + number, f"x\0{number}", 20) for number in range(4)])),
        policy_of(7),
        then(plan(), stock()),
    ),
    Rule(
        "a difference within two standard errors is none",
        given(
            START,
            plan(completed=[(AT - 9 + number, f"x\0{number}", took) for number, took in enumerate((1, 20, 3, 18, 12))]),
        ),
        policy_of(7),
        then(plan(), stock()),
    ),
    Rule(
        "a policy without a lead time cannot be off",
        given(START, plan(completed=[(AT - 9 + number, f"x\0{number}", 20) for number in range(5)])),
        event("policy.set", policy={"kind": "none"}),
        then(plan(), stock()),
    ),
    Rule(
        "a policy that follows ends the drift",
        given(START, plan(completed=[(AT - 9 + number, f"x\0{number}", 20) for number in range(5)]), policy_of(7)),
        policy_of(19, 1),
        then(plan(), stock(), off("resolved")),
    ),
    Rule(
        "a line that is complete teaches its lead time, from the first order to the last receipt",
        given(
            START,
            placed(10, at=-days(9)),
            placed(10, revision=1, at=-days(5)),
            received(4, at=-days(3)),
        ),
        received(6, at=-days(2)),
        then(
            stock(available=110, on_order=0),
            line(received=10),
            plan(completed=[(AT - days(2), "PO\0\x011", 7)]),
        ),
    ),
    Rule(
        "a day that is not whole does not count",
        given(
            START,
            placed(10, at=-days(9)),
        ),
        received(10, at=-days(2) - 1),
        then(stock(available=110, on_order=0), line(), plan(completed=[(AT - days(2) - 1, "PO\0\x011", 6)])),
    ),
    Rule(
        "a line that was received before it was ordered took no time",
        given(START, received(10, at=-days(2))),
        placed(10, at=-days(1)),
        then(stock(), line(), plan(completed=[(AT - days(2), "PO\0\x011", 0)])),
    ),
    Rule(
        "a line that opens again teaches nothing",
        given(START, placed(10, at=-days(9)), received(10, at=-days(2))),
        event("order.changed", order="PO", line=1, qty=20),
        then(stock(on_order=10), line(), plan(completed=[])),
    ),
    Rule(
        "the last 26 lines count",
        given(
            START,
            *(placed(10, number, -days(9)) for number in range(27)),
            *(received(10, number, -days(2) + number) for number in range(26)),
        ),
        received(10, 26, -days(1)),
        then(
            stock(available=370, on_order=0),
            line(number="26"),
            plan(
                completed=[
                    *((AT - days(2) + number, f"PO\0{chr(len(str(number)))}{number}", 7) for number in range(1, 26)),
                    (AT - days(1), "PO\0\x0226", 8),
                ]
            ),
        ),
    ),
    Rule(
        "where one of them opens again the one before them counts",
        given(
            START,
            *(placed(10, number, -days(9)) for number in range(27)),
            *(received(10, number, -days(2) + number) for number in range(27)),
        ),
        event("order.changed", order="PO", line=26, qty=20),
        then(
            stock(on_order=10),
            line(number="26"),
            plan(
                completed=[(AT - days(2) + number, f"PO\0{chr(len(str(number)))}{number}", 7) for number in range(26)]
            ),
        ),
    ),
    Rule(
        "a line that gets older among the last 26 gives way to the one before them",
        given(
            START,
            *(placed(10, number, -days(9)) for number in range(27)),
            *(received(10, number, -days(2) + number) for number in range(27)),
            event("order.changed", 0, order="PO", line=26, qty=20),
        ),
        received(10, 26, -days(3)),
        then(
            stock(available=380, on_order=0),
            line(number="26"),
            plan(
                completed=[
                    *((AT - days(2) + number, f"PO\0{chr(len(str(number)))}{number}", 7) for number in range(1, 26)),
                    (AT - days(2) + 26, "PO\0\x0226", 7),
                ]
            ),
        ),
    ),
    Rule(
        "open lines that are late count by their age",
        given(
            START,
            *(placed(10, number, -days(12), due=day(30)) for number in range(5)),
        ),
        policy_of(7),
        then(plan(), stock(wake_at=AT + hours(12)), off("opened", observed_days="11.0", samples=5, open_and_late=5)),
    ),
    Rule(
        "open lines that are not late do not count",
        given(START, *(placed(10, number, -days(8) + hours(0.5), due=day(30)) for number in range(5))),
        policy_of(7),
        then(plan(), stock(wake_at=AT + hours(12))),
    ),
    Rule(
        "open lines grow late with time, and their age is looked at every midnight",
        given(START, *(placed(10, number, -days(1), due=day(30)) for number in range(5)), policy_of(3)),
        tick(days(4) - hours(12)),
        then(stock(wake_at=AT + days(5) - hours(12))),
    ),
    Rule(
        "until they are a drift",
        given(START, *(placed(10, number, -days(1), due=day(30)) for number in range(5)), policy_of(3)),
        tick(days(6) - hours(12)),
        then(stock(wake_at=AT + days(6) + hours(12)), off("opened", observed_days="6.0", open_and_late=5)),
    ),
    Rule(
        "late and completed lines count together",
        given(
            START,
            placed(10, 1, -days(11), due=day(30)),
            placed(10, 2, -days(2), due=day(30)),
            plan(completed=[(AT - days(9) + number, f"x\0{number}", 9) for number in range(4)]),
        ),
        policy_of(7),
        then(plan(), stock(), off("opened", observed_days="9.2", samples=5, open_and_late=1)),
    ),
    Rule(
        "a late line that is received is a completed one",
        given(START, *(placed(10, number, -days(12), due=day(30)) for number in range(5)), policy_of(7)),
        received(10, 1, 0),
        then(stock(available=110, on_order=40), line(), plan(), off("updated", observed_days="11.2", open_and_late=4)),
    ),
]

TABLE: list[AnyRule] = [*REPORTS, *CAUSES, *LEAD_TIMES]

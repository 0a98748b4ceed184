"""Replenishment: triggers and quantities by policy, what speaks for a review, and the life of a signal."""

from __future__ import annotations

from typing import Any, get_args

from engine.core.outputs import SignalStatus
from tests.unit.rules.given import (
    Row,
    feed,
    line,
    min_max,
    plan,
    policy,
    reservation,
    signal_row,
    stock,
    unknown_stock,
)
from tests.unit.rules.orders import placed
from tests.unit.rules.rule import AnyRule, Rule, Said, alert, given, rejected, signal, then
from tests.unit.rules.world import AT, TODAY, Happening, day, days, event, hours, minutes, moment, tick

ISSUE = event("stock.issued", qty=10)


def low(available: int = 60, trigger: int = 50, **named: Any) -> Row:
    """A row whose mark says that its trigger lies at 50."""
    return stock(available=available, reorder_at=trigger, **named)


def policy_set(kind: str, levels: dict[str, Any] | None = None, at: int | None = None, **data: Any) -> Happening:
    return event("policy.set", at, data.pop("id", None), policy={"kind": kind, **(levels or {})}, **data)


def forecast(qty: int = 280, length: int = 28, start: int = 0, version: str = "v1", at: int | None = None) -> Happening:
    """A forecast of 10 units a day for four weeks, unless it says otherwise."""
    buckets = [{"start": day(start), "days": length, "qty": qty}]
    return event("forecast.revised", at, version=version, mode="replace", buckets=buckets)


LEVELS = {"min": 50, "max": 120}

TRIGGERS = [
    Rule(
        "a position at the trigger orders up to the target",
        given(low(), min_max(50, 120, supplier="ACME")),
        ISSUE,
        then(
            stock(available=50, signal_open=True),
            signal(
                "opened",
                sku="S",
                location="L",
                status="open",
                revision=1,
                disposition="auto",
                reasons=[],
                qty=70,
                due=day(7),
                supplier="ACME",
                opened=moment(0),
                updated=moment(0),
                by=None,
                order=None,
                note=None,
                sentence="Order 70 of S for L from ACME, needed by 2026-03-17: the position 50 (sellable 50 + on order "
                "0 + in transit 0) is at or below 50; up to 120 takes 70.",
                formula="position <= min; order max - position, at least moq, up to the next multiple, at most max_qty",
                terms={
                    "available": 50,
                    "reserved": 0,
                    "on order": 0,
                    "in transit": 0,
                    "position": 50,
                    "min": 50,
                    "max": 120,
                    "trigger s": 50,
                    "target S": 120,
                    "lead time L": "7",
                    "review R": "0",
                    "wanted": 70,
                    "quantity": 70,
                },
                binding=None,
                overshoots_target=False,
                known_at="2026-03-10T12:00:00Z",
                cause="test/1",
                events=["test/1"],
            ),
        ),
    ),
    Rule(
        "a position above the trigger orders nothing",
        given(low(), min_max(50, 120)),
        event("stock.issued", qty=9),
        then(stock(available=51, signal_open=False)),
    ),
    Rule(
        "what is reserved is no part of the position",
        given(low(), min_max(50, 120)),
        event("stock.reserved", reservation="R", qty=10),
        then(
            stock(reserved=10),
            reservation(counted=10),
            signal(
                "opened",
                qty=70,
                terms={
                    "available": 60,
                    "reserved": -10,
                    "on order": 0,
                    "in transit": 0,
                    "position": 50,
                    "min": 50,
                    "max": 120,
                    "trigger s": 50,
                    "target S": 120,
                    "lead time L": "7",
                    "review R": "0",
                    "wanted": 70,
                    "quantity": 70,
                },
            ),
        ),
    ),
    Rule(
        "what is on order and in transit is part of the position",
        given(low(20, on_order=15, in_transit=16), min_max(50, 120)),
        event("stock.issued", qty=1),
        then(stock(available=19), signal("opened", qty=70, overshoots_target=False)),
    ),
    Rule(
        "a minimum order quantity raises an order, and the signal says that it overshoots the target",
        given(low(), min_max(50, 60, moq=100, multiple=24)),
        event("stock.issued", qty=20),
        then(
            stock(available=40),
            signal(
                "opened",
                qty=120,
                binding="moq",
                overshoots_target=True,
                sentence="Order 120 of S for L, needed by 2026-03-17: the position 40 (sellable 40 + on order 0 "
                "+ in transit 0) is at or below 50; up to 60 takes 20, raised to the minimum order quantity 100: 120.",
                terms={
                    "available": 40,
                    "reserved": 0,
                    "on order": 0,
                    "in transit": 0,
                    "position": 40,
                    "min": 50,
                    "max": 60,
                    "trigger s": 50,
                    "target S": 60,
                    "lead time L": "7",
                    "review R": "0",
                    "wanted": 20,
                    "moq": 100,
                    "multiple": 24,
                    "quantity": 120,
                },
            ),
        ),
    ),
    Rule(
        "an order is rounded up to a multiple",
        given(low(), min_max(50, 120, multiple=12)),
        ISSUE,
        then(stock(available=50), signal("opened", qty=72, binding="multiple")),
    ),
    Rule(
        "an order is cut to the most that the policy allows",
        given(low(), min_max(50, 120, max_qty=30)),
        ISSUE,
        then(stock(available=50), signal("opened", qty=30, binding="max_qty", overshoots_target=False)),
    ),
    Rule(
        "an order that just reaches the target does not overshoot it",
        given(low(), min_max(50, 120, moq=70)),
        ISSUE,
        then(stock(available=50), signal("opened", qty=70, binding=None, overshoots_target=False)),
    ),
    Rule(
        "where the target is the trigger and the position there is nothing to order",
        given(low(), min_max(50, 50)),
        ISSUE,
        then(stock(available=50, signal_open=False)),
    ),
    Rule(
        "lots are ordered until the position is above the point",
        given(low(), policy("reorder_point", {"point": 50, "qty": 30})),
        event("stock.issued", qty=40),
        then(
            stock(available=20),
            signal(
                "opened",
                qty=60,
                overshoots_target=False,
                formula="position <= point; order the smallest number of lots that lifts the position above the point",
                sentence="Order 60 of S for L, needed by 2026-03-17: the position 20 (sellable 20 + on order 0 "
                "+ in transit 0) is at or below 50; in whole lots takes 60.",
                terms={
                    "available": 20,
                    "reserved": 0,
                    "on order": 0,
                    "in transit": 0,
                    "position": 20,
                    "reorder point": 50,
                    "lot": 30,
                    "trigger s": 50,
                    "lead time L": "7",
                    "review R": "0",
                    "wanted": 60,
                    "quantity": 60,
                },
            ),
        ),
    ),
    Rule(
        "a policy of none orders nothing",
        given(low(), policy("none")),
        ISSUE,
        then(stock(available=50, reorder_at=None)),
    ),
    Rule(
        "a policy that is set orders at once where the position is at the trigger",
        given(stock(available=50)),
        policy_set("min_max", LEVELS, lead_time_days=3.5, review_days=2),
        then(
            plan(),
            stock(reorder_at=50),
            signal("opened", qty=70, due=day(4), disposition="review", reasons=["no_auto_limits"]),
        ),
    ),
    Rule(
        "a policy of before the one that a row holds changes nothing",
        given(stock(available=60), min_max(50, 120)),
        policy_set("min_max", {"min": 70, "max": 120}, at=-days(31)),
        then(plan(**min_max(50, 120).named), stock(reorder_at=50)),
    ),
    Rule(
        "a policy that is older than the one in force changes nothing",
        given(stock(available=60), policy_set("min_max", LEVELS)),
        policy_set("min_max", {"min": 70, "max": 120}, at=-hours(1)),
        then(plan(), stock(reorder_at=50)),
    ),
    Rule(
        "of two policies of one moment the digest of their event decides",
        given(stock(available=60), policy_set("min_max", LEVELS, 0, id="a")),
        policy_set("min_max", {"min": 70, "max": 120}, at=0, id="b"),
        then(plan(), stock(reorder_at=50)),
    ),
    Rule(
        "a later policy takes the place of the one in force",
        given(stock(available=60), policy_set("min_max", LEVELS)),
        policy_set("min_max", {"min": 55, "max": 120}, at=1),
        then(plan(), stock(reorder_at=55)),
    ),
]


# forecast policies ----------------------------------------------------------------------------------------------------

FORTNIGHT: dict[str, Any] = {"lead_time_days": 7, "review_days": 7}
TWO_WEEKS = policy("forecast", safety_stock=20, **FORTNIGHT)
COMPUTED = policy("forecast", lead_time_std_days=2, service_level=0.95, **FORTNIGHT)
FIRST_LOOK = AT - hours(12) + minutes(123)
"""When the row looks ahead on day 0; rows look over three hours after midnight, each at a time of its own."""


def out_of_stock(  # noqa: PLR0913 - the fields of an alert
    what: str, offset: int, projected: int, lowest: int, sellable: int, ahead: int = 14
) -> Said:
    return alert(
        what, "projected_stockout", severity="critical", date=day(offset).isoformat(), projected=projected,
        lowest=lowest, sellable=sellable, days_ahead=ahead,
    )  # fmt: skip


def figures(**others: Any) -> dict[str, Any]:
    return {"available": 0, "reserved": 0, "on order": 0, "in transit": 0, "position": 0, **others}


FORECASTS = [
    Rule(
        "a forecast policy orders demand over lead time and review, plus safety stock, less the position",
        given(stock(available=90), TWO_WEEKS),
        forecast(),
        then(
            plan(buckets=1, closes_at=TODAY + 28),
            stock(reorder_at=160, recheck_below=None, forecast=True, wake_at=FIRST_LOOK + days(1)),
            signal(
                "opened",
                qty=70,
                due=day(9),
                overshoots_target=False,
                formula="position <= demand over lead time + safety stock; order demand over lead time and review + "
                "safety stock - position",
                terms=figures(
                    **{
                        "available": 90,
                        "position": 90,
                        "demand over lead time": 70,
                        "demand over lead time and review": 140,
                        "safety stock": 20,
                        "trigger s": 90,
                        "target S": 160,
                        "lead time L": "7",
                        "review R": "7",
                        "wanted": 70,
                        "quantity": 70,
                    }
                ),
            ),
            out_of_stock("opened", 9, -10, -50, 90),
        ),
    ),
    Rule(
        "a position above demand over the lead time and safety stock orders nothing",
        given(stock(available=91), TWO_WEEKS),
        forecast(),
        then(plan(), stock(reorder_at=160), out_of_stock("opened", 9, -9, -49, 91)),
    ),
    Rule(
        "the safety stock is z * sqrt(L * sd^2 + d^2 * sL^2), rounded up once",
        given(stock(available=106), COMPUTED),
        forecast(),
        then(
            plan(),
            stock(),
            signal(
                "opened",
                qty=70,
                due=day(10),
                terms=figures(
                    **{
                        "available": 106,
                        "position": 106,
                        "demand over lead time": 70,
                        "demand over lead time and review": 140,
                        "safety stock": 36,
                        "service level": "0.95",
                        "z": "1.6449",
                        "d": "10.000",
                        "sd": "3.162",
                        "sL": "2",
                        "trigger s": 106,
                        "target S": 176,
                        "lead time L": "7",
                        "review R": "7",
                        "wanted": 70,
                        "quantity": 70,
                    }
                ),
                sources={
                    "available": "row",
                    "reserved": "row",
                    "on order": "row",
                    "in transit": "row",
                    "position": "row",
                    "demand over lead time": "forecast",
                    "demand over lead time and review": "forecast",
                    "safety stock": "z * sqrt(L * sd^2 + d^2 * sL^2)",
                    "service level": "policy",
                    "z": "service level",
                    "d": "forecast",
                    "sd": "Poisson until enough periods are observed",
                    "sL": "policy",
                    "trigger s": "formula",
                    "target S": "formula",
                    "lead time L": "policy",
                    "review R": "policy",
                    "wanted": "S - position, or lots",
                    "quantity": "wanted",
                },
            ),
            out_of_stock("opened", 10, -4, -34, 106),
        ),
    ),
    Rule(
        "one unit above the trigger with a computed safety stock orders nothing",
        given(stock(available=107), COMPUTED),
        forecast(),
        then(plan(), stock(reorder_at=176), out_of_stock("opened", 10, -3, -33, 107)),
    ),
    Rule(
        "the service level is 95 % of cycles where a policy states none",
        given(stock(available=91), policy("forecast", **FORTNIGHT)),
        forecast(),
        then(plan(), stock(reorder_at=154), out_of_stock("opened", 9, -9, -49, 91)),
    ),
    Rule(
        "a service level below one half asks for no safety stock, and for none below 0",
        given(stock(available=70), policy("forecast", service_level=0.1, **FORTNIGHT)),
        forecast(),
        then(plan(), stock(reorder_at=140), signal("opened", qty=70), out_of_stock("opened", 7, -10, -70, 70)),
    ),
    Rule(
        "a policy that states its safety stock as 0 keeps none",
        given(stock(available=70), policy("forecast", safety_stock=0, lead_time_std_days=2, **FORTNIGHT)),
        forecast(),
        then(plan(), stock(reorder_at=140), signal("opened", qty=70), out_of_stock("opened", 7, -10, -70, 70)),
    ),
    *(
        Rule(
            f"with {count} closed buckets the deviation of demand is {said}",
            given(stock(available=90), plan(**{**COMPUTED.named, "errors": [(70, 63, 7)] * count})),
            forecast(),
            then(
                plan(),
                stock(reorder_at=ceiling),
                signal(
                    "opened",
                    terms=figures(
                        **{
                            "available": 90,
                            "position": 90,
                            "demand over lead time": 70,
                            "demand over lead time and review": 140,
                            "safety stock": safety,
                            "service level": "0.95",
                            "z": "1.6449",
                            "d": "10.000",
                            "sd": sd,
                            "sL": "2",
                            "trigger s": 70 + safety,
                            "target S": 140 + safety,
                            "lead time L": "7",
                            "review R": "7",
                            "wanted": 50 + safety,
                            "quantity": 50 + safety,
                        }
                    ),
                ),
                out_of_stock("opened", 9, -10, -50, 90),
            ),
        )
        for count, said, sd, safety, ceiling in (
            (5, "the root of its mean", "3.162", 36, 176),
            (6, "that of the observed errors", "2.646", 35, 175),
        )
    ),
    Rule(
        "goods are needed when the projection falls below 0, but never before the lead time is over",
        given(stock(available=30), TWO_WEEKS),
        forecast(),
        then(plan(), stock(), signal("opened", qty=130, due=day(7)), out_of_stock("opened", 3, -10, -110, 30)),
    ),
    Rule(
        "goods that nothing needs within the days ahead are due after the lead time",
        given(stock(available=400), policy("forecast", safety_stock=500, **FORTNIGHT)),
        forecast(),
        then(plan(), stock(), signal("opened", qty=240, due=day(7))),
    ),
    Rule(
        "the days ahead of a due day end a week after lead time and review",
        given(stock(available=209), policy("forecast", safety_stock=500, **FORTNIGHT)),
        forecast(),
        then(plan(), stock(), signal("opened", qty=431, due=day(20))),
    ),
    Rule(
        "and no later than the horizon",
        given(stock(available=905), policy("forecast", safety_stock=2000, lead_time_days=90, review_days=0)),
        forecast(1000, 100),
        then(
            plan(),
            stock(),
            signal("opened", due=day(90)),
        ),
    ),
    Rule(
        "demand that grows within a week raises the mark at which the row is looked at",
        given(stock(available=500), policy("forecast", lead_time_days=7)),
        event(
            "forecast.revised",
            version="v1",
            mode="replace",
            buckets=[
                {"start": day(0), "days": 7, "qty": 7},
                {"start": day(7), "days": 14, "qty": 140},
                {"start": day(21), "days": 14, "qty": 14},
            ],
        ),
        then(plan(buckets=3), stock(reorder_at=84)),
    ),
    *(
        Rule(
            f"demand of day {offset} {said} within a week and the lead time",
            given(stock(available=5000), policy("forecast", lead_time_days=7, safety_stock=0)),
            forecast(1000, 1, offset),
            then(plan(), stock(reorder_at=ceiling)),
        )
        for offset, said, ceiling in ((13, "lies", 1000), (14, "does not lie", 0))
    ),
    Rule(
        "a broken day of lead time counts by its share, rounded up",
        given(stock(available=75), policy("forecast", lead_time_days=7.25, review_days=0.5, safety_stock=0)),
        forecast(),
        then(
            plan(),
            stock(),
            out_of_stock("opened", 7, -5, -5, 75, 8),
        ),
    ),
    Rule(
        "and a position of exactly that orders",
        given(stock(available=73), policy("forecast", lead_time_days=7.25, review_days=0.5, safety_stock=0)),
        forecast(),
        then(plan(), stock(), signal("opened", qty=5, due=day(8)), out_of_stock("opened", 7, -7, -7, 73, 8)),
    ),
    *(
        Rule(
            f"of {count} completed lines the lead time is {said}",
            given(low(), plan(**{**min_max(50, 120).named, "completed": samples[:count]})),
            ISSUE,
            then(
                stock(available=50),
                signal(
                    "opened",
                    due=day(lead),
                    sources={
                        **dict.fromkeys(("available", "reserved", "on order", "in transit", "position"), "row"),
                        "min": "policy",
                        "max": "policy",
                        "trigger s": "formula",
                        "target S": "formula",
                        "lead time L": source,
                        "review R": "policy",
                        "wanted": "S - position, or lots",
                        "quantity": "wanted",
                    },
                ),
            ),
        )
        for samples in ([(AT + n, str(n), took) for n, took in enumerate((10, 6, 10, 8, 11))],)
        for count, said, lead, source in ((4, "seven days", 7, "default"), (5, "their mean", 9, "5 receipts"))
    ),
]

AHEAD = [
    Rule(
        "a row that will not run out before it is looked at again waits for a week",
        given(stock(available=1000), TWO_WEEKS),
        forecast(),
        then(plan(), stock(recheck_below=210, wake_at=FIRST_LOOK + days(7))),
    ),
    Rule(
        "it waits for the end of a bucket, where that is sooner",
        given(stock(available=1000), TWO_WEEKS),
        forecast(30, 3),
        then(plan(closes_at=TODAY + 3), stock(wake_at=FIRST_LOOK + days(3))),
    ),
    Rule(
        "and for tomorrow at least, though a bucket ends today",
        given(stock(available=1000), TWO_WEEKS, forecast(100, 10)),
        tick(days(10) - hours(12) - 1),
        then(),
    ),
    Rule(
        "a projection that ends at exactly 0 is calm",
        given(stock(available=210), TWO_WEEKS),
        forecast(),
        then(plan(), stock(recheck_below=210, wake_at=FIRST_LOOK + days(7))),
    ),
    Rule(
        "a projection that ends below 0 is looked at every day",
        given(stock(available=209), TWO_WEEKS),
        forecast(),
        then(plan(), stock(recheck_below=None, wake_at=FIRST_LOOK + days(1))),
    ),
    Rule(
        "a row whose position is at the greatest trigger ahead is looked at every day",
        given(stock(available=214), policy("forecast", safety_stock=74, **FORTNIGHT)),
        forecast(),
        then(plan(), stock(reorder_at=214, recheck_below=210, wake_at=FIRST_LOOK + days(1))),
    ),
    Rule(
        "one unit above it the row waits for a week",
        given(stock(available=215), policy("forecast", safety_stock=74, **FORTNIGHT)),
        forecast(),
        then(plan(), stock(reorder_at=214, wake_at=FIRST_LOOK + days(7))),
    ),
    Rule(
        "goods that go beyond what was to spare make the row look ahead",
        given(stock(available=210), TWO_WEEKS, forecast()),
        event("stock.held", qty=10),
        then(stock(available=200, held=10, recheck_below=None, wake_at=FIRST_LOOK + days(1))),
    ),
    Rule(
        "an issue uses up the forecast of its day, so the row has as much to spare as before",
        given(stock(available=210), TWO_WEEKS, forecast()),
        ISSUE,
        then(stock(available=200, issue_qty=10, recheck_below=200)),
    ),
    Rule(
        "goods that come end the alert of a stock-out",
        given(stock(available=100), TWO_WEEKS, forecast()),
        event("stock.adjusted", qty=40, reason="found"),
        then(stock(available=140), alert("resolved", "projected_stockout")),
    ),
    Rule(
        "a projection of exactly 0 at the end of lead time and review is no stock-out",
        given(stock(available=140), TWO_WEEKS),
        forecast(),
        then(plan(), stock()),
    ),
    Rule(
        "one unit less is a stock-out on the last of these days",
        given(stock(available=139), TWO_WEEKS),
        forecast(),
        then(plan(), stock(), out_of_stock("opened", 13, -1, -1, 139)),
    ),
    Rule(
        "without a policy the projection looks two weeks ahead",
        given(stock(available=139)),
        forecast(),
        then(plan(), stock(reorder_at=None), out_of_stock("opened", 13, -1, -1, 139)),
    ),
    Rule(
        "without a policy a row that has enough waits for a week",
        given(stock(available=1000)),
        forecast(),
        then(plan(), stock(recheck_below=210, wake_at=FIRST_LOOK + days(7))),
    ),
    Rule(
        "a lead time of 0 looks at today",
        given(stock(available=5), min_max(0, 0, lead_time_days=0)),
        forecast(),
        then(plan(), stock(), out_of_stock("opened", 0, -5, -5, 5, 1)),
    ),
    Rule(
        "supply that is overdue counts on tomorrow",
        given(stock(available=10), placed(200, due=day(-3))),
        forecast(),
        then(plan(), stock()),
    ),
    Rule(
        "and not on today",
        given(stock(available=9), placed(200, due=day(-3))),
        forecast(),
        then(plan(), stock(), out_of_stock("opened", 0, -1, -1, 9)),
    ),
    Rule(
        "a forecast that is over leaves nothing to look ahead with",
        given(stock(available=15), TWO_WEEKS, forecast(20, 2)),
        tick(days(2)),
        then(
            stock(forecast=False, recheck_below=None, reorder_at=20, wake_at=None),
            plan(buckets=0, errors=[(20, 0, 2)], closed_until=TODAY + 2, swept=TODAY + 2),
            signal("amended", qty=5),
            alert("resolved", "projected_stockout"),
        ),
    ),
    Rule(
        "supply that was due long ago is a sum, and still counts",
        given(stock(available=900), placed(2000, due=day(2)), forecast(1000, 100), tick(days(40))),
        tick(days(80)),
        then(stock()),
    ),
    Rule(
        "and what comes of it late is taken off again",
        given(stock(available=900), placed(2000, due=day(2)), forecast(1000, 100), tick(days(40)), tick(days(80))),
        event("goods.received", receipt="G", order="PO", line=1, qty=600),
        then(stock(available=1500, on_order=1400), line(received=600), alert("updated", "late_supply", open=1400)),
    ),
]

# what speaks for a review ---------------------------------------------------------------------------------------------


def opened_for_review(name: str, first: Row, levels: Row, reasons: list[str], *others: Row, qty: int = 70) -> Rule:
    disposition = "review" if reasons else "auto"
    return Rule(
        name,
        given(first, levels, *others),
        ISSUE,
        then(
            stock(available=50),
            signal("opened", qty=qty, disposition=disposition, reasons=reasons),
        ),
    )


REVIEWS = [
    opened_for_review("without limits a planner orders", low(), min_max(50, 120, auto=None), ["no_auto_limits"]),
    opened_for_review("limits that say nothing are none", low(), min_max(50, 120, auto={}), ["no_auto_limits"]),
    opened_for_review("up to the limit the engine orders", low(), min_max(50, 120, auto={"max_qty": 70}), []),
    opened_for_review(
        "beyond the limit a planner orders", low(), min_max(50, 120, auto={"max_qty": 69}), ["quantity_over_limit"]
    ),
    opened_for_review(
        "a limit of value needs a cost", low(), min_max(50, 120, auto={"max_value": "700"}), ["unit_cost_unknown"]
    ),
    opened_for_review(
        "an order of just that value is the engine's",
        low(),
        min_max(50, 120, auto={"max_value": "700"}, unit_cost="10"),
        [],
    ),
    opened_for_review(
        "an order beyond the limit of value is for a planner",
        low(),
        min_max(50, 120, auto={"max_value": "699.99"}, unit_cost="10"),
        ["value_over_limit"],
    ),
    opened_for_review(
        "all that speaks for a review is told",
        low(),
        min_max(50, 120, auto={"max_qty": 1, "max_value": "1"}, unit_cost="10"),
        ["quantity_over_limit", "value_over_limit"],
    ),
    opened_for_review(
        "a feed that is silent speaks for a review at its locations",
        low(),
        min_max(50, 120),
        ["stale_feed:wms"],
        feed("wms", 3600, ["K", "L"], -hours(2), True),
    ),
    opened_for_review(
        "a feed of all locations speaks for a review everywhere",
        low(),
        min_max(50, 120),
        ["stale_feed:erp"],
        feed("erp", 3600, None, -hours(2), True),
        feed("wms", 3600, None, 0, False),
    ),
    opened_for_review(
        "a feed of other locations says nothing here",
        low(),
        min_max(50, 120),
        [],
        feed("wms", 3600, ["K"], -hours(2), True),
    ),
    Rule(
        "a value is told with its currency where the policy limits it",
        given(low(), min_max(50, 120, auto={"max_value": "1000"}, unit_cost="2.50", currency="EUR")),
        ISSUE,
        then(
            stock(available=50),
            signal(
                "opened",
                terms=figures(
                    **{
                        "available": 50,
                        "position": 50,
                        "min": 50,
                        "max": 120,
                        "trigger s": 50,
                        "target S": 120,
                        "lead time L": "7",
                        "review R": "0",
                        "wanted": 70,
                        "quantity": 70,
                        "unit cost": "2.50",
                        "value": "175.00",
                        "value limit": "1000",
                    }
                ),
                units={
                    **dict.fromkeys(
                        (
                            "available",
                            "reserved",
                            "on order",
                            "in transit",
                            "position",
                            "min",
                            "max",
                            "trigger s",
                            "target S",
                            "wanted",
                            "quantity",
                        ),
                        "units",
                    ),
                    "lead time L": "days",
                    "review R": "days",
                    "unit cost": "EUR",
                    "value": "EUR",
                    "value limit": "EUR",
                },
            ),
        ),
    ),
    Rule(
        "negative stock is for review, because most often a receipt is late",
        given(low(40), min_max(50, 120)),
        event("stock.issued", qty=41),
        then(
            stock(available=-1),
            alert("opened", "negative_stock"),
            signal("opened", qty=121, disposition="review", reasons=["negative_stock"]),
        ),
    ),
    *(
        Rule(
            f"stock that has been negative for {said} a day is {what}",
            given(stock(available=40), min_max(50, 120), event("stock.issued", qty=41)),
            policy_set("min_max", LEVELS, at=hours(24) - short, auto={"max_qty": 200}),
            then(plan(), stock(), signal("opened", reasons=reasons)),
        )
        for said, what, short, reasons in (
            ("less than", "for review", 1, ["negative_stock"]),
            ("just", "an order like others", 0, []),
        )
    ),
    Rule(
        "stock of which nothing is known asks for no goods yet",
        given(unknown_stock()),
        policy_set("min_max", LEVELS),
        then(plan(), stock(checked_at=AT, wake_at=AT + hours(24), reorder_at=50, signal_open=False)),
    ),
    Rule(
        "nor just before a day is over",
        given(unknown_stock(), policy_set("min_max", LEVELS)),
        tick(hours(24) - 1),
        then(),
    ),
    Rule(
        "nor because it is looked at once more",
        given(unknown_stock(), policy_set("min_max", LEVELS)),
        policy_set("min_max", LEVELS, at=hours(12)),
        then(plan(), stock(checked_at=AT, wake_at=AT + hours(24))),
    ),
    Rule(
        "after a day it is for review",
        given(unknown_stock(), policy_set("min_max", LEVELS, auto={"max_qty": 200})),
        tick(hours(24)),
        then(stock(signal_open=True), signal("opened", qty=120, disposition="review", reasons=["stock_unknown"])),
    ),
    Rule(
        "a forecast that waits for a version is for review",
        given(
            low(),
            min_max(50, 120),
            event("forecast.revised", version="d1", mode="delta", base_version="v0", buckets=[]),
        ),
        ISSUE,
        then(stock(available=50), signal("opened", disposition="review", reasons=["forecast_incomplete"])),
    ),
]

# amended and withdrawn ------------------------------------------------------------------------------------------------

STOOD = (low(), min_max(50, 120), ISSUE)
"""A signal of 70 stands."""

CHANGES = [
    Rule(
        "a signal is not amended within a tenth of its quantity",
        STOOD,
        event("stock.issued", qty=7),
        then(stock(available=43)),
    ),
    Rule(
        "a signal is amended beyond a tenth",
        STOOD,
        event("stock.issued", hours(1), qty=8),
        then(
            stock(available=42),
            signal(
                "amended",
                qty=78,
                revision=2,
                status="open",
                updated=moment(hours(1)),
                opened=moment(0),
                events=["test/1", "test/2"],
                cause="test/2",
            ),
        ),
    ),
    Rule(
        "a signal that falls by more than a tenth is amended as well",
        given(low(), policy("reorder_point", {"point": 50, "qty": 10}), event("stock.issued", qty=30)),
        event("stock.adjusted", qty=10, reason="found"),
        then(stock(available=40), signal("amended", qty=20)),
    ),
    Rule(
        "a signal is due as of when it was opened",
        STOOD,
        event("stock.issued", days(1), qty=8),
        then(stock(available=42), signal("amended", qty=78, due=day(7))),
    ),
    *(
        Rule(
            f"a due day that moves by {moved} amends {said}",
            STOOD,
            policy_set("min_max", LEVELS, lead_time_days=7 + moved, auto={"max_qty": 100}, supplier="BEST"),
            then(plan(), stock(), *([signal("amended", due=day(7 + moved), supplier="BEST")] if moved > 1 else [])),
        )
        for moved, said in ((1, "nothing"), (2, "the signal"))
    ),
    Rule(
        "what is for a planner now is told, also within a tenth",
        given(low(), min_max(50, 120, auto={"max_qty": 71}), ISSUE),
        event("stock.issued", qty=2),
        then(stock(available=48), signal("amended", qty=72, disposition="review", reasons=["quantity_over_limit"])),
    ),
    Rule(
        "another reason for the same disposition amends nothing",
        given(low(), min_max(50, 120, auto=None), ISSUE),
        policy_set("min_max", LEVELS, auto={"max_qty": 1}),
        then(plan(), stock()),
    ),
    Rule(
        "a signal is withdrawn when its cause is gone",
        STOOD,
        event("stock.adjusted", hours(1), qty=1, reason="found"),
        then(stock(available=51, signal_open=False), signal("withdrawn", status="withdrawn", qty=70, revision=2)),
    ),
    Rule(
        "a withdrawn signal leaves room for the next one at once",
        (*STOOD, event("stock.adjusted", qty=1, reason="found")),
        event("stock.issued", hours(1), qty=1),
        then(stock(available=50), signal("opened", qty=70, revision=1)),
    ),
    Rule(
        "a signal names at most the last twenty events that moved its row",
        given(low(200), min_max(50, 120), *(event("stock.issued", step, qty=1) for step in range(30))),
        event("stock.issued", 40, qty=120),
        then(stock(available=50), signal("opened", events=[f"test/{number}" for number in range(12, 32)])),
    ),
    Rule(
        "an amended signal keeps the last twenty of its events",
        given(
            low(50, signal_open=True),
            min_max(50, 120),
            signal_row(qty=70, events=[str(number) for number in range(20)]),
        ),
        event("stock.issued", qty=20),
        then(stock(available=30), signal("amended", events=[*map(str, range(1, 20)), "test/1"])),
    ),
]

# what holds back the next one -----------------------------------------------------------------------------------------


def held_back(name: str, last: Row, *others: Row | Happening, opens: bool = False, until: int | None = None) -> Rule:
    """A row whose last signal is over needs 70 again."""
    published = [signal("opened", qty=70, revision=1)] if opens else []
    return Rule(
        name,
        given(low(), min_max(50, 120), last, *others),
        ISSUE,
        then(stock(available=50, signal_open=opens, wake_at=until), *published),
    )


HOUR = AT + hours(1)
BACK = [
    held_back(
        "a rejected signal is not made again within a tenth", signal_row("rejected", qty=77, until=HOUR), until=HOUR
    ),
    held_back("nor at exactly a tenth", signal_row("rejected", qty=63, until=HOUR), opens=True, until=HOUR),
    held_back("a tenth counts of the last quantity", signal_row("rejected", qty=64, until=HOUR), until=HOUR),
    held_back("beyond a tenth it is made again", signal_row("rejected", qty=80, until=HOUR), opens=True, until=HOUR),
    held_back("a rejection counts until its time is over", signal_row("rejected", qty=70, until=AT), opens=True),
    held_back("an ordered signal waits for its order", signal_row("ordered", qty=1, until=HOUR), until=HOUR),
    held_back(
        "an ordered signal waits for the order that it names",
        signal_row("ordered", qty=1, until=HOUR, order="PO"),
        until=HOUR,
    ),
    held_back("it waits no longer than its time", signal_row("ordered", qty=1, until=AT, order="PO"), opens=True),
    held_back("an ended signal of no time holds back nothing", signal_row("withdrawn", qty=70), opens=True),
]


A_THOUSAND = (low(), signal_row("rejected", qty=1000, until=HOUR))
BACK += [
    Rule(
        "exactly a tenth more than a rejected thousand is not made again",
        given(*A_THOUSAND, min_max(50, 1150)),
        ISSUE,
        then(stock(available=50, signal_open=False)),
    ),
    Rule(
        "one unit more than that is",
        given(*A_THOUSAND, min_max(50, 1151)),
        ISSUE,
        then(stock(available=50), signal("opened", qty=1101)),
    ),
    Rule(
        "a standing thousand is amended by one unit more than a tenth",
        given(low(signal_open=True), min_max(50, 1151), signal_row(qty=1000)),
        ISSUE,
        then(stock(available=50), signal("amended", qty=1101)),
    ),
    Rule(
        "a standing thousand is not amended by exactly a tenth",
        given(low(signal_open=True), min_max(50, 1150), signal_row(qty=1000)),
        ISSUE,
        then(stock(available=50)),
    ),
]

ORDERED = [
    Rule(
        name,
        given(low(60), min_max(50, 120), signal_row("ordered", qty=1, until=HOUR, order="PO", line=number), *others),
        event("stock.issued", 1, qty=60 - left),
        then(stock(available=left), *([signal("opened", qty=70)] if opens else [])),
    )
    for name, number, others, left, opens in (
        ("an order that is known waits for nothing", None, (placed(10, 2),), 40, True),
        ("a line that is known waits for nothing", "2", (placed(10, 2),), 40, True),
        ("another line of the order is not the one that was ordered", "1", (placed(10, 2),), 40, False),
        (
            "a line of which only a change is known is not placed",
            "1",
            (event("order.changed", order="PO", line=1, due=day(3)),),
            50,
            False,
        ),
        (
            "an order of which only a change is known is not placed",
            None,
            (event("order.changed", order="PO", line=1, due=day(3)),),
            50,
            False,
        ),
    )
]

# the life of a signal -------------------------------------------------------------------------------------------------

NEXT: dict[tuple[str, str], str] = {
    ("open", "signal.accepted"): "accepted",
    ("open", "signal.rejected"): "rejected",
    ("open", "signal.ordered"): "ordered",
    ("open", "order.placed"): "ordered",
    ("open", "cause gone"): "withdrawn",
    ("accepted", "signal.rejected"): "rejected",
    ("accepted", "signal.ordered"): "ordered",
    ("accepted", "order.placed"): "ordered",
    ("accepted", "time over"): "expired",
    ("ordered", "signal.ordered"): "ordered",
    ("withdrawn", "signal.ordered"): "ordered",
    ("withdrawn", "order.placed"): "ordered",
    ("expired", "signal.ordered"): "ordered",
    ("expired", "order.placed"): "ordered",
    ("withdrawn", "draft ordered"): "ordered",
    ("expired", "draft ordered"): "ordered",
    ("rejected", "draft ordered"): "ordered",
    ("accepted", "signal.reopened"): "open",
    ("rejected", "signal.reopened"): "open",
}
"""What becomes of a signal, by what happens; no other pair changes anything."""
CAUSES: dict[str, str] = {
    "signal.accepted": "accept",
    "signal.rejected": "reject",
    "signal.ordered": "order",
    "order.placed": "order placed",
    "draft ordered": "draft ordered",
    "signal.reopened": "reopen",
    "cause gone": "cause gone",
    "time over": "time over",
}
HOLDS = {"accepted": days(7), "rejected": days(7), "ordered": hours(48)}
ENDS = {"withdrawn": "withdrawn", "rejected": "closed", "ordered": "closed", "expired": "closed"}


def step(status: SignalStatus, cause: str) -> Rule:
    following = NEXT.get((status, cause))
    until = AT + hours(1) if status == "accepted" else None
    what = ENDS.get(following or "", "amended") if status in ("open", "accepted") else "amended"
    if cause == "order.placed":
        happening, rows = placed(10, signal="sig-1"), [stock(on_order=10), line(ordered=10)]
        named: dict[str, Any] = {"order": "PO"}
    elif cause in ("cause gone", "time over"):
        happening = tick(hours(1)) if cause == "time over" else event("stock.adjusted", qty=1, reason="found")
        rows, named = [stock(available=0 if cause == "time over" else 1)], {}
    else:
        happening = event(cause, signal="sig-1", by="ann")
        rows, named = [stock()], {"by": "ann"}
    name = f"{status} signal, {cause}: {following or 'no change'}"
    facts = given(stock(signal_open=status in ("open", "accepted"), **woken(cause)), signal_row(status, until=until))
    if following is None:
        after = rejected("signal_closed") if cause.startswith("signal.") else then(*rows)
        return Rule(name, facts, happening, after)
    said = signal(what, status=following, revision=2, **named)
    kept = signal_row(following, until=AT + HOLDS[following] if cause.startswith("signal.") else None)
    return Rule(name, facts, happening, then(*rows, kept, said))


def woken(cause: str) -> dict[str, Any]:
    return {"wake_at": AT + hours(1)} if cause == "time over" else {}


LIFE = [
    step(status, cause)
    for status in get_args(SignalStatus)
    for cause in CAUSES
    # An open signal has no time that could be over; drafts and reopening have rules of their own.
    if (status, cause) != ("open", "time over") and cause not in ("draft ordered", "signal.reopened")
]

# answers --------------------------------------------------------------------------------------------------------------


def answered(what: str, at: int | None = None, **data: Any) -> Happening:
    return event(f"signal.{what}", at, signal="sig-1", by="ann", **data)


CONSTRAINED = policy("none", moq=100, multiple=24, max_qty=150)
ANSWERS = [
    Rule(
        "an accepted signal stands for a week, and no other one opens",
        given(low(50, signal_open=True), min_max(50, 120), signal_row(qty=70)),
        answered("accepted", reason="fine"),
        then(
            stock(signal_open=True, wake_at=AT + days(7)),
            signal_row("accepted", until=AT + days(7)),
            signal("amended", status="accepted", by="ann", note="fine", qty=70, order=None),
        ),
    ),
    Rule(
        "an accepted signal is not amended",
        given(low(50, signal_open=True), min_max(50, 120), signal_row("accepted", qty=70, until=AT + days(7))),
        event("stock.issued", qty=30),
        then(stock(available=20, wake_at=AT + days(7))),
    ),
    Rule(
        "an accepted signal expires when its time is over, and the next event may open another one",
        given(
            low(50, signal_open=True, wake_at=AT + 5), min_max(50, 120), signal_row("accepted", qty=70, until=AT + 5)
        ),
        tick(5),
        then(
            stock(signal_open=False, wake_at=None),
            signal_row("expired", until=None),
            signal("closed", status="expired"),
        ),
    ),
    Rule(
        "an accepted signal whose time is not over stands",
        given(
            low(50, signal_open=True, wake_at=AT + 5), min_max(50, 120), signal_row("accepted", qty=70, until=AT + 6)
        ),
        tick(5),
        then(stock(signal_open=True, wake_at=AT + 6)),
    ),
    Rule(
        "an answer may state another quantity, and what of the policy that breaks",
        given(CONSTRAINED, signal_row(explanation={"sentence": "x", "notes": ["old"]})),
        answered("ordered", qty=50, order="PO", line=3),
        then(
            stock(),
            signal_row("ordered", qty=50, order="PO", line="3", until=AT + hours(48)),
            signal(
                "closed",
                qty=50,
                order="PO",
                sentence="x",
                notes=["50 is below the minimum order quantity 100", "50 is no multiple of 24"],
            ),
        ),
    ),
    Rule(
        "a quantity above the most of the policy is noted",
        given(CONSTRAINED, signal_row()),
        answered("accepted", qty=168),
        then(stock(), signal("amended", qty=168, notes=["168 is above the maximum 150"])),
    ),
    Rule(
        "a quantity that breaks nothing has no notes",
        given(CONSTRAINED, signal_row(explanation={"sentence": "x", "notes": ["old"]})),
        answered("accepted", qty=120),
        then(stock(), signal("amended", qty=120, explanation={"sentence": "x"})),
    ),
    Rule(
        "without a policy nothing can be broken",
        given(signal_row(explanation={"notes": ["old"]})),
        answered("accepted", qty=1),
        then(stock(), signal("amended", qty=1, explanation={})),
    ),
    Rule(
        "a policy without limits can be broken by nothing",
        given(policy("none"), signal_row()),
        answered("accepted", qty=1),
        then(stock(), signal("amended", qty=1, explanation={})),
    ),
    Rule(
        "an answer keeps the order of the answer before",
        given(signal_row("ordered", order="PO", line="3", until=AT)),
        answered("ordered"),
        then(stock(), signal_row("ordered", order="PO", line="3"), signal("amended", order="PO")),
    ),
    Rule(
        "an answer to a signal that is not the row's is rejected",
        given(signal_row()),
        event("signal.accepted", signal="sig-2", by="ann"),
        rejected("unknown_signal"),
    ),
    Rule(
        "an answer to a row that has no signal is rejected",
        given(),
        answered("accepted"),
        rejected("unknown_signal"),
    ),
    Rule(
        "an order that names another signal leaves the row's alone",
        given(min_max(50, 120), low(40, signal_open=True), signal_row(qty=79)),
        placed(1, signal="sig-2"),
        then(stock(on_order=1), line()),
    ),
    Rule(
        "an order that names its signal ends it, and it is not opened again for what the order brings",
        given(min_max(50, 120), low(50, signal_open=True), signal_row(qty=70)),
        placed(70, 4, signal="sig-1"),
        then(
            stock(on_order=70, signal_open=False),
            line(number="4"),
            signal_row("ordered", order="PO", line="4", until=None),
            signal("closed", status="ordered", order="PO"),
        ),
    ),
]

TABLE: list[AnyRule] = [
    *TRIGGERS, *FORECASTS, *AHEAD, *REVIEWS, *CHANGES, *BACK, *ORDERED, *LIFE, *ANSWERS,
]  # fmt: skip

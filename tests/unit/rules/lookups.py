"""What is looked up: items, locations and feeds by their latest statement, local days, figures and written rows."""

from __future__ import annotations

from typing import Any

from agents.calendar import Calendar
from agents.reader import RowView, once
from agents.turn import Turn
from engine.core.values import DAY
from tables import keys
from tables.demand import Issued, issued_key, issued_range
from tables.directory import unknown_item_key
from tables.stock import STOCK
from tests.unit.rules.directory import CASES, defined
from tests.unit.rules.figures import view
from tests.unit.rules.given import feed, item, location, stock
from tests.unit.rules.rule import AnyRule, Figure, Gone, Rule, alert, given, then
from tests.unit.rules.world import AT, TODAY, World, days, event, hours, tick

ROW = keys.row("S", "L")

# the directory --------------------------------------------------------------------------------------------------------

LATER: dict[str, Any] = {"rank": (0, AT + 1, b"\0" * 16)}


def known_rows(waiting: int) -> int:
    """How many of the rows that wait for their item know it once it is defined."""
    world = World()
    for number in range(waiting):
        world.put(unknown_item_key("S", f"L{number}"), b"")
    after = world.fold(defined()).after
    return sum(key[:1] == STOCK for key in after)


def stale_at_once(declared: int) -> int:
    """How many of the feeds that fell silent one tick tells of."""
    world = World()
    for number in range(declared):
        row = feed(f"feed{number}", 60, [], -hours(1))
        for key, value in ((row.key, row.whole), *row.beside):
            world.put(key, value)
    return len(world.fold(tick(0)).effects)


DIRECTORY: list[AnyRule] = [
    Rule(
        "a definition of an item takes the place of an older one",
        given(CASES),
        defined(0, case=6),
        then(item(units={"case": 6})),
    ),
    Rule(
        "a definition of an item does not take the place of a later one",
        given(item(**LATER)),
        defined(0, case=6),
        then(),
    ),
    Rule(
        "a location is declared anew",
        (location(),),
        event("location.defined", 0, location="L", time_zone="Asia/Tokyo"),
        then(location(zone="Asia/Tokyo")),
    ),
    Rule(
        "a declaration of a location does not take the place of a later one",
        (location(**LATER),),
        event("location.defined", 0, location="L", time_zone="Asia/Tokyo"),
        then(),
    ),
    Rule(
        "a declaration of a feed does not take the place of a later one",
        (feed()._replace(others=LATER),),
        event("feed.declared", 0, feed="wms", interval_seconds=60),
        then(),
    ),
    Rule(
        "a row that has found its item waits for it no longer",
        (event("stock.counted", qty=7),),
        event("item.defined", base_unit="each"),
        then(
            item(),
            stock(alerts=0, item_known=True),
            alert("resolved", "unknown_item"),
            Gone(unknown_item_key("S", "L")),
        ),
    ),
    Figure("an item is made known to at most 500 rows at once", lambda: known_rows(501), 500),
    Figure("one tick tells of at most 200 feeds", lambda: stale_at_once(201), 200),
]

# what is looked up ----------------------------------------------------------------------------------------------------


def worked_out(zone: str, *instants: int) -> int:
    """How many local days a calendar works out to answer for some instants."""
    days_of: list[int] = []

    class Noted(Calendar):
        @classmethod
        def _span(cls, zone: str, at: int) -> tuple[int, int, int]:
            days_of.append(at)
            return super()._span(zone, at)

    known = Noted()
    for at in instants:
        known.day(zone, at)
    return len(days_of)


def local_days(zone: str, *instants: int) -> list[int]:
    known = Calendar()
    return [known.day(zone, at) - TODAY for at in instants]


EACH_DAY = [AT + day * DAY for day in range(1000)]
FOUR_PM = AT + hours(4)
"""An hour into the next local day of Tokyo."""


def looked_at_once(calls: int) -> tuple[int, int]:
    """What a figure of a view is worth when it is asked for often, and how often it was computed."""
    computed: list[RowView] = []

    def compute(seen: RowView) -> int:
        computed.append(seen)
        return 7

    seen, figure = view(), once(compute)
    return [figure(seen) for _ in range(calls)][-1], len(computed)


def backwards() -> list[int]:
    """The days of three rows that a turn has just written, as it reads them in descending order."""
    turn = World().turn(tick(0))
    assert isinstance(turn, Turn)
    for offset in (2, 1, 3):
        turn.put(issued_key(ROW, offset), Issued(offset))
    return [issued.qty for _, issued in turn.scan(*issued_range(ROW, 0), reverse=True)]


LOOKED_UP = [
    Figure("a calendar works a day of UTC out once", lambda: worked_out("UTC", AT, AT + 1, AT - hours(12)), 1),
    Figure(
        "a calendar works a day of Tokyo out once for all its instants of a day of UTC",
        lambda: worked_out("Asia/Tokyo", AT + hours(3), AT + hours(3), FOUR_PM, AT + hours(12) - 1),
        1,
    ),
    Figure(
        "a calendar that knows a day tells the one before it apart",
        lambda: local_days("Asia/Tokyo", FOUR_PM, AT, FOUR_PM),
        [1, 0, 1],
    ),
    Figure("a calendar remembers a thousand days", lambda: worked_out("UTC", *EACH_DAY, *EACH_DAY), 1000),
    Figure(
        "a calendar forgets all days before it remembers one more",
        lambda: worked_out("UTC", *EACH_DAY, AT + days(1000), AT),
        1002,
    ),
    Figure("a figure of a row is computed once for each view", lambda: looked_at_once(3), (7, 1)),
    Figure("what an event has written is read backwards too", backwards, [3, 2, 1]),
]

TABLE: list[AnyRule] = [*DIRECTORY, *LOOKED_UP]

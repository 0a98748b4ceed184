"""Pushing signals: what is written and what is said, a rule a row; and what becomes of a push that is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from connectors.base import JsonObject
from connectors.orders import Key, OrderLine, OrderPusher, PushSettings, WantedLine
from connectors.orders.decisions import Ordered, by_signal, changes, missing, news, placements, surplus
from connectors.orders.events import Events
from connectors.orders.signals import Draft, PushedSignal
from connectors.profiles import Unreachable
from engine.core.events import decode
from engine.core.outcomes import Rejection
from tests.simulation.order_world import Access, Faults, OrderBook, SignalEngine

DUE = date(2026, 3, 20)
HERE = Draft("erp", "7", "1")


def signal(ident: str = "s1", **fields: Any) -> PushedSignal:
    given: dict[str, Any] = {
        "sku": "A", "location": "LDS", "supplier": "SUP", "qty": 10, "due": DUE, "status": "open",
        "disposition": "auto", "revision": 1, "updated": "2026-03-02T00:00:00+00:00",
    }  # fmt: skip
    return PushedSignal(id=ident, **given | fields)


def line(document: str = "7", number: str = "1", state: Any = "draft", ident: str = "s1", qty: int = 10) -> OrderLine:
    return OrderLine(Key(ident, qty, DUE), document, number, state, "SUP", "LDS", order=f"PO-{document}")


AMENDED = line(qty=8)
WRITES = [
    ("an automatic signal without a line", signal(), [], ["place"]),
    ("an accepted one", signal(status="accepted", disposition="review"), [], ["place"]),
    ("one for review", signal(disposition="review"), [], []),
    ("one that is over", signal(status="withdrawn"), [], []),
    ("one whose line was cancelled", signal(), [line(state="gone")], ["place"]),
    ("one with its line", signal(), [line()], []),
    ("one that is ordered there", signal(), [line(state="ordered", qty=8)], []),
    ("one that another system has drafted", signal(draft=Draft("other", "1", "1")), [], []),
    ("one whose line is gone, before that is said", signal(draft=HERE), [], []),
    ("an amended one", signal(), [AMENDED], ["change 7/1"]),
    ("an amended one that has come under review", signal(disposition="review"), [AMENDED], []),
    ("a withdrawn one", signal(status="withdrawn"), [line()], ["remove 7/1"]),
    ("a rejected one", signal(status="rejected"), [line()], ["remove 7/1"]),
    ("an expired one", signal(status="expired"), [line()], ["remove 7/1"]),
    ("one that was ordered elsewhere", signal(status="ordered", order="X"), [line()], ["remove 7/1"]),
    ("one that was ordered by this draft", signal(status="ordered", order="PO-7"), [line()], []),
    ("a withdrawn one that is ordered already", signal(status="withdrawn"), [line(state="ordered")], []),
    ("two drafts: the lowest stays", signal(), [line("10"), line("9")], ["remove 10/1"]),
    ("two lines of one draft", signal(), [line("9", "2"), line("9", "1")], ["remove 9/2"]),
    ("a draft beside an ordered line", signal(), [line("9", state="ordered"), line("7")], ["remove 7/1"]),
    ("a line that is listed twice", signal(), [line(), line()], []),
]


@pytest.mark.parametrize(("seen", "found", "expected"), [row[1:] for row in WRITES], ids=[row[0] for row in WRITES])
def test_what_is_written(seen: PushedSignal, found: list[OrderLine], expected: list[str]) -> None:
    signals, lines = {seen.id: seen}, by_signal(found)
    writes = [f"remove {each.line.document}/{each.line.line}" for each in surplus(signals, lines)]
    writes += [f"change {each.line.document}/{each.line.line}" for each in changes(signals, lines)]
    writes += ["place" for _ in missing(signals.values(), lines, ())]
    assert writes == expected


SAYS = [
    ("a draft that the engine does not know", signal(), [line()], ["Drafted"]),
    ("one that it knows", signal(draft=HERE), [line()], []),
    ("one that is in another document now", signal(draft=HERE), [line("5")], ["Drafted"]),
    ("one that is ordered", signal(draft=HERE), [line(state="ordered")], ["Ordered"]),
    (
        "one that was withdrawn and ordered all the same",
        signal(status="withdrawn"),
        [line(state="ordered")],
        ["Ordered"],
    ),
    ("one that was rejected and ordered", signal(status="rejected", draft=HERE), [line(state="ordered")], ["Ordered"]),
    ("one that was rejected before it was drafted", signal(status="rejected"), [line(state="ordered")], []),
    ("an order that it knows", signal(status="ordered", order="PO-7"), [line(state="ordered")], []),
    ("a draft that is gone", signal(draft=HERE), [], ["DraftGone"]),
    ("a draft that was cancelled", signal(draft=HERE), [line(state="gone")], ["DraftGone"]),
    ("a draft that was removed as its signal was withdrawn", signal(status="withdrawn", draft=HERE), [], ["DraftGone"]),
    ("a draft of another system", signal(draft=Draft("other", "1", "1")), [], []),
    ("nothing", signal(), [], []),
]


@pytest.mark.parametrize(("seen", "found", "expected"), [row[1:] for row in SAYS], ids=[row[0] for row in SAYS])
def test_what_is_said(seen: PushedSignal, found: list[OrderLine], expected: list[str]) -> None:
    assert [type(item).__name__ for item in news([seen], by_signal(found), "erp")] == expected


MOMENTS = [
    ("not known", None, "2026-03-02T00:00:00.001000+00:00"),
    ("days later", datetime(2026, 3, 7, 8, tzinfo=UTC), "2026-03-07T08:00:00+00:00"),
    ("before the revision that was seen", datetime(2026, 3, 1, tzinfo=UTC), "2026-03-02T00:00:00.001000+00:00"),
]


@pytest.mark.parametrize(("_case", "ordered_at", "expected"), MOMENTS)
def test_an_order_is_said_as_of_when_it_was_made(_case: str, ordered_at: datetime | None, expected: str) -> None:
    """Else a log's clock that stands still would have the engine wait for the order from days ago, which is over."""
    made = replace(line(state="ordered"), ordered_at=ordered_at)
    said = [json.loads(Events("erp/orders", "erp").of(Ordered(signal(), made))) for _ in range(2)]
    assert [each["time"] for each in said] == [expected] * 2
    assert said[0]["id"] == said[1]["id"]


def test_an_order_that_two_writers_see_at_two_moments_is_said_under_two_ids() -> None:
    made = [replace(line(state="ordered"), ordered_at=datetime(2026, 3, day, tzinfo=UTC)) for day in (7, 8)]
    assert len({json.loads(Events("erp/orders", "erp").of(Ordered(signal(), each)))["id"] for each in made}) == 2


def test_a_line_whose_signal_the_engine_does_not_know_is_left_alone() -> None:
    assert list(surplus({}, by_signal([line(), line("9")]))) == []


def test_signals_join_the_lowest_open_draft_of_their_supplier_and_location() -> None:
    wanted = [signal("s2"), signal("s3"), signal("s4", supplier="OTHER"), signal("s5", location="MAN")]
    lines = by_signal([line("10"), line("9", ident="s9"), line("2", state="ordered", ident="s8")])
    found = {place.document: [each.key.signal for each in place.lines] for place in placements(wanted[:2], lines)}
    assert found == {"9": ["s2", "s3"]}
    assert [place.document for place in placements(wanted[2:], lines)] == [None, None]


@pytest.mark.parametrize("key", [Key("sig-1f", 10, DUE), Key("sig-1f", 10**12, None)])
def test_a_key_is_found_within_what_a_person_wrote_around_it(key: Key) -> None:
    assert Key.found_in(f"urgent! {key} (call first)") == key


@pytest.mark.parametrize("text", ["", "sig-1f", "[stockline sig-1f]", "[stockline sig-1f 10 2026-02-31]"])
def test_other_text_holds_no_key(text: str) -> None:
    assert Key.found_in(text) is None


class Desk:
    """One pusher over a book, without faults; the clock stands until it is moved."""

    def __init__(self) -> None:
        self.engine, self.book = SignalEngine(), OrderBook()
        self.now = datetime(2026, 3, 2, tzinfo=UTC)
        self.position: JsonObject | None = None
        self.faults = Faults()
        access = Access(self.book, Random(1), self.faults)
        settings = PushSettings(attempts=3, retry_seconds=60, longest_retry_seconds=600)
        self.pusher = OrderPusher(access, "rest/erp", settings, lambda: self.now)

    async def round(self, later: timedelta = timedelta()) -> list[dict[str, Any]]:
        """The events of a round, which the engine decodes, or at least knows what they are."""
        self.now += later
        events: list[bytes] = []
        async for batch in self.pusher.pass_on(self.engine, self.position):
            await self.engine.post_events(batch.events)
            events += batch.events
            self.position = batch.position or self.position
        return [json.loads(event) for event in events]


async def test_a_refused_push_waits_longer_each_time_and_is_said_and_never_given_up() -> None:
    desk = Desk()
    desk.engine.open("S1", "LDS", 5)
    desk.book.refuses = {"S1"}
    said = []
    for _ in range(60):
        events = await desk.round(timedelta(seconds=60))
        said += [(desk.now.hour * 60 + desk.now.minute, each["type"], each["data"]["attempts"]) for each in events]
    # Attempts at minutes 1, 2, 4, 8, 16, 26, 36 ...: the third one is the first that is said, and then none for a day.
    assert said == [(4, "signal.push_failed", 3)]
    (again,) = await desk.round(timedelta(days=1))
    assert again["data"]["detail"] == "unknown article S1"
    desk.book.refuses = set()
    assert await desk.round(timedelta(seconds=599)) == []
    (drafted,) = await desk.round(timedelta(seconds=1))
    assert drafted["type"] == "signal.drafted"
    assert drafted["time"] > again["time"]
    assert desk.position is not None
    assert desk.position["failing"] == {}


async def test_a_line_that_is_refused_costs_only_itself() -> None:
    desk = Desk()
    for sku in ("S0", "S3", "S6"):
        desk.engine.open(sku, "LDS", 5)
    desk.book.refuses = {"S3"}
    events = await desk.round()
    assert [event["data"]["sku"] for event in events] == ["S0", "S6"]
    assert len(desk.book.documents) == 1
    desk.book.refuses = set()
    await desk.round(timedelta(minutes=1))
    (document,) = desk.book.documents.values()
    assert len(document.lines) == 3


async def test_a_signal_without_a_supplier_is_a_failed_push() -> None:
    desk = Desk()
    desk.engine.open("NEW", "LDS", 5)
    said = [event for _ in range(4) for event in await desk.round(timedelta(minutes=5))]
    assert [event["type"] for event in said] == ["signal.push_failed"]
    assert "supplier" in said[0]["data"]["detail"]


async def test_an_outage_is_raised_after_what_is_known_was_said() -> None:
    desk = Desk()
    desk.engine.open("S0", "LDS", 5)
    desk.faults.lost = 1.0
    with pytest.raises(Unreachable, match="no answer"):
        await desk.round()
    desk.faults.lost = 0.0
    assert [event["type"] for event in await desk.round()] == ["signal.drafted"]


async def test_a_draft_that_is_left_for_weeks_stays_the_only_one() -> None:
    desk = Desk()
    ident = desk.engine.open("S0", "LDS", 5)
    desk.engine.revise(ident, status="accepted", by="ann")
    await desk.round()
    for _ in range(20):
        desk.position = None
        assert await desk.round(timedelta(days=1)) == []
    assert len(desk.book.of(ident)) == 1


async def test_what_a_buyer_changes_stays_and_what_a_buyer_deletes_is_not_written_again() -> None:
    desk = Desk()
    ident = desk.engine.open("S0", "LDS", 5)
    await desk.round()
    ((document, stored),) = ((each, each.lines) for each in desk.book.documents.values())
    document.lines = {number: (text, 99) for number, (text, _) in stored.items()}
    assert await desk.round() == []
    assert [each.qty for each in desk.book.of(ident)] == [99]
    desk.book.remove(desk.book.of(ident)[0])
    assert [event["type"] for event in await desk.round()] == ["signal.draft_gone"]
    assert await desk.round(timedelta(days=1)) == []
    desk.engine.revise(ident, status="accepted", by="ann")
    assert [event["type"] for event in await desk.round()] == ["signal.drafted"]


async def test_the_events_are_those_of_the_contract() -> None:
    desk = Desk()
    ident = desk.engine.open("S0", "LDS", 5)
    (drafted,) = await desk.round()
    document, number = desk.book.of(ident)[0].document, desk.book.of(ident)[0].line
    assert drafted["data"] == {
        "signal": ident, "sku": "S0", "location": "LDS", "system": "erp", "document": document, "line": number
    }  # fmt: skip
    desk.book.documents[document].state = "ordered"
    (ordered,) = await desk.round()
    named = {"order": f"PO-{document}", "line": number}
    assert ordered["data"] == named | {
        "signal": ident, "sku": "S0", "location": "LDS", "by": "erp", "qty": 5
    }  # fmt: skip
    assert not isinstance(decode(json.dumps(ordered).encode()), Rejection)


async def test_a_line_that_a_list_misses_is_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    desk.engine.open("S0", "LDS", 5)
    await desk.round()
    lines = desk.book.lines()
    monkeypatch.setattr(desk.book, "lines", Mock(side_effect=[[], lines]))
    assert await desk.round() == []


async def test_a_draft_of_a_signal_that_ends_while_it_is_written_is_not_said_and_is_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk()
    ident = desk.engine.open("S0", "LDS", 5)
    write = desk.book.create

    def create(lines: Sequence[WantedLine]) -> None:
        write(lines)
        desk.engine.revise(ident, status="withdrawn")

    monkeypatch.setattr(desk.book, "create", create)
    assert await desk.round() == []
    assert len(desk.book.of(ident)) == 1
    assert await desk.round() == []
    assert desk.book.documents == {}


async def test_an_engine_that_is_behind_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    desk.engine.open("S0", "LDS", 5)

    monkeypatch.setattr(desk.engine, "sync", AsyncMock(return_value={"applied": -1}))
    with pytest.raises(Unreachable, match="behind"):
        await desk.round()
    assert desk.book.documents == {}

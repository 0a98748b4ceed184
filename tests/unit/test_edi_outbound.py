"""What goes out by EDI: each change once, under control numbers without a gap, whatever happens in between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.edi import read
from connectors.edi.outbound.journal import Journal
from connectors.folder.local import LocalPlace
from connectors.ports import Unmapped
from engine.core.errors import UsageError
from tests.unit import edi_documents as edi
from tests.unit.edi_partner import Desk

LATER = "2026-03-03T10:00:00+00:00"


MEANT = [
    ["stock.reserved", "PO-1/10", "", "LAMP-7", "48", ""],
    ["stock.reserved", "PO-1/20", "", "LAMP-7", "5", "case"],
    ["stock.reserved", "PO-1/10", "", "LAMP-7", "40", ""],
    ["reservation.released", "PO-1/20", "", "LAMP-7", "all", ""],
    ["stock.reserved", "PO-1/30", "", "LAMP-7", "7", ""],
    ["reservation.released", "PO-1/10", "", "LAMP-7", "all", ""],
    ["reservation.released", "PO-1/30", "", "LAMP-7", "all", ""],
]


@pytest.mark.parametrize("standard", ["x12", "edifact"])
async def test_an_order_its_changes_and_its_cancellation_are_read_as_they_were_meant(
    standard: str, tmp_path: Path
) -> None:
    desk = Desk(tmp_path, standard=standard, units={"case": "CA"})
    desk.engine.order(1, 10, 48)
    desk.engine.order(2, 20, 5, uom="case", due="2026-03-12")
    await desk.round()
    await desk.round()
    assert desk.kinds == ["000000001-order"]
    desk.engine.say("order.changed", 3, LATER, order="PO-1", line=10, qty=40, revision=1)
    desk.engine.order(4, 30, 7)
    desk.engine.say("order.cancelled", 5, LATER, order="PO-1", line=20)
    await desk.round()
    desk.engine.say("order.cancelled", 6, LATER, order="PO-1", line=10)
    desk.engine.say("order.cancelled", 7, LATER, order="PO-1", line=30)
    await desk.round()
    assert desk.kinds == ["000000001-order", "000000002-change", "000000003-cancellation"]
    profile = edi.profile("seller", locations=("ST", "DP"), items=("BP", "IN"), units={"CA": "case"}, strict=True)
    items = [item for text in desk.files.values() for item in read(text, profile)]
    assert not edi.problems(items)
    assert [row[:6] for row in map(edi.row, edi.events(items))] == MEANT
    assert {event["data"]["location"] for event in edi.events(items)} == {"LDS"}


async def test_a_change_of_the_day_alone_is_sent(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.engine.order(1, 10, 48)
    await desk.round()
    desk.engine.say("order.changed", 2, LATER, order="PO-1", line=10, due="2026-04-01", revision=1)
    await desk.round()
    text = desk.files["nordlicht-out-000000002-change.x12"].decode()
    assert "POC*10*CA*48**EA***BP*LAMP-7~" in text
    assert "DTM*002*20260401~" in text


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("order.closed", {"line": 10}),
        ("order.changed", {"line": 10, "qty": 48, "revision": 1}),
        ("order.changed", {"line": 10, "qty": 1, "revision": 0, "time": "2026-03-01T00:00:00+00:00"}),
        ("order.acknowledged", {"line": 10, "schedule": []}),
        ("stock.issued", {"qty": 3}),
    ],
    ids=["closed", "the same again", "outranked", "acknowledged", "something else"],
)
async def test_what_changes_nothing_for_the_partner_is_not_sent(
    kind: str, data: dict[str, Any], tmp_path: Path
) -> None:
    desk = Desk(tmp_path)
    desk.engine.order(1, 10, 48)
    await desk.round()
    time = data.pop("time", LATER)
    desk.engine.say(kind, 2, time, order="PO-1", **data)
    await desk.round()
    assert desk.kinds == ["000000001-order"]


@pytest.mark.parametrize(
    ("keys", "order"),
    [
        ({}, {"supplier": "ANOTHER"}),
        ({"since": "2026-03-02T10:00:01+00:00"}, {}),
        ({"gather_seconds": 3600}, {}),
    ],
    ids=["of another supplier", "placed before the profile begins", "not quiet yet"],
)
async def test_what_is_not_the_partners_or_not_due_is_not_sent(
    keys: dict[str, Any], order: dict[str, Any], tmp_path: Path
) -> None:
    desk = Desk(tmp_path, **keys)
    desk.engine.order(1, 10, 48, **order)
    await desk.round()
    assert desk.files == {}


async def test_orders_of_a_supplier_that_joins_the_profile_go_out(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.engine.order(1, 10, 48)
    desk.engine.order(2, 10, 5, order="PO-2", supplier="ANOTHER")
    await desk.round()
    desk.profile = desk.profile.model_copy(update={"suppliers": frozenset({"NORDLICHT", "ANOTHER"})})
    await desk.round()
    assert [row[1] for row in desk.read()] == ["PO-1/10", "PO-2/10"]


async def test_an_order_that_goes_to_another_supplier_is_cancelled_here(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.engine.order(1, 10, 48)
    await desk.round()
    desk.engine.order(2, 10, 48, supplier="ANOTHER", revision=1)
    await desk.round()
    assert desk.kinds == ["000000001-order", "000000002-cancellation"]


async def test_events_that_arrive_in_another_order_give_the_same_document(tmp_path: Path) -> None:
    straight, reversed_ = Desk(tmp_path / "a"), Desk(tmp_path / "b")
    for desk in (straight, reversed_):
        desk.engine.order(1, 10, 48)
        desk.engine.say("order.changed", 2, LATER, order="PO-1", line=10, qty=9, revision=2)
        desk.engine.say("order.changed", 3, LATER, order="PO-1", line=10, qty=8, due="2026-05-01", revision=1)
    reversed_.engine.events["LAMP-7", "LDS"].reverse()
    await straight.round()
    await reversed_.round()
    assert [row[4] for row in straight.read()] == ["9"]
    assert straight.read() == reversed_.read()


async def test_only_rows_with_orders_are_read_and_only_what_is_new_of_them(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.engine.say("stock.issued", 1, sku="CABLE", qty=3)
    for number in range(2, 12):
        desk.engine.say("stock.issued", number, qty=3)
    desk.engine.order(12, 10, 48)
    await desk.round()
    assert set(desk.engine.asked) == {"/v1/positions/LAMP-7/LDS/events"}
    desk.engine.asked.clear()
    desk.engine.say("stock.issued", 13, qty=3)
    await desk.round()
    assert desk.engine.asked == ["/v1/positions/LAMP-7/LDS/events"]


class Crash(BaseException):
    """The process dies here."""


class Countdown:
    """Raises `Crash` at the `left`th time that it is reached."""

    def __init__(self, left: int) -> None:
        self.left = left

    def reached(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Crash

    def around(self, call: Any) -> Any:
        """The call, with a moment to die just before it and just after it."""

        def broken(*arguments: Any) -> Any:
            self.reached()
            found = call(*arguments)
            self.reached()
            return found

        return broken


def dies_at(step: int) -> Any:
    """Breaks a connector just before or just after the steps that leave something behind, at the `step`th of them."""
    countdown = Countdown(step)

    def patch(place: LocalPlace, journal: Journal) -> None:
        put = place.put

        async def laid(*arguments: Any) -> None:
            countdown.reached()
            await put(*arguments)
            countdown.reached()

        vars(place)["put"] = laid
        for name in ("delivered", "lines_sent", "add", "looked_at"):
            setattr(journal, name, countdown.around(getattr(journal, name)))

    return patch


@pytest.mark.parametrize("step", range(1, 21))
async def test_a_crash_at_any_step_neither_repeats_nor_loses_nor_skips_a_number(step: int, tmp_path: Path) -> None:
    whole, broken = Desk(tmp_path / "whole"), Desk(tmp_path / "broken")
    for desk in (whole, broken):
        desk.engine.order(1, 10, 48)
        desk.engine.order(2, 10, 6, order="PO-2", sku="BULB-2")
    await whole.round()
    for patch in (dies_at(step), dies_at(step)):
        try:
            await broken.round(patch)
        except Crash:
            laid = dict(broken.files)
            # The partner takes away what was laid down, whether it was noted or not.
            for name in laid:
                (broken.folder / "partner" / "out" / name).unlink()
            await broken.round()
            for name, text in laid.items():
                assert broken.files.get(name, text) == text, "a number came again with another content"
                (broken.folder / "partner" / "out" / name).write_bytes(text)
    journal = Journal(broken.profile.journal)
    assert [each.number for each in journal.documents()] == [1, 2]
    assert not journal.undelivered()
    journal.close()
    assert broken.read() == whole.read()
    assert len(broken.files) == 2


async def test_a_journal_that_lacks_numbers_is_refused(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.engine.order(1, 10, 48)
    await desk.round()
    desk.profile.journal.unlink()
    with pytest.raises(UsageError, match="first_number = 2 or higher"):
        await desk.round()


async def test_another_log_with_the_same_orders_sends_nothing_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.engine.order(1, 10, 48)
    await desk.round()
    desk.engine.log, desk.position = "log-2", None
    await desk.round()
    assert desk.kinds == ["000000001-order"]


class NotYet:
    """Identifiers that lack a row until somebody adds it."""

    complete = False

    def ours(self, kind: Any, partner: str, theirs: str) -> str:
        return theirs

    def theirs(self, kind: Any, partner: str, ours: str) -> str:
        if not self.complete:
            raise Unmapped(kind, partner, ours)
        return f"THEIR-{ours}"


async def test_an_order_without_a_mapping_is_a_dead_letter_and_goes_out_once_it_exists(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.identifiers = NotYet()
    desk.engine.order(1, 10, 48)
    first = [letter for batch in await desk.round() for letter in batch.untranslated]
    again = [letter for batch in await desk.round() for letter in batch.untranslated]
    assert first == again
    assert [letter.reason for letter in first] == ["unmapped_identifier"]
    assert desk.files == {}
    journal = Journal(desk.profile.journal)
    with pytest.raises(Unmapped):
        await desk.outgoing(journal).replay(first[0].record)
    desk.identifiers.complete = True
    assert await desk.outgoing(journal).replay(first[0].record) == ()
    journal.close()
    await desk.round()
    assert [row[3] for row in desk.read()] == ["THEIR-LAMP-7"]


async def test_an_order_that_does_not_fit_uses_up_no_number(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.engine.order(1, 10, 48, order="A" * 23)
    desk.engine.order(2, 10, 48, order="PO*2")
    desk.engine.order(3, 10, 48, order="PO-3")
    letters = [letter.detail for batch in await desk.round() for letter in batch.untranslated]
    assert ["1 to 22 printable characters" in letters[0], "holds '*'" in letters[1]] == [True, True]
    assert desk.kinds == ["000000001-order"]

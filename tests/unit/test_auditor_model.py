"""The independent model, held against the contract's row arithmetic sentence by sentence."""

from __future__ import annotations

import pytest

from tests.auditor.events import (
    ROW,
    T0,
    counted,
    received,
)
from tests.auditor.model import HOUR, Model, Row, instant
from tests.auditor.sentences import LINES, RESERVATIONS, STOCK, TRANSFERS, in_any_order
from tests.auditor.teller import START


@pytest.mark.parametrize("sentence", [*STOCK, *LINES, *RESERVATIONS])
def test_row_follows_the_sentence_in_any_order(sentence: str) -> None:
    events, expected = (STOCK | LINES | RESERVATIONS)[sentence]
    assert {Model(order, T0 + 48 * HOUR).row(ROW) for order in in_any_order(events)} == {expected}


@pytest.mark.parametrize("sentence", TRANSFERS)
def test_both_ends_of_a_transfer_follow_the_sentence_in_any_order(sentence: str) -> None:
    events, expected = TRANSFERS[sentence]
    for order in in_any_order(events):
        model = Model(order, T0)
        assert (model.row(("A", "X")), model.row(("A", "Y"))) == expected
        assert model.conserved("A")[0] == model.conserved("A")[1]


@pytest.mark.parametrize("sentence", [*STOCK, *LINES])
def test_units_are_conserved(sentence: str) -> None:
    there, flows = Model((STOCK | LINES)[sentence][0], T0).conserved("A")
    assert there == flows


def test_position_is_sellable_plus_supply() -> None:
    row = Row(available=10, held=3, reserved=4, on_order=20, in_transit=5)
    assert (row.sellable, row.position) == (6, 31)


def test_sellable_may_be_negative() -> None:
    assert Row(available=1, reserved=4).sellable == -3


def test_a_repeat_and_a_conflict_change_nothing() -> None:
    first = received(1, 10)
    conflict = first | {"data": first["data"] | {"qty": 99}}
    assert Model([first, first, conflict], T0).row(ROW) == Row(available=10)


def test_the_same_id_of_another_source_is_another_event() -> None:
    events = [received(1, 10, id="1", source="a"), received(1, 10, id="1", source="b")]
    assert Model(events, T0).row(ROW) == Row(available=20)


def test_a_count_older_than_what_is_kept_applies_as_of_the_oldest_moment() -> None:
    events = [received(1, 5), received(60, 7), counted(2, 100), received(12, 3), received(12.5, 2)]
    # the count of hour 2 arrives when the row is at hour 60: it applies as of hour 12, which covers the receipt at 12
    assert Model(events, T0).row(ROW) == Row(available=100 + 7 + 2)


def test_moments_are_compared_and_not_their_spelling() -> None:
    count, movement = counted(2, 50), received(2.5, 10)
    movement["time"] = "2026-03-01T21:30:00-05:00"
    assert Model([count, movement], T0).row(ROW) == Row(available=60)


def test_microseconds_are_kept() -> None:
    assert instant("2026-03-02T06:00:00.000001+00:00") == instant(START) + 1


def test_the_conservation_check_sees_a_lost_unit() -> None:
    class Leaking(Model):
        def balance(self, key: tuple[str, str], status: str) -> int:
            return super().balance(key, status) - (1 if status == "held" else 0)

    there, flows = Leaking([received(1, 10, held=2)], T0).conserved("A")
    assert there == flows - 1

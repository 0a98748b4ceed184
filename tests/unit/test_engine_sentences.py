"""The contract's sentences, put to the engine: every order of arrival gives the row that the sentence says."""

from __future__ import annotations

import pytest

from tests.auditor.adapter import Rig
from tests.auditor.events import ROW, T0
from tests.auditor.model import HOUR, Event, Row
from tests.auditor.sentences import LINES, RESERVATIONS, STOCK, TRANSFERS, in_any_order
from tests.auditor.workload import encoded

NOW = T0 + 48 * HOUR


def rows_after(events: list[Event]) -> dict[tuple[str, str], Row]:
    rig = Rig(1)
    assert rig.send([encoded(event) for event in events], NOW) == {}
    rig.tick(NOW)
    return rig.rows()


@pytest.mark.parametrize("sentence", [*STOCK, *LINES, *RESERVATIONS])
def test_row_follows_the_sentence_in_any_order(sentence: str) -> None:
    events, expected = (STOCK | LINES | RESERVATIONS)[sentence]
    for order in in_any_order(events):
        assert rows_after(order).get(ROW, Row()) == expected


@pytest.mark.parametrize("sentence", TRANSFERS)
def test_both_ends_of_a_transfer_follow_the_sentence_in_any_order(sentence: str) -> None:
    events, expected = TRANSFERS[sentence]
    for order in in_any_order(events):
        rows = rows_after(order)
        assert (rows.get(("A", "X"), Row()), rows.get(("A", "Y"), Row())) == expected

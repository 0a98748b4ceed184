"""What cannot fit into a record or a transaction is refused, and the stream goes on."""

from collections.abc import Sequence

import pytest

from benchmarks.attack.patterns import long_names
from engine.bus.memory.bus import MemoryBus
from engine.bus.single import Commit
from engine.core.rules import Rules
from engine.runtime.single.engine import Engine
from tables import workspace
from tables.directory import ITEM, Item
from tests.auditor.adapter import Rig
from tests.auditor.events import defined, event, placed, received
from tests.auditor.model import instant
from tests.auditor.workload import encoded

ARRIVED = instant("2026-03-04T00:00:00+00:00")
PLAIN = ITEM + b"A", Item("each", {}, (0, 0, b""))
LONG = ITEM + b"A", Item("each", {f"unit-{n}": n for n in range(1_000_000)}, (0, 0, b""))


def adjusted(number: int, reason: str = "x") -> bytes:
    told = event("stock.adjusted", 1 + number, qty=1, reason=reason)
    return encoded({**told, "id": f"a{number}"})


class LongestValue(MemoryBus):
    """A bus in memory that notes the longest row it was given."""

    longest = 0

    def commit(self, commits: Sequence[Commit]) -> None:
        self.longest = max([self.longest, *(len(value or b"") for c in commits for _, value in c.changes)])
        super().commit(commits)


def test_receipts_with_long_names_leave_no_long_row() -> None:
    bus = LongestValue(1)
    engine = Engine(bus, Rules(clock="log"))
    for raw in long_names(500):
        assert not engine.submit([raw], ARRIVED).refused
    assert 0 < bus.longest < 2_000


@pytest.mark.parametrize("name", ["HEAVIEST_ROW_BYTES", "HEAVIEST_TURN_BYTES"])
def test_what_is_too_large_costs_its_event_and_nothing_else(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "LIGHT_BYTES", 500)
    monkeypatch.setattr(workspace, name, 60)
    rig = Rig()
    refused = rig.send([encoded(defined()), adjusted(1), adjusted(2, "x" * 600), adjusted(3)], ARRIVED)
    assert refused == {2: "row_too_large"}
    assert [reason for reason, _ in rig.dead_letters()] == ["row_too_large"]
    assert rig.rows()["A", "X"].available == 2


def test_a_receipt_that_would_fill_too_many_lines_at_once_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "LIGHT_ROWS", 50)
    monkeypatch.setattr(workspace, "HEAVIEST_TURN_BYTES", 5_000)
    lines = [placed(line=number, qty=5) for number in range(1, 41)]
    rig = Rig()
    told = [defined(), *lines, received(1, 200, order="P"), received(1, 12, order="P")]
    assert rig.send([encoded(one) for one in told], ARRIVED) == {41: "row_too_large"}
    assert rig.rows()["A", "X"].on_order == 188


@pytest.mark.parametrize(
    ("writes", "outputs", "event_bytes", "heavy"),
    [
        (PLAIN, [b"x"], 100, False),
        (PLAIN, [bytes(workspace.HEAVIEST_ROW_BYTES + 1)], 100, True),
        (PLAIN, [bytes(workspace.HEAVIEST_ROW_BYTES)] * 3, 100, True),
        (LONG, [], workspace.LIGHT_BYTES + 1, True),
        (PLAIN, [], workspace.LIGHT_BYTES + 1, False),
    ],
)
def test_rows_outputs_and_their_sum_are_weighed(
    writes: tuple[bytes, object], outputs: list[bytes], event_bytes: int, heavy: bool
) -> None:
    assert workspace.too_heavy(dict([writes]), outputs, event_bytes) is heavy

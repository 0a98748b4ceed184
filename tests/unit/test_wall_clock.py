"""Wall time that is watched: it never falls, it does not jump ahead, and an idle engine writes nothing."""

from __future__ import annotations

import json

import pytest

from engine.bus.memory.bus import MemoryBus
from engine.core.errors import ClockAhead
from engine.core.rules import Rules
from engine.core.values import DAY, HOUR, MINUTE, SECOND, instant, iso
from engine.runtime.clock import WallClock
from engine.runtime.single.engine import Engine
from tests.unit.test_feeds import event, feed

NOW = 1_900_000_000_000_000
YEAR = 365 * DAY


class Machine:
    """A machine whose clock can be set; `wall` and `steady` are in microseconds."""

    def __init__(self) -> None:
        self.wall, self.steady = NOW, 77 * HOUR
        self.clock = WallClock(lambda: self.wall, lambda: self.steady)

    def run(self, time: int) -> None:
        self.wall += time
        self.steady += time


# the clock ------------------------------------------------------------------------------------------------------------


def test_it_shows_wall_time() -> None:
    machine = Machine()
    assert machine.clock.read() == NOW
    machine.run(5 * DAY)
    assert machine.clock.read() == NOW + 5 * DAY


@pytest.mark.parametrize("correction", [1, SECOND, 59 * MINUTE, HOUR])
def test_a_correction_of_up_to_an_hour_is_followed(correction: int) -> None:
    machine = Machine()
    machine.wall += correction
    assert machine.clock.read() == NOW + correction
    assert machine.clock.jumped == 0


@pytest.mark.parametrize("jump", [HOUR + 1, 3 * HOUR, YEAR])
def test_a_jump_ahead_of_more_than_an_hour_is_not_told_until_the_clocks_agree(jump: int) -> None:
    machine = Machine()
    machine.clock.read()
    machine.run(MINUTE)
    machine.wall += jump
    with pytest.raises(ClockAhead, match="stockline clock accept"):
        machine.clock.read()
    assert (machine.clock.jumped, machine.clock.told) == (jump, NOW)
    machine.wall -= jump
    assert machine.clock.read() == NOW + MINUTE


def test_many_small_steps_ahead_do_not_pass_for_one() -> None:
    machine = Machine()
    for _ in range(2):
        machine.wall += 30 * MINUTE
        machine.clock.read()
    machine.wall += 30 * MINUTE
    with pytest.raises(ClockAhead):
        machine.clock.read()


def test_an_accepted_jump_is_the_new_time() -> None:
    machine = Machine()
    assert machine.clock.accept("ann") is None
    machine.wall += YEAR
    accepted = machine.clock.accept("ann")
    assert accepted is not None
    assert (instant(accepted.at), accepted.jumped_seconds, accepted.by) == (NOW + YEAR, YEAR // SECOND, "ann")
    machine.run(SECOND)
    assert machine.clock.read() == NOW + YEAR + SECOND
    machine.wall += 2 * HOUR
    with pytest.raises(ClockAhead):
        machine.clock.read()


def test_set_back_it_goes_on_slower_until_the_wall_clock_has_caught_up() -> None:
    machine = Machine()
    assert machine.clock.read() == NOW
    machine.wall -= 2 * HOUR
    told = []
    for _ in range(5):
        told.append(machine.clock.read() - NOW)
        machine.run(HOUR)
    assert told == [0, HOUR // 2, HOUR, 3 * HOUR // 2, 2 * HOUR]
    assert machine.clock.read() == machine.wall


def test_it_tells_nothing_before_what_the_log_holds() -> None:
    machine = Machine()
    machine.clock.never_before(NOW + HOUR)
    assert machine.clock.read() == NOW + HOUR
    machine.run(HOUR)
    assert machine.clock.read() == NOW + HOUR + HOUR // 2


def test_real_clocks_agree() -> None:
    clock = WallClock()
    assert clock.read() <= clock.read()
    assert clock.jumped == 0


# an idle engine -------------------------------------------------------------------------------------------------------


def test_an_engine_with_nothing_due_writes_nothing_for_a_day() -> None:
    engine = Engine(MemoryBus(8), Rules())
    engine.submit([event("stock.counted", NOW, sku=f"SKU-{n}", location="L", qty=500) for n in range(50)], NOW)
    engine.submit([event("location.defined", NOW, location=f"L{n}") for n in range(50)], NOW)
    assert records_of_a_day(engine) == 0


def test_an_idle_engine_with_rows_feeds_and_policies_writes_few_records_a_day() -> None:
    engine = Engine(MemoryBus(8), Rules())
    days = {"start": iso(NOW)[:10], "days": 60, "qty": 600}
    policy = {"kind": "min_max", "min": 50, "max": 120}
    for n in range(20):
        row = {"sku": f"SKU-{n}", "location": "L"}
        told = [
            event("stock.counted", NOW, **row, qty=500),
            event("policy.set", NOW, **row, policy=policy),
            event("forecast.revised", NOW, **row, version="1", mode="replace", buckets=[days]),
            event("stock.reserved", NOW, **row, reservation="r", qty=1, expires=iso(NOW + n * HOUR)),
        ]
        assert engine.submit(told, NOW).refused == []
    engine.submit([feed(f"feed-{n}", seconds=600 * (n + 1)) for n in range(5)], NOW)
    assert 0 < records_of_a_day(engine) <= 300


def records_of_a_day(engine: Engine) -> int:
    before = engine.accepted
    for second in range(0, 86_400, 5):
        engine.tick_due(NOW + second * SECOND)
    return engine.accepted - before


def test_what_is_due_is_done_within_one_look() -> None:
    engine = Engine(MemoryBus(8), Rules())
    row = {"sku": "A", "location": "L"}
    engine.submit([event("stock.counted", NOW, **row, qty=9)], NOW)
    engine.submit([event("stock.reserved", NOW, **row, reservation="r", qty=4, expires=iso(NOW + HOUR))], NOW)
    assert engine.tick_due(NOW + HOUR - 1) == []
    [output] = engine.tick_due(NOW + HOUR)
    assert json.loads(output.value)["data"]["reserved"] == 0

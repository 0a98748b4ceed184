"""The list of processes: what each tells of itself, who is gone, and who is forgotten."""

from __future__ import annotations

import os
from typing import Any

import msgspec

from engine import __version__
from engine.settings import KafkaSettings, Settings
from engine.web.processes import MAX_PROCESSES, Doing, Itself, Process, ProcessBoard
from tests.unit.test_dead_letter_answers import call
from tests.unit.test_refused_records import serving

BEGAN = 1_800_000_000.0
KAFKA = KafkaSettings.model_validate(
    {"kafka": "broker:9092", "security_protocol": "SASL_SSL", "username": "stock", "password": "hunter-22"}
)


class Machine:
    """The steady clock of a machine, which begins anywhere."""

    seconds = 77.0

    def __call__(self) -> float:
        return self.seconds


def worker(port: int, partitions: tuple[int, ...] = (), every: int = 8) -> Itself:
    kafka = KAFKA.model_copy(update={"session_timeout_ms": every * 1000})
    return Itself("worker", port, lambda: Doing(partitions, 12), Settings(), kafka)


def heard(board: ProcessBoard, itself: Itself, second: float) -> None:
    board.hear(itself.id, itself.encoded(), BEGAN + second)


def statuses(board: ProcessBoard) -> list[tuple[int, str]]:
    return [(each.port, each.status) for each in board.all()]


def test_a_process_tells_what_it_is_and_what_it_is_at() -> None:
    told = msgspec.json.decode(worker(8090, (1, 5)).encoded(), type=Process)
    assert (told.role, told.port, told.pid, told.version) == ("worker", 8090, os.getpid(), __version__)
    assert (told.partitions, told.lag, told.every_seconds) == ([1, 5], 12, 8.0)
    assert (told.settings["kafka"], told.settings["username"]) == ("broker:9092", "stock")


def test_no_secret_is_told() -> None:
    assert b"hunter" not in worker(8090).encoded()


def test_a_process_that_is_silent_for_three_intervals_is_gone_by_the_clock_of_the_broker() -> None:
    machine = Machine()
    board = ProcessBoard(machine)
    one, slow = worker(1), worker(2, every=15)
    heard(board, one, 0)
    heard(board, slow, 0)
    machine.seconds += 24
    assert statuses(board) == [(1, "running"), (2, "running")]
    machine.seconds += 1
    assert statuses(board) == [(2, "running"), (1, "gone")]
    # The stamp of a record counts, however long this machine has waited for it by its own clock.
    heard(board, slow, 24)
    assert statuses(board) == [(1, "running"), (2, "running")]
    heard(board, one, 60)
    assert statuses(board) == [(1, "running"), (2, "running")]
    assert board.all()[0].last_sign.timestamp() == BEGAN + 60


def test_what_lay_in_the_topic_is_judged_by_what_came_after_it() -> None:
    board = ProcessBoard(Machine())
    old, new = worker(1), worker(2)
    heard(board, old, 0)
    heard(board, new, 600)
    assert statuses(board) == [(2, "running"), (1, "gone")]


def test_a_process_that_ended_in_order_is_listed_no_more_and_one_that_is_gone_for_an_hour() -> None:
    machine = Machine()
    board = ProcessBoard(machine)
    left, lost = worker(1), worker(2)
    heard(board, left, 0)
    heard(board, lost, 0)
    board.hear(left.id, None, BEGAN + 1)
    assert statuses(board) == [(2, "running")]
    machine.seconds += 3600 - 1
    assert statuses(board) == [(2, "gone")]
    machine.seconds += 1.5
    assert statuses(board) == []


def test_this_process_comes_first_as_it_is_now_whatever_is_heard_of_it() -> None:
    machine = Machine()
    board = ProcessBoard(machine)
    board.itself = Itself("web", 3, lambda: Doing((), 0), Settings(), KAFKA)
    heard(board, worker(1), 0)
    heard(board, board.itself, 0)
    machine.seconds += 60
    assert statuses(board) == [(3, "running"), (1, "gone")]


def test_what_is_no_sign_of_life_is_passed_over() -> None:
    board = ProcessBoard(Machine())
    sound = msgspec.json.decode(worker(1).encoded())
    for bad in (b"", b"[]", b"\xff", *(msgspec.json.encode(sound | wrong) for wrong in WRONG)):
        board.hear("other", bad, BEGAN)
    assert board.all() == []
    board.hear("other", msgspec.json.encode(sound | {"of_a_later_version": 1}), BEGAN)
    assert statuses(board) == [(1, "running")]


WRONG: list[dict[str, Any]] = [
    {"role": "emperor"}, {"started": "2026-03-02T08:00:00"}, {"every_seconds": -1}, {"partitions": None}, {"port": "x"},
]  # fmt: skip


def test_of_too_many_processes_the_one_that_has_been_quiet_longest_is_dropped() -> None:
    board = ProcessBoard(Machine())
    told = worker(1).encoded()
    for number in range(MAX_PROCESSES + 1):
        board.hear(f"p{number}", told, BEGAN + number / 1000)
        board.hear("p0", told, BEGAN + number / 1000)
    seen = board.all()
    assert len(seen) == MAX_PROCESSES
    assert min(each.last_sign.timestamp() for each in seen) > BEGAN + 0.001


async def test_the_settings_of_this_process_name_it_first_and_the_others_after_it() -> None:
    board = ProcessBoard(Machine())
    board.itself = Itself("web", 8080, lambda: Doing((), 3), Settings(), KAFKA)
    other = worker(8090, (0, 1))
    heard(board, other, 0)
    async with serving(board) as client:
        status, told = await call(client, "GET", "/v1/settings")
        assert status == 200
        this, that = told["processes"]
        assert (this["role"], this["status"], this["lag"], this["every_seconds"]) == ("web", "running", 3, 8.0)
        assert (that["id"], that["role"], that["partitions"]) == (other.id, "worker", [0, 1])
        assert "hunter" not in str(told)

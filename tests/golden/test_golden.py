"""Two promises: old bytes decode for ever, and a recorded log gives the recorded outputs."""

import json
from functools import cache

import msgspec
import pytest

from engine.bus.memory.bus import MemoryBus
from engine.core.events import content, decode, encode, identity
from engine.core.outcomes import Rejection
from engine.core.values import instant
from tables.catalogue import BY_TAG
from tests.golden.record import HERE, answers, fields, outputs, replay

NAMES = json.loads((HERE / "names.json").read_text())
ROWS = json.loads((HERE / "rows.json").read_text())


def lines(name: str) -> list[bytes]:
    return (HERE / f"{name}.ndjson").read_bytes().splitlines()


@cache
def replayed() -> MemoryBus:
    """The golden log, folded; tests only read it."""
    return replay(lines("log"))


def test_the_recorded_log_gives_the_recorded_outputs() -> None:
    assert outputs(replayed()) == (HERE / "outputs.ndjson").read_text().splitlines()


def test_the_recorded_answers_and_the_clock_after_them_give_the_recorded_outputs() -> None:
    given = outputs(replay([*lines("log"), *lines("answers")]))
    assert given == (HERE / "answers-outputs.ndjson").read_text().splitlines()


def test_the_recorded_drafts_give_the_recorded_outputs() -> None:
    assert outputs(replay(lines("drafts"))) == (HERE / "drafts-outputs.ndjson").read_text().splitlines()


def test_the_recorded_purchases_give_the_recorded_outputs() -> None:
    assert outputs(replay(lines("purchases"))) == (HERE / "purchases-outputs.ndjson").read_text().splitlines()


def test_the_recorded_answers_are_those_that_a_new_record_would_give() -> None:
    given = answers(replayed())
    assert given == lines("answers"), "tests/golden/record.py gives other answers than the recorded ones"


@pytest.mark.parametrize("kind", NAMES)
def test_an_event_is_known_by_the_digests_it_was_remembered_by(kind: str) -> None:
    raw, name, says = NAMES[kind]
    event = decode(raw.encode())
    assert not isinstance(event, Rejection)
    assert identity(event).hex() == name
    assert content(event, instant(event.time)).hex() == says
    assert decode(encode(event)) == event


def keeps(before: object, after: object) -> bool:
    """Whether a value says what it said, but for fields added at the end of a row, or of a row in it."""
    if not isinstance(before, list) or not isinstance(after, list):
        return before == after
    return len(after) >= len(before) and all(map(keeps, before, after))


@pytest.mark.parametrize("key", ROWS)
def test_a_row_of_old_bytes_decodes_and_keeps_what_it_held(key: str) -> None:
    old = bytes.fromhex(ROWS[key])
    row = fields(bytes.fromhex(key), old)
    assert type(row) is BY_TAG[bytes.fromhex(key)[0]].row_type
    before, after = msgspec.msgpack.decode(old), msgspec.msgpack.decode(msgspec.msgpack.encode(row))
    assert keeps(before, after)

"""The cache of a task's rows: what it takes over, what it forgets, when it begins anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.bus.kafka import replica
from engine.bus.kafka.changelog import Change, change_of, offsets_in, touched_offsets
from engine.bus.kafka.worker.cache import EXPIRED_PER_COMMIT, Cache, CacheSettings, free_or_fail
from engine.bus.single import Commit
from engine.core.errors import EnvironmentFailure
from engine.core.values import DAY
from tables.event_marks import chunk_key, mark_key, newest_arrival, pack_marks, unpack_marks

TOPIC = "topic-1"
Step = tuple[Change, list[bytes]]


@pytest.fixture
def settings(tmp_path: Path) -> CacheSettings:
    return CacheSettings(tmp_path / "rows", 16, 1)


@pytest.fixture
def cache(settings: CacheSettings) -> Iterator[Cache]:
    cache = Cache.open(settings, 3, TOPIC)
    yield cache
    cache.close()


def name(letter: str) -> bytes:
    return mark_key(3, letter.encode() * 16)


def seen(at: int, says: bytes = b"says...." ) -> bytes:  # fmt: skip
    return says + at.to_bytes(8, "big")


def commit(next_offset: int, **changes: bytes | None) -> Commit:
    pairs = [(name(key[5:]) if key.startswith("name_") else key.encode(), value) for key, value in changes.items()]
    return Commit(3, (), pairs, (), (), b"marker %d" % next_offset, next_offset)


def change(next_offset: int, *expired: bytes, **changes: bytes | None) -> Step:
    return change_of(commit(next_offset, **changes), "log-1"), list(expired)


def content(cache: Cache) -> list[tuple[bytes, bytes]]:
    """All that is in it, the chunks of names too."""
    return [*cache.state.scan(b"\0", b"\xff"), *cache._chunks.scan(b"\0", b"\xff")]  # noqa: SLF001


def test_what_was_applied_is_there_when_it_is_opened_again(settings: CacheSettings, cache: Cache) -> None:
    cache.apply(*change(5, srow=b"1", sgone=b"1", name_a=seen(10)), 7)
    cache.apply(*change(9, srow=b"2", sgone=None), 12)
    cache.close()
    again = Cache.open(settings, 3, TOPIC)
    assert again.state.get_many([b"srow", b"sgone", name("a")]) == [b"2", None, seen(10)]
    marker = again.marker(3)
    assert marker is not None
    assert (marker.topic_id, marker.next_offset, marker.marker) == ("log-1", 9, b"marker 9")
    assert again.reached is not None
    assert (again.reached.topic_id, again.reached.position) == (TOPIC, 12)
    again.close()


def test_an_unknown_end_leaves_the_place_so_that_a_restore_repeats_the_commit(cache: Cache) -> None:
    cache.apply(*change(5, srow=b"1"), 7)
    cache.apply(*change(9, srow=b"2"), None)
    assert cache.state.get(b"srow") == b"2"
    assert cache.reached is not None
    assert cache.reached.position == 7


def test_a_restore_gives_the_same_bytes_as_living_through_it(settings: CacheSettings, cache: Cache) -> None:
    steps = [
        change(2, srow=b"1", sgone=b"x", name_a=seen(1), name_b=seen(1)),
        change(4, srow=b"2", sgone=None, name_c=seen(2)),
        change(6, srow=b"3", name_a=seen(9 * DAY)),
        change(8, chunk_key(3, 2), sother=b"1", name_d=seen(9 * DAY)),
    ]
    for number, step in enumerate(steps):
        cache.apply(*step, number)
    restored = Cache.open(CacheSettings(settings.directory / "anew", 16, 1), 3, TOPIC)
    restored.restore([(key, value) for step, expired in steps for key, value, _ in step.records(expired)], 4)
    assert content(restored) == content(cache)
    assert restored.state.get_many([name("a"), name("b")]) == [seen(9 * DAY), None]
    compacted = Cache.open(CacheSettings(settings.directory / "compacted", 16, 1), 3, TOPIC)
    latest = {key: value for step, expired in steps for key, value, _ in step.records(expired)}
    compacted.restore(latest.items(), 4)
    assert content(compacted) == content(cache)
    restored.close()
    compacted.close()


def test_names_expire_by_chunks_the_oldest_first(cache: Cache) -> None:
    for day in range(5):
        cache.apply(*change(day + 1, **{f"name_{'abcde'[day]}": seen(day * DAY)}), day)
    assert cache.expired(8 * DAY) == []
    assert cache.expired(8 * DAY + 1) == [chunk_key(3, 1)]
    assert cache.expired(9 * DAY + 1) == [chunk_key(3, 1), chunk_key(3, 2)]
    assert len(cache.expired(90 * DAY)) == EXPIRED_PER_COMMIT
    assert cache.expired(0) == []


def test_names_are_kept_as_long_as_is_asked_for(settings: CacheSettings) -> None:
    cache = Cache.open(settings._replace(marks_days=30), 4, TOPIC)
    cache.apply(*change(1, name_a=seen(0)), 1)
    assert cache.expired(31 * DAY) == []
    assert cache.expired(31 * DAY + 1) == [chunk_key(3, 1)]
    cache.close()


def test_a_process_that_holds_the_directory_keeps_it(settings: CacheSettings, cache: Cache) -> None:
    cache.apply(*change(1, srow=b"1"), 1)
    other = Cache.open(settings, 3, TOPIC)
    assert other.path.name == "task-3.1"
    assert other.state.get(b"srow") is None
    other.close()


def test_a_cache_that_may_have_missed_deletions_begins_anew(
    settings: CacheSettings, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.apply(*change(1, srow=b"1"), 1)
    cache.close()
    monkeypatch.setattr(replica, "MAX_AGE_SECONDS", -1)
    old = Cache.open(settings, 3, TOPIC)
    assert (old.reached, old.state.get(b"srow")) == (None, None)
    old.close()


@pytest.mark.parametrize("damage", ["current", "sst", "cut"])
def test_a_damaged_cache_begins_anew(settings: CacheSettings, cache: Cache, damage: str) -> None:
    cache.apply(*change(1, **{f"s{n}": bytes(100) for n in range(1_000)}), 1)
    cache.close()
    files = sorted((cache.path / "db").glob("*.sst" if damage != "current" else "CURRENT"))
    assert files
    files[0].write_bytes(b"") if damage == "cut" else files[0].unlink()
    anew = Cache.open(settings, 3, TOPIC)
    assert anew.state.get(b"s5") is None
    anew.close()


def test_names_are_packed_and_unpacked() -> None:
    pairs = [(name("a"), seen(1)), (name("b"), seen(2))]
    packed = pack_marks(pairs)
    assert list(unpack_marks(chunk_key(3, 9), packed)) == pairs
    assert (newest_arrival(packed), newest_arrival(b"")) == (2, 0)


def test_the_offsets_of_a_row_travel_with_its_position() -> None:
    touched = [("A\0X", 1), ("B\0X", 2), ("A\0X", 300)]
    found = touched_offsets(Commit(0, (), (), (), touched, b"", 0))
    assert {row: list(offsets_in(text)) for row, text in found.items()} == {"A\0X": [1, 300], "B\0X": [2]}


def test_a_directory_that_cannot_be_written_is_told_before_anything_is_owned(tmp_path: Path) -> None:
    free_or_fail(CacheSettings(tmp_path / "rows", 16, 1))
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFailure, match="file"):
        free_or_fail(CacheSettings(tmp_path / "file", 16, 1))
    with pytest.raises(EnvironmentFailure, match="make space"):
        free_or_fail(CacheSettings(tmp_path, 16, 1 << 30))

"""What every store must do, run against each of them."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tables.stores.memory import MemoryStore
from tables.stores.rocksdb import RocksStore, StoreSettings
from tables.stores.rocksdb_options import Profile

FAMILIES: dict[str, Profile] = {"left": "rows", "right": "random"}
LAST = b"\xff" * 8


class StoreSuite:
    """Inherit and provide `store`."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Any]:
        raise NotImplementedError

    def put(self, store: Any, pairs: dict[bytes, bytes | None], family: str = "left") -> None:
        batch = store.batch()
        handle = store.family(family).handle
        for key, value in pairs.items():
            if value is None:
                batch.delete(key, handle)
            else:
                batch.put(key, value, handle)
        store.write(batch)

    def test_an_absent_key_reads_as_none(self, store: Any) -> None:
        assert store.family("left").get(b"a") is None

    def test_what_was_written_is_read(self, store: Any) -> None:
        self.put(store, {b"a": b"1", b"empty": b""})
        assert store.family("left").get(b"a") == b"1"
        assert store.family("left").get(b"empty") == b""

    def test_many_are_read_in_the_order_asked_for(self, store: Any) -> None:
        self.put(store, {b"a": b"1", b"b": b"2"})
        assert store.family("left").get_many([b"b", b"x", b"a", b"b"]) == [b"2", None, b"1", b"2"]
        assert store.family("left").get_many((b"a",)) == [b"1"]
        assert store.family("left").get_many([]) == []

    def test_a_later_write_wins_and_a_delete_removes(self, store: Any) -> None:
        self.put(store, {b"a": b"1", b"b": b"1"})
        self.put(store, {b"a": b"2", b"b": None, b"never": None})
        assert store.family("left").get_many([b"a", b"b"]) == [b"2", None]

    def test_within_a_batch_the_last_change_of_a_key_wins(self, store: Any) -> None:
        batch, handle = store.batch(), store.family("left").handle
        batch.put(b"a", b"1", handle)
        batch.delete(b"a", handle)
        batch.delete(b"b", handle)
        batch.put(b"b", b"2", handle)
        store.write(batch)
        assert store.family("left").get_many([b"a", b"b"]) == [None, b"2"]

    def test_a_batch_that_is_not_written_changes_nothing(self, store: Any) -> None:
        store.batch().put(b"a", b"1", store.family("left").handle)
        assert list(store.family("left").scan(b"", LAST)) == []

    def test_families_are_apart(self, store: Any) -> None:
        self.put(store, {b"a": b"left"}, "left")
        self.put(store, {b"a": b"right", b"b": b"right"}, "right")
        assert list(store.family("left").scan(b"", LAST)) == [(b"a", b"left")]
        assert store.family("right").get(b"a") == b"right"

    def test_an_unknown_family_is_a_key_error(self, store: Any) -> None:
        with pytest.raises(KeyError):
            store.family("middle")

    def test_a_scan_is_ordered_and_ends_before_stop(self, store: Any) -> None:
        keys = [b"b", b"a\xff", b"a", b"a\0", b"c", b"\xff"]
        self.put(store, dict.fromkeys(keys, b"v"))
        assert [key for key, _ in store.family("left").scan(b"a", b"c")] == [b"a", b"a\0", b"a\xff", b"b"]
        assert [key for key, _ in store.family("left").scan(b"", b"\xff")] == [b"a", b"a\0", b"a\xff", b"b", b"c"]
        assert list(store.family("left").scan(b"c", b"a")) == []

    def test_a_scan_shows_what_was_there_when_it_began(self, store: Any) -> None:
        self.put(store, {b"a": b"1", b"b": b"1"})
        scan = store.family("left").scan(b"", LAST)
        self.put(store, {b"a": b"2", b"b": None, b"c": b"2"})
        assert list(scan) == [(b"a", b"1"), (b"b", b"1")]

    def test_the_last_of_a_range(self, store: Any) -> None:
        self.put(store, {b"a": b"1", b"b": b"2", b"d": b"4"})
        assert store.family("left").last(b"a", b"d") == (b"b", b"2")
        assert store.family("left").last(b"a", b"c") == (b"b", b"2")
        assert store.family("left").last(b"a", LAST) == (b"d", b"4")
        assert store.family("left").last(b"c", b"d") is None
        assert store.family("left").last(b"x", LAST) is None

    def test_a_second_close_does_nothing(self, store: Any) -> None:
        store.close()
        store.close()

    def check_against_a_dictionary(self, store: Any, history: list[dict[bytes, bytes | None]]) -> None:
        expected: dict[bytes, bytes] = {}
        for pairs in history:
            self.put(store, pairs)
            expected |= {key: value for key, value in pairs.items() if value is not None}
            expected = {key: value for key, value in expected.items() if pairs.get(key, b"") is not None}
        family = store.family("left")
        bounds = [b"", *KEYS, LAST]
        for start, stop in [(a, b) for a in bounds for b in bounds]:
            inside = sorted((key, value) for key, value in expected.items() if start <= key < stop)
            assert list(family.scan(start, stop)) == inside
            assert list(family.scan(start, stop, reverse=True)) == inside[::-1]
            assert family.last(start, stop) == (inside[-1] if inside else None)
        store.close()


KEYS = [b"a", b"a\0", b"a\xff", b"b", b"ba", b"\xfe"]
HISTORIES = st.lists(
    st.dictionaries(st.sampled_from(KEYS), st.one_of(st.none(), st.binary(max_size=2)), max_size=6), max_size=6
)


class TestMemoryStore(StoreSuite):
    @pytest.fixture
    def store(self, tmp_path: Path) -> MemoryStore:
        return self.build(tmp_path)

    def build(self, path: Path) -> MemoryStore:
        return MemoryStore(list(FAMILIES))

    @given(history=HISTORIES)
    def test_it_reads_like_a_dictionary(self, history: list[dict[bytes, bytes | None]]) -> None:
        self.check_against_a_dictionary(MemoryStore(list(FAMILIES)), history)


class TestRocksStore(StoreSuite):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[RocksStore]:
        store = self.build(tmp_path)
        yield store
        store.close()

    def build(self, path: Path) -> RocksStore:
        return RocksStore(path, FAMILIES, StoreSettings(memory_mib=16))

    @settings(max_examples=25)
    @given(history=HISTORIES)
    def test_it_reads_like_a_dictionary(self, history: list[dict[bytes, bytes | None]]) -> None:
        with tempfile.TemporaryDirectory() as path:
            self.check_against_a_dictionary(self.build(Path(path)), history)

    def test_it_reads_the_same_after_being_opened_again(self, store: RocksStore, tmp_path: Path) -> None:
        self.put(store, {b"a": b"1", b"b": b"2"})
        self.put(store, {b"b": None}, "left")
        store.close()
        again = self.build(tmp_path)
        assert list(again.family("left").scan(b"", LAST)) == [(b"a", b"1")]
        again.close()

    def test_memory_stays_within_its_setting(self, store: RocksStore) -> None:
        value = bytes(range(256)) * 16
        for number in range(40):
            self.put(store, {b"%d-%d" % (number, key): value for key in range(250)})
        assert sum(1 for _ in store.family("left").scan(b"", LAST)) == 40 * 250
        assert store.size_on_disk() > 0
        assert store.memory_used() < 20 << 20

"""What every bus must do, run against each of them."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.bus.disk import layout
from engine.bus.disk.bus import EmbeddedBus
from engine.bus.memory.bus import Crash, MemoryBus
from engine.bus.single import Bus, Commit, Output, Record
from engine.core.errors import BrokenInvariant, DiskFull, UsageError
from engine.core.topics import OUTPUT_TOPICS, Topic
from tables.stores.rocksdb import RocksStore, StoreSettings

ROW = "85123A\0LDS"
TOPICS = list(OUTPUT_TOPICS)


def commit(partition: int = 0, **parts: Any) -> Commit:
    empty: dict[str, Any] = {
        "records": [],
        "changes": [],
        "outputs": [],
        "touched": [],
        "marker": b"m",
        "next_offset": 0,
    }
    return Commit(partition, **(empty | parts))


def records(partition: int, start: int, count: int) -> list[Record]:
    return [Record(partition, n, f"sku-{n}", b"event %d" % n, 1_000 + n) for n in range(start, start + count)]


def output(topic: Topic, value: bytes, name: str = "s-1", key: str = ROW) -> Output:
    return Output(topic, key, name, value, "kind")


class BusSuite:
    """Inherit and provide `build`, which opens the bus of a directory, again where it was open before."""

    def build(self, path: Path) -> Any:
        raise NotImplementedError

    @pytest.fixture
    def bus(self, tmp_path: Path) -> Iterator[Any]:
        bus = self.build(tmp_path)
        yield bus
        bus.close()

    def test_an_empty_bus(self, bus: Bus) -> None:
        assert bus.partitions == 8
        assert [bus.end_offset(partition) for partition in range(8)] == [0] * 8
        assert bus.marker(3) is None
        assert bus.read_log(3, 0, 10) == []
        assert list(bus.state.scan(b"\0", b"\xff")) == []
        assert bus.published.latest("signals", "s-1") is None
        assert [bus.published.count(topic) for topic in TOPICS] == [0] * len(TOPICS)
        assert bus.published.row_events(ROW, None, 10) == []

    def test_a_log_has_an_id_that_no_other_has(self, bus: Bus, tmp_path: Path) -> None:
        other = self.build(tmp_path / "other")
        assert bus.log_id
        assert other.log_id != bus.log_id
        other.close()

    def test_the_log_keeps_its_order_per_partition(self, bus: Bus) -> None:
        bus.commit([commit(0, records=records(0, 0, 3)), commit(1, records=records(1, 0, 1))])
        bus.commit([commit(0, records=records(0, 3, 2))])
        assert bus.end_offset(0) == 5
        assert bus.end_offset(1) == 1
        assert bus.read_log(0, 0, 100) == records(0, 0, 5)
        assert bus.read_log(0, 1, 3) == records(0, 1, 3)
        assert bus.read_log(0, 5, 10) == []
        assert bus.read_log(1, 0, 10) == records(1, 0, 1)

    def test_a_record_comes_back_as_it_was(self, bus: Bus) -> None:
        odd = [
            Record(2, 0, "", b"", 0),
            Record(2, 1, "ключ\0\U0001f4e6", bytes(range(256)) * 40, -1),
            Record(2, 2, "half \udcff", b"\xff", 2**62),
        ]
        bus.commit([commit(2, records=odd)])
        assert bus.read_log(2, 0, 10) == odd

    def test_a_record_out_of_order_is_a_bug_and_nothing_is_written(self, bus: Bus) -> None:
        bus.commit([commit(0, records=records(0, 0, 2), marker=b"first")])
        for wrong in [records(0, 1, 1), records(0, 3, 1), records(1, 2, 1)]:
            with pytest.raises(BrokenInvariant):
                bus.commit([commit(1, marker=b"x"), commit(0, records=wrong, changes=[(b"s", b"x")])])
        assert bus.end_offset(0) == 2
        assert bus.state.get(b"s") is None
        assert bus.marker(1) is None

    def test_two_commits_of_one_task_apply_in_their_order(self, bus: Bus) -> None:
        first = commit(0, records=records(0, 0, 1), changes=[(b"a", b"1")], marker=b"one")
        second = commit(0, records=records(0, 1, 1), changes=[(b"a", b"2")], marker=b"two")
        bus.commit([first, second])
        assert bus.end_offset(0) == 2
        assert bus.state.get(b"a") == b"2"
        assert bus.marker(0) == b"two"

    def test_state_is_one_ordered_space(self, bus: Bus) -> None:
        keys = [b"a1", b"c\xff", b"d", b"d\0\x03x", b"d\xff", b"e", b"s\0"]
        bus.commit([commit(changes=[(key, b"v" + key) for key in reversed(keys)])])
        pairs = [(key, b"v" + key) for key in keys]
        assert list(bus.state.scan(b"a", b"z")) == pairs
        assert list(bus.state.scan(b"d", b"e")) == pairs[2:5]
        assert list(bus.state.scan(b"d\0", b"e\0")) == pairs[3:6]
        assert list(bus.state.scan(b"b", b"d")) == pairs[1:2]
        assert list(bus.state.scan(b"e", b"z")) == pairs[5:]
        assert bus.state.get_many([b"e", b"d\xff", b"no", b"dno", b"a1"]) == [b"ve", b"vd\xff", None, None, b"va1"]
        assert bus.state.get_many([b"d", b"dno"]) == [b"vd", None]
        assert bus.state.get_many([b"dno", b"s\0"]) == [None, b"vs\0"]
        assert bus.state.get_many([]) == []

    def test_state_is_changed_and_deleted(self, bus: Bus) -> None:
        bus.commit([commit(changes=[(b"a", b"1"), (b"d1", b"1"), (b"b", b"1")])])
        bus.commit([commit(changes=[(b"a", b"2"), (b"d1", None), (b"b", None), (b"never", None)])])
        assert list(bus.state.scan(b"\0", b"\xff")) == [(b"a", b"2")]
        assert bus.state.get(b"d1") is None

    def test_positions_keep_the_latest_of_a_row(self, bus: Bus) -> None:
        bus.commit([commit(outputs=[output("positions", b"1", "p-1"), output("positions", b"2", "p-2")])])
        bus.commit([commit(outputs=[output("positions", b"3", "p-3"), output("positions", b"x", "p-4", "other\0A")])])
        assert bus.published.latest("positions", ROW) == b"3"
        assert bus.published.latest("positions", "p-3") is None
        assert bus.published.count("positions") == 2
        with pytest.raises(UsageError):
            bus.published.history("positions", 0)

    def test_other_topics_keep_the_latest_by_id_and_every_output(self, bus: Bus) -> None:
        bus.commit([commit(0, outputs=[output("signals", b"1"), output("alerts", b"a", "a-1")])])
        bus.commit([commit(1, outputs=[output("signals", b"other", "s-2")]), commit(0)])
        bus.commit([commit(0, outputs=[output("signals", b"2"), output("signals", b"3")])])
        assert bus.published.latest("signals", "s-1") == b"3"
        assert list(bus.published.history("signals", 0)) == [b"1", b"2", b"3"]
        assert list(bus.published.history("signals", 1)) == [b"other"]
        assert list(bus.published.history("alerts", 0)) == [b"a"]
        assert list(bus.published.history("dead-letters", 0)) == []
        assert {topic: bus.published.count(topic) for topic in TOPICS if bus.published.count(topic)} == {
            "signals": 2,
            "alerts": 1,
        }

    def test_things_come_in_the_order_of_their_names(self, bus: Bus) -> None:
        names = ["a", "a\0b", "ab", "b", "é", "\uffff", "\U0001f4e6"]
        bus.commit([commit(outputs=[output("alerts", name.encode(), name) for name in reversed(names)])])
        assert list(bus.published.things("alerts")) == [(name, name.encode()) for name in names]
        assert [name for name, _ in bus.published.things("alerts", "a\0b")] == names[2:]
        assert [name for name, _ in bus.published.things("alerts", "aa")] == names[2:]
        assert list(bus.published.things("alerts", "\U0001f4e6")) == []
        assert list(bus.published.things("positions")) == []

    def test_row_events_are_the_newest_first(self, bus: Bus) -> None:
        touched = [(ROW, 0), (ROW, 2), (ROW + "2", 1), (ROW[:-1], 3), (ROW, 4)]
        bus.commit([commit(5, records=records(5, 0, 4), touched=touched[:4])])
        bus.commit([commit(5, records=records(5, 4, 1), touched=touched[4:])])
        log = records(5, 0, 5)
        assert bus.published.row_events(ROW, None, 10) == [log[4], log[2], log[0]]
        assert bus.published.row_events(ROW, None, 2) == [log[4], log[2]]
        assert bus.published.row_events(ROW, 4, 10) == [log[2], log[0]]
        assert bus.published.row_events(ROW, 2, 1) == [log[0]]
        assert bus.published.row_events(ROW, 0, 10) == []
        assert bus.published.row_events(ROW + "2", None, 10) == [log[1]]
        assert bus.published.row_events(ROW[:-1], None, 10) == [log[3]]
        assert bus.published.row_events(ROW, None, 0) == []

    def test_markers_are_kept_per_task(self, bus: Bus) -> None:
        bus.commit([commit(0, marker=b"zero"), commit(7, marker=b"")])
        bus.commit([commit(0, marker=b"again")])
        assert [bus.marker(0), bus.marker(7), bus.marker(1)] == [b"again", b"", None]

    def test_published_is_read_by_other_threads_while_commits_go_on(self, bus: Bus) -> None:
        done = threading.Event()

        def read() -> None:
            while not done.is_set():
                names = [name for name, _ in bus.published.things("signals")]
                assert names == sorted(names)
                bus.published.row_events(ROW, None, 5)
                assert len(list(bus.published.history("signals", 0))) >= len(names)

        with ThreadPoolExecutor(2) as pool:
            readers = [pool.submit(read) for _ in range(2)]
            try:
                for n in range(60):
                    signal = output("signals", b"%d" % n, f"s-{n:03}")
                    bus.commit([commit(records=records(0, n, 1), outputs=[signal], touched=[(ROW, n)])])
            finally:
                done.set()
            for reader in readers:
                reader.result()
        assert bus.published.count("signals") == 60

    def test_a_second_close_does_nothing(self, bus: Bus) -> None:
        bus.close()
        bus.close()


class TestMemoryBus(BusSuite):
    def build(self, path: Path) -> MemoryBus:
        return MemoryBus()

    def test_a_crash_before_the_commit_leaves_nothing(self, bus: MemoryBus) -> None:
        bus.fail_next_commit("before")
        with pytest.raises(Crash):
            bus.commit([commit(records=records(0, 0, 1))])
        assert bus.end_offset(0) == 0
        bus.commit([commit(records=records(0, 0, 1))])
        assert bus.end_offset(0) == 1

    def test_a_crash_after_the_commit_leaves_it_whole(self, bus: MemoryBus) -> None:
        bus.fail_next_commit("after")
        with pytest.raises(Crash):
            bus.commit([commit(records=records(0, 0, 1), changes=[(b"a", b"1")])])
        assert bus.end_offset(0) == 1
        assert bus.state.get(b"a") == b"1"
        assert bus.marker(0) == b"m"

    def test_a_refused_commit_leaves_nothing(self, bus: MemoryBus) -> None:
        bus.refuse_next_commit(DiskFull("no space"))
        with pytest.raises(DiskFull):
            bus.commit([commit(records=records(0, 0, 1))])
        assert bus.end_offset(0) == 0


class TestEmbeddedBus(BusSuite):
    def build(self, path: Path) -> EmbeddedBus:
        return EmbeddedBus.open(path, memory_mib=32)

    def test_the_id_of_a_log_is_for_good(self, bus: EmbeddedBus, tmp_path: Path) -> None:
        bus.close()
        with closing(EmbeddedBus.open(tmp_path, memory_mib=16)) as again:
            assert again.log_id == bus.log_id
            with closing(EmbeddedBus.open(tmp_path, memory_mib=16, read_only=True)) as beside:
                assert beside.log_id == bus.log_id

    def test_a_directory_from_before_logs_had_an_id_gets_one_for_good(self, bus: EmbeddedBus, tmp_path: Path) -> None:
        bus.close()
        with closing(RocksStore(tmp_path, layout.FAMILIES, StoreSettings(16))) as store:
            batch = store.batch()
            batch.delete(layout.LOG_KEY, store.family("meta").handle)
            store.write(batch)
        EmbeddedBus.open(tmp_path, memory_mib=16, read_only=True).close()
        found = []
        for _ in range(2):
            with closing(EmbeddedBus.open(tmp_path, memory_mib=16)) as opened:
                found.append(opened.log_id)
        assert found[0] == found[1] != bus.log_id

    def test_everything_is_there_after_being_opened_again(self, bus: EmbeddedBus, tmp_path: Path) -> None:
        outputs = [output("signals", b"1"), output("positions", b"p"), output("dead-letters", b"x", "x-1", "wms")]
        bus.commit([commit(1, records=records(1, 0, 2), changes=[(b"a", b"1")], outputs=outputs, touched=[(ROW, 1)])])
        before = picture(bus)
        bus.close()
        again = self.build(tmp_path)
        assert picture(again) == before
        again.commit([commit(1, records=records(1, 2, 1), outputs=[output("signals", b"2")], touched=[(ROW, 2)])])
        assert list(again.published.history("signals", 1)) == [b"1", b"2"]
        assert again.published.row_events(ROW, None, 5) == [records(1, 2, 1)[0], records(1, 1, 1)[0]]
        again.close()


def picture(bus: Bus) -> dict[str, Any]:
    """All that a bus tells."""
    partitions = range(bus.partitions)
    logs = [bus.read_log(partition, 0, 1000) for partition in partitions]
    rows = [ROW, *(f"{row}-{partition}" for row in ("r1", "r2", "r22") for partition in range(3))]
    return {
        "ends": [bus.end_offset(partition) for partition in partitions],
        "markers": [bus.marker(partition) for partition in partitions],
        "logs": logs,
        "state": list(bus.state.scan(b"\0", b"\xff")),
        "things": {topic: list(bus.published.things(topic)) for topic in TOPICS},
        "counts": {topic: bus.published.count(topic) for topic in TOPICS},
        "history": {
            (topic, partition): list(bus.published.history(topic, partition))
            for topic in TOPICS[1:]
            for partition in partitions
        },
        "rows": {row: bus.published.row_events(row, None, 3) for row in rows},
        "older": {row: bus.published.row_events(row, 2, 3) for row in rows},
    }

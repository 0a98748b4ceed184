"""Keys of the embedded bus sort as they are read; foreign errors become the engine's own."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bus.disk import layout
from engine.bus.single import Record
from engine.core.errors import Corrupt, DirectoryInUse, DiskFull, EnvironmentFailure
from tables.stores.rocksdb_errors import translated

PARTITIONS = st.integers(0, 1023)
OFFSETS = st.integers(0, (1 << 63) - 1)
PLACES = st.tuples(PARTITIONS, OFFSETS)


@given(one=PLACES, other=PLACES)
def test_log_keys_sort_by_partition_and_offset(one: tuple[int, int], other: tuple[int, int]) -> None:
    assert (layout.log_key(*one) < layout.log_key(*other)) == (one < other)
    assert layout.record_place(layout.log_key(*one)) == one


@given(one=st.text(), other=st.text())
def test_names_sort_as_they_read(one: str, other: str) -> None:
    assert (layout.name_key("alerts", one) < layout.name_key("alerts", other)) == (one < other)
    assert layout.name_in(layout.name_key("alerts", one)) == one


@given(row=st.text(max_size=70), one=OFFSETS, other=OFFSETS, partition=PARTITIONS)
def test_index_entries_of_a_row_sort_newest_first(row: str, one: int, other: int, partition: int) -> None:
    prefix = layout.row_prefix(row)
    first, second = (layout.touched_key(prefix, offset, partition) for offset in (one, other))
    assert (first < second) == (one > other)
    assert layout.touched_place(first) == (partition, one)


@given(one=st.text(max_size=4), other=st.text(max_size=4))
def test_no_row_prefix_begins_another(one: str, other: str) -> None:
    assert layout.row_prefix(other).startswith(layout.row_prefix(one)) == (one == other)


@given(record=st.builds(Record, PARTITIONS, OFFSETS, st.text(), st.binary(), st.integers(-(1 << 63), (1 << 63) - 1)))
def test_records_come_back_as_they_were(record: Record) -> None:
    written: list[tuple[bytes, bytes]] = []
    layout.put_records(lambda key, value, _handle: written.append((key, value)), None, [record])
    assert [layout.record(key, value) for key, value in written] == [record]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("IO error: No space left on device: While appending to file: 4.log", DiskFull),
        ("IO error: While appending to file: 4.log: File too large", DiskFull),
        ("IO error: While appending to file: 4.log: Disk quota exceeded", DiskFull),
        ("IO error: While lock file: data/db/LOCK: Resource temporarily unavailable", DirectoryInUse),
        ("Corruption: block checksum mismatch in 9.sst", Corrupt),
        ("IO error: No such file or directory: While open a file for random read: 9.sst", Corrupt),
        ("IO error: While fsync: 4.log: Input/output error", EnvironmentFailure),
        ("Permission denied (os error 13)", EnvironmentFailure),
    ],
)
def test_what_rocksdb_says_is_told_as_what_happened_and_where(said: str, kind: type[EnvironmentFailure]) -> None:
    failure = translated(Exception(said), Path("data"))
    assert type(failure) is kind
    assert str(failure).startswith("data")
    assert said in str(failure)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_file_system_is_known_by_its_number(number: int) -> None:
    assert type(translated(OSError(number, os.strerror(number)), Path("data"))) is DiskFull

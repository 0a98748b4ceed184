"""The file of what is known to be committed: whole wherever its writing ended, and never ahead of the truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.bus.disk import committed
from engine.bus.disk.committed import FILE, SECTOR, Committed, CommittedFile
from engine.core.errors import Corrupt


def written(path: Path, *notes: list[int]) -> None:
    file = CommittedFile.create(path, [0] * len(notes[0]), committed.read(path))
    for ends in notes:
        file.note(ends)
    file.close()


def ends_in(path: Path) -> tuple[int, ...] | None:
    known = committed.read(path)
    return None if known is None else known.ends


@pytest.mark.parametrize("partitions", [1, 8, 64, 1024])
def test_the_last_note_is_read(tmp_path: Path, partitions: int) -> None:
    written(tmp_path, [1] * partitions, [2] * partitions, [3] * partitions)
    assert ends_in(tmp_path) == (3,) * partitions
    written(tmp_path, [5] * partitions)
    assert ends_in(tmp_path) == (5,) * partitions


@pytest.mark.parametrize("torn", [0, 4, 30, 80])
def test_a_torn_note_leaves_the_one_before(tmp_path: Path, torn: int) -> None:
    written(tmp_path, [1] * 8, [2] * 8)
    content = bytearray((tmp_path / FILE).read_bytes())
    copies = {content[0:SECTOR].count(2): 0, content[SECTOR:].count(2): SECTOR}
    newest = copies[max(copies)]
    content[newest + torn : newest + SECTOR] = bytes(SECTOR - torn)
    (tmp_path / FILE).write_bytes(content)
    assert ends_in(tmp_path) == (1,) * 8


def test_nothing_is_known_without_the_file_or_where_nothing_of_it_is_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert ends_in(tmp_path) is None
    assert not caplog.records
    (tmp_path / FILE).write_bytes(bytes(2 * SECTOR))
    assert ends_in(tmp_path) is None
    assert "cannot be read" in caplog.text


def test_what_is_lost_is_told_by_partition_and_offset(tmp_path: Path) -> None:
    known = Committed(1, 4, (10, 20, 30))
    known.check(tmp_path, [10, 21, 30])
    with pytest.raises(Corrupt, match=r"partition 1: offsets 15 to 19; partition 2: offsets 0 to 29"):
        known.check(tmp_path, [10, 15, 0])
    with pytest.raises(Corrupt, match="2 partitions"):
        known.check(tmp_path, [10, 20])

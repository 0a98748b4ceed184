"""Views of a database beside its owner: what an owner that starts meanwhile does to them, and they make of it."""

import os
import shutil
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from engine.bus.disk.bus import EmbeddedBus
from tables.stores import rocksdb_files
from tests.integration.disk import check_reopened, filled


def test_an_owner_that_starts_removes_only_views_without_a_reader(tmp_path: Path) -> None:
    end = filled(tmp_path)
    (tmp_path / "stockline-view-left" / "db").mkdir(parents=True)
    with closing(rocksdb_files.view(tmp_path)) as view:
        EmbeddedBus.open(tmp_path).close()
        assert not (tmp_path / "stockline-view-left").exists()
        shutil.copytree(view.database, tmp_path / "copy" / "db")
    assert not list(tmp_path.glob("stockline-view-*"))
    check_reopened(tmp_path / "copy", end, exactly=True)


def test_a_view_of_files_that_vanish_under_our_hands_is_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = filled(tmp_path)
    listed, looks = os.listdir, count()

    def of_a_moment_ago(folder: Path) -> list[str]:
        """An owner that starts writes a new manifest and removes the former one."""
        return [*listed(folder), *(["MANIFEST-000001"] if next(looks) < 5 else [])]

    monkeypatch.setattr("tables.stores.rocksdb_files.os.listdir", of_a_moment_ago)
    with closing(EmbeddedBus.open(tmp_path, read_only=True)) as view:
        assert view.end_offset(0) == end
    assert next(looks) > 5
    assert not list(tmp_path.glob("stockline-view-*"))

"""A scan over a damaged block says so: it must not end as if there were no more rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.core.errors import Corrupt
from tables.stores.rocksdb import RocksStore, StoreSettings

ROWS = 5_000


def opened(path: Path) -> RocksStore:
    return RocksStore(path, {"rows": "rows"}, StoreSettings(16, 1))


def test_a_damaged_block_is_no_end(tmp_path: Path) -> None:
    store = opened(tmp_path)
    batch = store.batch()
    for n in range(ROWS):
        batch.put(b"%06d" % n, bytes([n % 251]) * 20 + b"%d" % (n * 7919), store.family("rows").handle)
    store.write(batch)
    store.close()
    largest = max((tmp_path / "db").glob("*.sst"), key=lambda file: file.stat().st_size)
    content = bytearray(largest.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 32] = bytes(32)
    largest.write_bytes(content)
    store = opened(tmp_path)
    with pytest.raises(Corrupt, match="does not hold what was written"):
        list(store.family("rows").scan(b"0", b"9"))
    assert len(list(store.family("rows").scan(b"000000", b"000010"))) == 10
    store.close()

"""A real Tryton on a real PostgreSQL, where a long transaction is stamped when it begins and seen when it commits."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.tryton_rig import Rig, running
from tests.real.tryton import TrytonOnPostgres

pytestmark = [pytest.mark.real, pytest.mark.slow]
WAITS = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
STAMPED = "SELECT max(coalesce(write_date, create_date)) FROM stock_move WHERE state = 'done' AND id"


class OnPostgres(Rig):
    """A rig whose ERP keeps its data in PostgreSQL."""

    def __init__(self, folder: Path) -> None:
        self.store = TrytonOnPostgres(folder / "tryton")
        super().__init__(folder, self.store)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[OnPostgres]:
    yield from running(lambda: OnPostgres(tmp_path))


def test_what_commits_late_is_found(rig: OnPostgres) -> None:
    """400 moves in one call, which waits for a row that another program holds; 6 single moves are done beside it."""
    clerk, erp = rig.clerk, rig.store
    late = clerk.notes("N-A1", "BOLT-M8", 400)
    held = erp.lock(f"SELECT id FROM stock_move WHERE id = {late[-1]} FOR UPDATE")
    with ThreadPoolExecutor(1) as beside, closing(held):
        call = beside.submit(clerk.does, late)
        while not erp.sql(WAITS):
            assert not call.done(), call.exception()
            time.sleep(0.05)
        single = [move for _ in range(6) for move in clerk.notes("N-A2", "TEA-250", 1)]
        for move in single:
            clerk.does([move])
        rig.round()
        assert (rig.row("TEA-250", "NORTH")[0], rig.row("BOLT-M8", "NORTH")[0]) == (6, 0)
        assert not call.done()
        held.close()
        call.result()
    mark, latest = (erp.sql(f"{STAMPED} = ANY(%s)", moves)[0][0] for moves in (single, late))
    assert latest < mark, "a poll for what is newer than the newest one seen would miss all 400"
    rig.round()
    assert rig.row("BOLT-M8", "NORTH")[0] == 400
    rig.round()
    assert rig.engine.get("/v1/kpis")["events"]["stock.adjusted"] == 406
    assert rig.on_hand() == rig.reported()
    assert rig.alerts("balance_drift") == []
    assert rig.engine.everything("/v1/dead-letters") == []

"""The shipped command under the wall clock: an idle engine writes nothing, what is due is done, a clock is accepted."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.integration.process import Stockline, event, stockline

ROW = {"sku": "85123A", "location": "LDS"}
TICK_SECONDS, RESERVED_SECONDS, PATIENCE_SECONDS = 5.0, 10.0, 120.0
"""A reservation that came after its end would need no tick."""


def accepted(engine: Stockline) -> int:
    return int(engine.get("/v1/sync")["accepted"])


def test_an_idle_engine_writes_no_records_and_does_what_is_due(tmp_path: Path) -> None:
    with Stockline(tmp_path / "data") as engine:
        now = datetime.now(UTC)
        engine.send(
            event("location.defined", "here", now.isoformat(), location="LDS", time_zone="Europe/London"),
            event("feed.declared", "feed", now.isoformat(), feed="wms", interval_seconds=3600),
            event("stock.counted", "count", now.isoformat(), **ROW, qty=40),
        )
        before = accepted(engine)
        time.sleep(TICK_SECONDS + 1)
        assert accepted(engine) == before
        expires = (datetime.now(UTC) + timedelta(seconds=RESERVED_SECONDS)).isoformat()
        engine.send(event("stock.reserved", "cart", now.isoformat(), **ROW, reservation="R", qty=4, expires=expires))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while engine.get("/v1/positions/85123A/LDS")["reserved"]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        # The reservation, and one tick for its end.
        assert accepted(engine) == before + 2
        ran = stockline("clock", "accept", "--by", "ann", "--url", engine.url)
        assert ran.returncode == 1
        assert b"has not jumped" in ran.stderr
        assert engine.stop() == 0
    assert stockline("audit", "--data", str(tmp_path / "data")).returncode == 0

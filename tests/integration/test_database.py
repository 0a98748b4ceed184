"""A real PostgreSQL and the shipped commands: no row is passed over, none counts twice, whoever is killed."""

from __future__ import annotations

import json
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.integration.process import COMMAND, ROOT, Stockline, environment, stockline
from tests.real.kafka import Missing, free_port
from tests.real.postgres import Postgres

pytestmark = [pytest.mark.real, pytest.mark.slow]

ROWS = 400
OUTBOX = """
CREATE TABLE outbox (
    id bigserial PRIMARY KEY,
    event jsonb NOT NULL,
    written_by xid8 NOT NULL DEFAULT pg_current_xact_id()
)
"""
PROFILE = """
kind = "database"
name = "erp"
engine = "{engine}"
interval_seconds = 0.2

[server]
port = {port}
database = "postgres"
user = "reader"
password = {{ env = "ERP_PASSWORD" }}
"""
OUTBOX_TABLE = """
[[tables]]
name = "outbox"
table = "public.outbox"
key = ["id"]
transaction_column = "written_by"
event_column = "event"
page = 7
"""
VIEW_TABLE = """
[[tables]]
name = "moves"
table = "moves"
key = ["move"]
changed_column = "changed_at"
overlap_seconds = 60
page = 3
[tables.reading]
id = "{move}-{state}"
time = { columns = ["changed_at"] }
[[tables.reading.rules]]
when = { state = "done" }
type = "stock.adjusted"
data = { sku = { column = "item" }, location = "LDS", qty = { column = "qty", as = "integer" }, reason = "moved" }
[[tables.reading.rules]]
skip = "not done"
"""


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    try:
        server = Postgres()
    except Missing as missing:
        pytest.skip(f"no PostgreSQL: {missing}")
    with server:
        server.sql("CREATE ROLE reader LOGIN")
        server.sql("GRANT pg_read_all_data TO reader")
        yield server


class Connector:
    """`stockline connectors run` on a profile, which can be killed and started again."""

    def __init__(self, folder: Path, profile: str) -> None:
        self.path = folder / "erp.toml"
        self.path.write_text(profile)
        self._state = folder / "state"
        self._log = folder / "connector.log"
        self._process: subprocess.Popen[bytes] | None = None

    def once(self) -> subprocess.CompletedProcess[bytes]:
        return stockline(
            "connectors", "run", str(self.path), "--once", "--state", str(self._state), "--json", ERP_PASSWORD="secret"
        )

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*COMMAND, "connectors", "run", str(self.path), "--state", str(self._state)],
                cwd=ROOT,
                env=environment() | {"ERP_PASSWORD": "secret"},
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _write_out_of_order(postgres: Postgres, rows: range, seed: int) -> None:
    """Rows in transactions that overlap: each takes its number at once and commits when its turn comes, or never."""
    choice = random.Random(seed)
    open_: list[psycopg.Connection[object]] = []
    for number in rows:
        connection = postgres.connect(autocommit=False)
        event = {
            "specversion": "1.0", "id": f"row-{number}", "source": "erp/outbox", "type": "stock.adjusted",
            "time": "2026-03-02T08:00:00Z", "data": {"sku": "A", "location": "LDS", "qty": number + 1, "reason": "in"},
        }  # fmt: skip
        connection.execute("INSERT INTO outbox (event) VALUES (%s)", (json.dumps(event),))
        open_.append(connection)
        while len(open_) > 5 or (open_ and number == rows[-1]):
            ended = open_.pop(choice.randrange(len(open_)))
            ended.commit()
            ended.close()
            if choice.random() < 0.3:
                # One that takes a number and gives up: a gap that never fills.
                with postgres.connect(autocommit=False) as gap:
                    gap.execute("INSERT INTO outbox (event) VALUES ('{}')")
                    gap.rollback()


def _available(engine: Stockline) -> int:
    answer = engine.call("GET", "/v1/positions/A/LDS")
    return int(answer.json["available"]) if answer.status == 200 else 0


def test_rows_that_commit_out_of_order_arrive_once_whoever_is_killed(postgres: Postgres, tmp_path: Path) -> None:
    postgres.sql("DROP TABLE IF EXISTS outbox")
    postgres.sql(OUTBOX)
    port = free_port()
    engine = Stockline(tmp_path / "data", "--port", str(port))
    profile = PROFILE.format(engine=engine.url, port=postgres.port) + OUTBOX_TABLE
    connector = Connector(tmp_path, profile)
    try:
        connector.start()
        for part in range(4):
            rows = range(part * ROWS // 4, (part + 1) * ROWS // 4)
            writer = threading.Thread(target=_write_out_of_order, args=(postgres, rows, part))
            writer.start()
            time.sleep(0.5 + part / 4)
            if part % 2:
                connector.kill()
                connector.start()
            else:
                engine.kill()
                engine = Stockline(tmp_path / "data", "--port", str(port))
            writer.join()
            if part == 2:
                postgres.kill()
                postgres.start()
        _eventually(lambda: _available(engine) == sum(range(1, ROWS + 1)))
        assert engine.get("/v1/dead-letters")["items"] == []
    finally:
        connector.kill()
        engine.end()


def _lag(engine: Stockline) -> float:
    """What the connector says of its source, 0 before it has said anything."""
    found = engine.call("GET", "/v1/connectors/erp").json
    return float(found.get("parts", {}).get("source outbox", {}).get("lag_seconds") or 0)


def test_a_transaction_that_takes_long_holds_back_what_came_after_it_and_is_not_passed_over(
    postgres: Postgres, tmp_path: Path
) -> None:
    postgres.sql("DROP TABLE IF EXISTS outbox")
    postgres.sql(OUTBOX)
    with Stockline(tmp_path / "data") as engine:
        connector = Connector(tmp_path, PROFILE.format(engine=engine.url, port=postgres.port) + OUTBOX_TABLE)
        slow = postgres.connect(autocommit=False)
        slow.execute("INSERT INTO outbox (event) VALUES (%s)", (_adjusted("slow", 100),))
        postgres.sql("INSERT INTO outbox (event) VALUES (%s)", _adjusted("fast", 1))
        assert connector.once().returncode == 0
        assert _available(engine) == 0
        connector.start()
        try:
            _eventually(lambda: _lag(engine) >= 0.4)
        finally:
            # Else it would go on beside the tests that follow, whose engine may be given this one's port.
            connector.kill()
        slow.commit()
        slow.close()
        assert connector.once().returncode == 0
        assert _available(engine) == 101
        report = json.loads(connector.once().stdout)
        assert '"events": 0' in json.dumps(report), report
        assert '"lag_seconds": 0.0' in json.dumps(report), report


def test_a_view_is_read_again_from_before_the_latest_change(postgres: Postgres, tmp_path: Path) -> None:
    postgres.sql("DROP TABLE IF EXISTS stock_moves CASCADE")
    postgres.sql(
        "CREATE TABLE stock_moves (move int, item text, qty numeric(12, 3), state text, changed_at timestamptz)"
    )
    postgres.sql("CREATE VIEW moves AS SELECT * FROM stock_moves")
    insert = "INSERT INTO stock_moves VALUES (%s, 'A', %s, %s, now() - make_interval(secs => %s))"
    with Stockline(tmp_path / "data") as engine:
        connector = Connector(tmp_path, PROFILE.format(engine=engine.url, port=postgres.port) + VIEW_TABLE)
        for number in range(8):
            postgres.sql(insert, number, "1.000", "done", 300 - number)
        postgres.sql(insert, 8, "7", "draft", 290)
        postgres.sql(insert, 9, "1.5", "done", 280)
        assert connector.once().returncode == 1, "1.5 pieces are none"
        assert _available(engine) == 8
        # The row of a transaction that began half a minute before the latest one that was seen.
        postgres.sql(insert, 10, "20", "done", 280 + 30)
        connector.once()
        assert _available(engine) == 28
        letters = engine.everything("/v1/dead-letters")
        assert len(letters) == 1, letters
        assert "1.500" in letters[0]["detail"]


def test_check_says_what_is_wrong_and_how_to_mend_it(postgres: Postgres, tmp_path: Path) -> None:
    postgres.sql("DROP TABLE IF EXISTS outbox")
    postgres.sql("CREATE TABLE outbox (id int, event text, written_by bigint)")
    with Stockline(tmp_path / "data") as engine:
        connector = Connector(tmp_path, PROFILE.format(engine=engine.url, port=postgres.port) + OUTBOX_TABLE)
        said = stockline("connectors", "check", str(connector.path), ERP_PASSWORD="secret")
        assert said.returncode == 2
        text = (said.stdout + said.stderr).decode()
        assert "ADD COLUMN written_by xid8" in text
        assert "secret" not in text


def _adjusted(name: str, qty: int) -> str:
    data = {"sku": "A", "location": "LDS", "qty": qty, "reason": "in"}
    event = {"specversion": "1.0", "id": name, "source": "erp/outbox", "type": "stock.adjusted", "data": data}
    return json.dumps(event | {"time": "2026-03-02T08:00:00Z"})


def _eventually(holds: object, seconds: float = 240.0) -> None:
    assert callable(holds)
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)

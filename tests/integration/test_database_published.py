"""Tables of a real PostgreSQL that are kept true to the engine, on one machine and on Kafka, whoever is killed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.database.client import Client as Database
from connectors.database.profile import PublishProfile
from connectors.database.publisher import Publisher
from connectors.profiles import DatabaseServer
from tests.integration.process import Client, Stockline, Workers, event, stockline
from tests.integration.test_database import PROFILE, Connector
from tests.real.kafka import Missing, free_port
from tests.real.postgres import Postgres

pytestmark = [pytest.mark.real, pytest.mark.slow]

PUBLISH = """
[publish]
schema = "stockline"
create = true
"""
WAIT_SECONDS = 240
"""A connector whose database or engine was away asks again after up to half a minute."""
NUMBERS = ("available", "held", "on_hand", "reserved", "sellable", "on_order", "in_transit", "position", "version")


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    try:
        server = Postgres()
    except Missing as missing:
        pytest.skip(f"no PostgreSQL: {missing}")
    with server:
        server.sql("CREATE ROLE reader LOGIN SUPERUSER")
        yield server


def _story(number: int) -> list[dict[str, Any]]:
    """A row with a policy, a count, an order of which a part is on its way, and issues."""
    row = {"sku": f"SKU-{number % 7}", "location": f"L{number % 3}"}
    line = {"order": f"PO-{number}", "line": 1, **row}
    at = f"2026-03-02T{8 + number // 60 % 10:02}:{number % 60:02}:00Z"
    policy = {"kind": "min_max", "min": 40 + number, "max": 90 + number}
    return [
        event("policy.set", f"policy-{number}", at, "erp", **row, policy=policy, supplier="ACME", lead_time_days=5),
        event("stock.counted", f"count-{number}", at, "wms", **row, qty=30 + number),
        event("order.placed", f"order-{number}", at, "erp", **line, supplier="ACME", qty=20, due="2026-03-09"),
        event(
            "shipment.notified", f"asn-{number}", at, "acme", **line, shipment=f"S-{number}", qty=8, eta="2026-03-05"
        ),
        event("stock.issued", f"issue-{number}", at, "wms", **row, qty=3),
    ]


def _differences(postgres: Postgres, engine: Client) -> list[str]:
    """Where the tables are not what the engine says."""
    names = ", ".join(NUMBERS)
    rows = postgres.sql(f"SELECT sku, location, {names} FROM stockline.positions ORDER BY sku, location")
    said = sorted(
        (each["sku"], each["location"], *[each[name] for name in NUMBERS])
        for each in engine.everything("/v1/positions")
    )
    found = [f"positions: {rows} instead of {said}"] if rows != said else []
    for table in ("signals", "alerts"):
        kept = dict(postgres.sql(f"SELECT id, data FROM stockline.{table}"))
        there = {each["id"]: each for each in engine.everything(f"/v1/{table}")}
        if {name: (each["status"], each["updated"]) for name, each in kept.items()} != {
            name: (each["status"], each["updated"]) for name, each in there.items()
        }:
            found.append(f"{table}: {sorted(kept)} instead of {sorted(there)}")
    return found


def _made(postgres: Postgres) -> bool:
    return postgres.sql("SELECT to_regclass('stockline.progress') IS NOT NULL") == [(True,)]


def _wait_equal(postgres: Postgres, engine: Client) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while found := _differences(postgres, engine) if _made(postgres) else ["no tables"]:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def _wait_in_step(postgres: Postgres, engine: Client) -> None:
    """Wait until the tables lack nothing, and the connector says so."""
    _wait_equal(postgres, engine)
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        parts = {name: part for each in engine.get("/v1/connectors")["items"] for name, part in each["parts"].items()}
        if parts.get("sink publish", {}).get("lag_seconds") == 0.0:
            return
        assert time.monotonic() < deadline, parts
        time.sleep(0.2)


def _promised(postgres: Postgres, sku: str, location: str) -> list[tuple[str, int]]:
    found = postgres.sql(
        "SELECT from_date::text, qty FROM stockline.available_to_promise WHERE sku = %s AND location = %s ORDER BY 1",
        sku, location,
    )  # fmt: skip
    return [(str(day), int(qty)) for day, qty in found]


def _atp(engine: Client, sku: str, location: str) -> list[tuple[str, int]]:
    days: list[tuple[str, int]] = []
    for day in engine.get(f"/v1/positions/{sku}/{location}")["atp"]:
        if not days or days[-1][1] != day["atp"]:
            days.append((day["date"], day["atp"]))
    return days


def test_tables_are_true_to_one_machine_whoever_is_killed(postgres: Postgres, tmp_path: Path) -> None:
    port = free_port()
    arguments = ("--port", str(port), "--clock", "log")
    engine = Stockline(tmp_path / "data", *arguments)
    connector = Connector(tmp_path, PROFILE.format(engine=engine.url, port=postgres.port) + PUBLISH)
    try:
        connector.start()
        for number in range(60):
            engine.send(*_story(number))
            if number == 15:
                connector.kill()
            if number == 25:
                connector.start()
            if number == 35:
                postgres.kill()
            if number == 40:
                postgres.start()
            if number == 50:
                engine.kill()
                engine = Stockline(tmp_path / "data", *arguments)
        _wait_in_step(postgres, engine)
        assert _promised(postgres, "SKU-3", "L2") == _atp(engine, "SKU-3", "L2")
        engine.kill()
        # Another engine at the same address has other stock: nothing of the former one stays.
        engine = Stockline(tmp_path / "other", *arguments)
        engine.send(*_story(1))
        _wait_equal(postgres, engine)
    finally:
        connector.kill()
        engine.end()


def test_tables_are_true_to_a_cluster_whoever_is_killed(kafka: str, postgres: Postgres, tmp_path: Path) -> None:
    with (
        Workers(kafka, tmp_path / "worker") as workers,
        Stockline(tmp_path / "web", "--kafka", kafka, verb="web") as engine,
    ):
        workers.wait_owned()
        publish = PUBLISH + f'kafka = "{kafka}"\n'
        connector = Connector(tmp_path, PROFILE.format(engine=engine.url, port=postgres.port) + publish)
        try:
            connector.start()
            for number in range(40):
                engine.send(*_story(number))
                if number % 10 == 5:
                    connector.kill()
                    connector.start()
                if number == 25:
                    postgres.kill()
                    postgres.start()
            engine.get(f"/v1/sync?wait={WAIT_SECONDS}")
            _wait_equal(postgres, engine)
            offsets = postgres.sql("SELECT count(*), max(next_offset) FROM stockline.progress WHERE topic <> 'lists'")
            assert offsets[0][0] == 24
        finally:
            connector.kill()


def test_without_the_right_to_make_tables_check_prints_what_an_administrator_runs(
    postgres: Postgres, tmp_path: Path
) -> None:
    with Stockline(tmp_path / "data") as engine:
        publish = PUBLISH.replace("true", "false")
        connector = Connector(tmp_path, PROFILE.format(engine=engine.url, port=postgres.port) + publish)
        said = stockline("connectors", "check", str(connector.path), ERP_PASSWORD="secret")
        assert said.returncode == 1, said
        assert b"CREATE TABLE IF NOT EXISTS stockline.positions" in said.stdout
        refused = connector.once()
        assert refused.returncode == 2, refused


async def test_two_connectors_that_begin_at_once_make_the_tables_once(postgres: Postgres) -> None:
    server = DatabaseServer(port=postgres.port, database="postgres", user="reader")
    profile = PublishProfile.model_validate({"schema": "stockline", "create": True})
    first, second = (Publisher(Database(server), profile) for _ in range(2))
    async with first.client.transaction() as connection:
        await first.tables.create(connection)
        beside = asyncio.create_task(second.prepare())
        deadline = time.monotonic() + WAIT_SECONDS
        while not postgres.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            assert not beside.done(), beside
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
    await beside
    assert _made(postgres)
    for publisher in (first, second):
        await publisher.client.close()

"""Identifiers from a table of a real PostgreSQL: read again when the rows change, kept while the server is away."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.database.identifiers import MappingTable
from connectors.profiles import IdentifierTable, Unreachable
from engine.core.errors import UsageError
from tests.integration.process import START_SECONDS, Stockline
from tests.integration.test_connectors import Lists
from tests.real.kafka import Missing
from tests.real.postgres import Postgres

pytestmark = [pytest.mark.real, pytest.mark.slow]

TABLE = "CREATE TABLE names (partner text, kind text, theirs text, ours text)"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    try:
        server = Postgres()
    except Missing as missing:
        pytest.skip(f"no PostgreSQL: {missing}")
    with server:
        yield server


@pytest.fixture
def postgres(server: Postgres) -> Postgres:
    """The server with an empty table of names."""
    server.sql("DROP TABLE IF EXISTS names")
    server.sql(TABLE)
    return server


def add(server: Postgres, *rows: str) -> None:
    for row in rows:
        server.sql("INSERT INTO names VALUES (%s, %s, %s, %s)", *(cell or None for cell in row.split(",")))


def where(server: Postgres, table: str = "public.names") -> IdentifierTable:
    return IdentifierTable.model_validate(
        {"table": table, "server": {"port": server.port, "database": "postgres", "user": "postgres"}}
    )


async def test_a_table_is_read_again_when_its_rows_change_and_a_wrong_change_changes_nothing(
    postgres: Postgres,
) -> None:
    add(postgres, "acme,item,9,PEN", "acme,item,1,PEN", "*,unit,EA,each")
    table = MappingTable(where(postgres))
    with pytest.raises(UsageError, match="have not been read"):
        table.current()
    await table.look()
    first = table.current()
    assert (len(first), first.ours("unit", "acme", "EA"), first.theirs("item", "acme", "PEN")) == (3, "each", "1")
    await table.look()
    assert table.current() is first
    postgres.sql("UPDATE names SET ours = 'INK' WHERE theirs = '9'")
    await table.look()
    assert table.current().ours("item", "acme", "9") == "INK"
    add(postgres, "acme,item,,CUP", "acme,thing,2,X")
    with pytest.raises(UsageError, match=r"theirs must not be empty; .*there is no kind 'thing'"):
        await table.look()
    assert table.current().ours("item", "acme", "9") == "INK"
    postgres.sql("DELETE FROM names WHERE theirs IS NULL OR kind = 'thing'")
    postgres.kill()
    with pytest.raises(Unreachable, match="does not answer"):
        await table.look()
    assert table.current().ours("item", "acme", "9") == "INK"
    postgres.start()
    add(postgres, "acme,item,3,CUP")
    await table.look()
    assert table.current().ours("item", "acme", "3") == "CUP"
    await table.close()


@pytest.mark.parametrize("table", ["public.nothing", "pg_class"])
async def test_a_table_that_is_none_is_said(postgres: Postgres, table: str) -> None:
    mapping = MappingTable(where(postgres, table))
    with pytest.raises(UsageError, match="refused it"):
        await mapping.look()
    await mapping.close()


def wait(lists: Lists, path: str, wanted: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while lists.engine.get(path)["total"] < wanted:
        assert time.monotonic() < deadline, path
        time.sleep(0.1)


def wait_looked(lists: Lists, name: str) -> None:
    """Wait until the process that runs has read the rows as they are now."""
    now, deadline = datetime.now(UTC), time.monotonic() + START_SECONDS
    while True:
        part = lists.engine.get(f"/v1/connectors/{name}")["parts"]["identifiers"]
        began, ended = (
            datetime.fromisoformat(part[moment] or "0001-01-01T00:00Z") for moment in ("last_round", "last_success")
        )
        if now <= began <= ended:
            return
        assert time.monotonic() < deadline, part
        time.sleep(0.1)


def test_a_connector_uses_the_rows_as_they_are_and_goes_on_while_the_database_is_away(
    postgres: Postgres, tmp_path: Path
) -> None:
    add(postgres, "list,item,I1,PEN")
    with Stockline(tmp_path / "data") as engine:
        lists = Lists(tmp_path, engine)
        profile = lists.profile("erp", "count I1 LEEDS 1\ncount I2 LEEDS 2\n")
        named = profile.read_text().replace('identifiers = "identifiers.csv"\n', "")
        server = f'[identifiers.server]\nport = {postgres.port}\ndatabase = "postgres"\nuser = "postgres"\n'
        profile.write_text(f'{named}[identifiers]\ntable = "names"\n{server}')
        with lists.running(profile):
            wait(lists, "/v1/dead-letters", 1)
            missing = lists.command("identifiers", "missing", profile, "--url", engine.url)
            assert missing.stdout == "list,item,I2,\n"
            add(postgres, "list,item,I2,INK")
            assert lists.command("identifiers", "check", profile).stdout == f"{profile}: 2 rows\n"
            assert lists.command("connectors", "replay", profile, "--json").returncode == 0
            wait(lists, "/v1/positions", 2)
            wait_looked(lists, "erp")
            postgres.kill()
            with (tmp_path / "erp.txt").open("a") as out:
                out.write("count I2 YORK 3\n")
            wait(lists, "/v1/positions", 3)
            shown = lists.wait("erp", status="failing")
            assert "does not answer" in shown["parts"]["identifiers"]["error"]
            postgres.start()
            assert lists.wait("erp", status="running")["parts"]["identifiers"]["error"] is None
    assert json.loads((tmp_path / "state" / "erp" / "source-lines.json").read_text())["position"] == {"line": 3}

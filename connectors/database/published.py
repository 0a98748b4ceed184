"""The tables that the sink keeps: their definitions, and the statements that bring a state into them.

`version` orders the states of a row, signal or alert, so a state that comes late or twice changes nothing.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg import AsyncCursor, sql

from connectors.base import JsonObject
from connectors.changes import Change, Table
from connectors.database.client import Connection
from connectors.database.promises import Promise

Cursor = AsyncCursor[dict[str, Any]]

POSITION_COLUMNS = (
    "sku", "location", "available", "held", "on_hand", "reserved", "sellable", "on_order", "in_transit", "position",
    "version", "updated",
)  # fmt: skip
SIGNAL_COLUMNS = ("id", "sku", "location", "version", "status", "disposition", "supplier", "qty", "updated", "data")
ALERT_COLUMNS = ("id", "sku", "location", "version", "kind", "severity", "status", "opened", "updated", "data")


class Target(NamedTuple):
    """The table that holds the states of a topic: its key and its columns."""

    table: Table
    key: tuple[str, ...]
    columns: tuple[str, ...]


TARGETS = {
    each.table: each
    for each in (
        Target("positions", ("sku", "location"), POSITION_COLUMNS),
        Target("signals", ("id",), SIGNAL_COLUMNS),
        Target("alerts", ("id",), ALERT_COLUMNS),
    )
}

DEFINITIONS = """\
CREATE SCHEMA IF NOT EXISTS {schema};
CREATE TABLE IF NOT EXISTS {schema}.positions (
    sku text, location text,
    available bigint NOT NULL, held bigint NOT NULL, on_hand bigint NOT NULL, reserved bigint NOT NULL,
    sellable bigint NOT NULL, on_order bigint NOT NULL, in_transit bigint NOT NULL, position bigint NOT NULL,
    version bigint NOT NULL, updated timestamptz NOT NULL,
    PRIMARY KEY (sku, location)
);
CREATE TABLE IF NOT EXISTS {schema}.available_to_promise (
    sku text, location text, from_date date, qty bigint NOT NULL,
    PRIMARY KEY (sku, location, from_date)
);
CREATE TABLE IF NOT EXISTS {schema}.signals (
    id text PRIMARY KEY, sku text NOT NULL, location text NOT NULL, version bigint NOT NULL, status text NOT NULL,
    disposition text, supplier text, qty bigint, updated timestamptz NOT NULL, data jsonb NOT NULL
);
CREATE TABLE IF NOT EXISTS {schema}.alerts (
    id text PRIMARY KEY, sku text NOT NULL, location text NOT NULL, version bigint NOT NULL, kind text NOT NULL,
    severity text NOT NULL, status text NOT NULL, opened timestamptz NOT NULL, updated timestamptz NOT NULL,
    data jsonb NOT NULL
);
CREATE TABLE IF NOT EXISTS {schema}.progress (
    log text, topic text, partition int, next_offset bigint NOT NULL,
    PRIMARY KEY (log, topic, partition)
);
"""


class PublishedTables:
    """The tables in one schema. Every method is a part of the caller's transaction."""

    def __init__(self, schema: str) -> None:
        self._schema = schema
        self._upserts = {table: self._upsert(table) for table in TARGETS}

    @property
    def definitions(self) -> str:
        """The statements that make the schema, for an administrator."""
        return DEFINITIONS.format(schema=self._schema)

    async def create(self, connection: Connection) -> None:
        """Make what is not there yet, one connector after the other."""
        # Of two that do not find a table and make it at once, PostgreSQL refuses the second, in spite of IF NOT EXISTS.
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"stockline {self._schema}",))
        # The schema's name is a plain one: its profile has checked that.
        await connection.execute(self.definitions.encode())

    async def exist(self, connection: Connection) -> bool:
        """Whether the tables are there."""
        found = await connection.execute("SELECT to_regclass(%s) AS made", (f"{self._schema}.progress",))
        return (await found.fetchall())[0]["made"] is not None

    async def clear(self, connection: Connection) -> None:
        """Remove what another log has left."""
        for name in (*TARGETS, "available_to_promise", "progress"):
            await connection.execute(sql.SQL("DELETE FROM {}").format(self._name(name)))

    async def logs(self, connection: Connection) -> set[str]:
        """The ids of the logs that the tables hold something of; one, or none at the beginning."""
        query = sql.SQL("SELECT DISTINCT log FROM {}").format(self._name("progress"))
        return {row["log"] for row in await (await connection.execute(query)).fetchall()}

    async def write(self, connection: Connection, changes: Sequence[Change], promises: Sequence[Promise] = ()) -> None:
        """Bring states in, and what can be promised; a state that is not later than what is there changes nothing."""
        async with connection.cursor() as cursor:
            for table, upsert in self._upserts.items():
                rows = [_values(change) for change in changes if change.table == table]
                if rows:
                    await cursor.executemany(upsert, rows)
            if promises:
                await self._promise(cursor, promises)

    async def _promise(self, cursor: Cursor, promises: Sequence[Promise]) -> None:
        """Replace what can be promised of rows."""
        name = self._name("available_to_promise")
        delete = sql.SQL("DELETE FROM {} WHERE sku = %s AND location = %s").format(name)
        await cursor.executemany(delete, [(each.sku, each.location) for each in promises])
        insert = sql.SQL("INSERT INTO {} VALUES (%s, %s, %s, %s)").format(name)
        rows = [(each.sku, each.location, day, qty) for each in promises for day, qty in each.days]
        await cursor.executemany(insert, rows)

    async def offsets(self, connection: Connection, log: str) -> dict[tuple[str, int], int]:
        """How far each partition of each topic is written; the rows are locked, so that one writes at a time."""
        query = sql.SQL("SELECT topic, partition, next_offset FROM {} WHERE log = %s FOR UPDATE")
        found = await connection.execute(query.format(self._name("progress")), (log,))
        return {(row["topic"], row["partition"]): row["next_offset"] for row in await found.fetchall()}

    async def reach(self, connection: Connection, log: str, offsets: dict[tuple[str, int], int]) -> None:
        """Write down how far each partition is written."""
        upsert = sql.SQL(
            "INSERT INTO {} (log, topic, partition, next_offset) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (log, topic, partition) DO UPDATE SET next_offset = EXCLUDED.next_offset"
        ).format(self._name("progress"))
        async with connection.cursor() as cursor:
            await cursor.executemany(upsert, [(log, *at, offset) for at, offset in offsets.items()])

    def _upsert(self, table: Table) -> sql.Composed:
        _, key, columns = TARGETS[table]
        changed = [name for name in columns if name not in key]
        return sql.SQL(
            "INSERT INTO {table} AS kept ({columns}) VALUES ({values}) ON CONFLICT ({key}) DO UPDATE SET {changes} "
            "WHERE kept.version < EXCLUDED.version"
        ).format(
            table=self._name(table),
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            values=sql.SQL(", ").join(map(sql.Placeholder, columns)),
            key=sql.SQL(", ").join(map(sql.Identifier, key)),
            changes=sql.SQL(", ").join(
                [sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in changed]
            ),
        )

    def _name(self, table: str) -> sql.Identifier:
        return sql.Identifier(self._schema, table)


def _values(change: Change) -> dict[str, Any]:
    """The columns of a change; what a table has no column for is in `data`."""
    named: JsonObject = {name: change.data.get(name) for name in TARGETS[change.table].columns}
    return named | {"version": change.version, "data": json.dumps(change.data)}

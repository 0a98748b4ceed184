"""Which rows of a table are new, although transactions commit in another order than they wrote.

A row becomes visible when its transaction commits, which may be long after rows with higher numbers. So a reader that
asks for `id > 41` passes over the row 40 that commits a second later. There are two ways around that.

By transaction: the table has a column of type `xid8` whose default is `pg_current_xact_id()`. A snapshot tells the
oldest transaction that still runs (`pg_snapshot_xmin`). Below it every transaction has ended, so no row can appear
there any more: rows are read up to it, in the order of (transaction, key), each once. While a long transaction writes
anywhere in that server, newer rows wait for it.

By change: a view has only a time of change, which is that of the beginning of the transaction. Each round reads again
from `overlap_seconds` before the latest time seen; the row of a transaction that ran for longer is passed over. What is
read again is a duplicate, because its id is the same.

Both read in pages by keyset, so that a page costs the same however far the table is read.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from psycopg import sql

from connectors.base import JsonObject
from connectors.database.profile import TableProfile
from engine.core.errors import UsageError

AT, KEY, DOCUMENT = "stockline_at", "stockline_key", "stockline_document"
TRANSACTION_TYPE = "xid8"
TIME_TYPES = ("timestamp with time zone", "timestamp without time zone")


class Place(NamedTuple):
    """A row in the order of reading: its transaction or time of change, and its key, as the server's text."""

    at: str
    key: tuple[str, ...]


class Statement(NamedTuple):
    """A query and its values."""

    query: sql.Composed
    values: Sequence[object]


def position_of(place: Place, server: str) -> JsonObject:
    """A place as a position, with the server whose transactions it counts."""
    return {"server": server, "at": place.at, "key": list(place.key)}


def place_in(position: JsonObject | None, server: str) -> Place | None:
    """The place of a position; None for the beginning.

    Raises `UsageError` for one of another server: a database that was restored from a dump numbers its transactions
    anew, so its rows could be passed over.
    """
    if position is None:
        return None
    if position["server"] != server:
        raise UsageError(
            f"the position is of another server ({position['server']}, this one is {server}): delete the position to "
            "read from the beginning, which counts twice what the log no longer recognises, or write the new server "
            "into it where the rows and their transactions are the same as before"
        )
    return Place(position["at"], tuple(position["key"]))


class Pages:
    """The queries of one table. `types` are the types of its columns, as the server names them."""

    def __init__(self, table: TableProfile, types: Mapping[str, str]) -> None:
        """Raises `UsageError` where the table has not what the profile says."""
        self._table = table
        self._column = table.transaction_column or table.changed_column or ""
        _check(table, self._column, types)
        self.by_time = table.changed_column is not None
        self._columns = [self._column, *table.key]
        self._casts = [sql.SQL("%s::{}").format(sql.SQL(types[name])) for name in self._columns]

    def first(self, place: Place | None) -> Statement:
        """The first page of a round that goes on from a place; by time it begins the overlap before it."""
        if place is None:
            return self._page(sql.SQL("{} IS NOT NULL").format(sql.Identifier(self._column)), ())
        if not self.by_time:
            return self.after(place)
        begin = sql.SQL("{} >= {} - make_interval(secs => %s)").format(sql.Identifier(self._column), self._casts[0])
        return self._page(begin, (place.at, self._table.overlap_seconds))

    def after(self, place: Place) -> Statement:
        """The page behind a place."""
        columns = sql.SQL(", ").join(map(sql.Identifier, self._columns))
        behind = sql.SQL("({}) > ({})").format(columns, sql.SQL(", ").join(self._casts))
        return self._page(behind, (place.at, *place.key))

    def held(self) -> Statement:
        """The transaction of the first row that waits for the end of another one, as `AT`; only by transaction."""
        query = sql.SQL(
            "SELECT {column}::text AS {at} FROM {table} "
            "WHERE {column} >= pg_snapshot_xmin(pg_current_snapshot()) ORDER BY {column} LIMIT 1"
        ).format(column=sql.Identifier(self._column), at=sql.Identifier(AT), table=table_name(self._table.table))
        return Statement(query, ())

    def _page(self, condition: sql.Composable, values: Sequence[object]) -> Statement:
        table, column = self._table, sql.Identifier(self._column)
        ended = sql.SQL("TRUE") if self.by_time else sql.SQL("{} < pg_snapshot_xmin(pg_current_snapshot())")
        document: sql.Composable = sql.SQL("to_jsonb(stockline_row)")
        if table.event_column is not None:
            document = sql.Identifier(table.event_column)
        query = sql.SQL(
            "SELECT {column}::text AS {at}, ARRAY[{key}] AS {key_name}, {document}::text AS {document_name} "
            "FROM {table} AS stockline_row WHERE {condition} AND {ended} ORDER BY {order} LIMIT {page}"
        ).format(
            column=column,
            at=sql.Identifier(AT),
            key=sql.SQL(", ").join([sql.SQL("{}::text").format(sql.Identifier(name)) for name in table.key]),
            key_name=sql.Identifier(KEY),
            document=document,
            document_name=sql.Identifier(DOCUMENT),
            table=table_name(table.table),
            condition=condition,
            ended=ended.format(column),
            order=sql.SQL(", ").join(map(sql.Identifier, self._columns)),
            page=sql.Literal(table.page),
        )
        return Statement(query, values)


def table_name(name: str) -> sql.Identifier:
    """A table with its schema, quoted."""
    return sql.Identifier(*name.split("."))


def _check(table: TableProfile, column: str, types: Mapping[str, str]) -> None:
    if not types:
        raise UsageError(
            f"there is no table {table.table}, or this user may not see it: check the name, or GRANT SELECT on it"
        )
    wanted = [column, *table.key, *([table.event_column] if table.event_column else [])]
    if missing := [name for name in wanted if name not in types]:
        raise UsageError(f"{table.table} has no column {', '.join(missing)}; it has {', '.join(types)}")
    if table.transaction_column is not None and types[column] != TRANSACTION_TYPE:
        raise UsageError(
            f"{table.table}.{column} is of type {types[column]}, not {TRANSACTION_TYPE}. Add a column that is: "
            f"ALTER TABLE {table.table} ADD COLUMN written_by xid8 NOT NULL DEFAULT pg_current_xact_id()"
        )
    if table.changed_column is not None and types[column] not in TIME_TYPES:
        raise UsageError(f"{table.table}.{column} is of type {types[column]}, and no time of change")

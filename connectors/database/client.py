"""The one connection of a connector to its server, which comes back by itself; errors in the words of a person."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from connectors.profiles import DatabaseServer, Unreachable
from engine.core.errors import UsageError

Connection = psycopg.AsyncConnection[dict[str, Any]]
Query = LiteralString | sql.SQL | sql.Composed

CONNECT_SECONDS = 10
# What is read as text and compared as text again does not depend on whose session it was.
SESSION = "-c datestyle=ISO -c timezone=UTC -c client_encoding=UTF8"
COLUMNS = (
    "SELECT attname, format_type(atttypid, NULL) AS type FROM pg_attribute "
    "WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
)
SERVER = (
    "SELECT (SELECT system_identifier FROM pg_control_system())::text || '/' || oid::text AS server "
    "FROM pg_database WHERE datname = current_database()"
)


class Client:
    """A connection that is made when it is needed, and made anew after it broke."""

    def __init__(self, server: DatabaseServer) -> None:
        self._server = server
        self._connection: Connection | None = None
        self._one_at_a_time = asyncio.Lock()

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def rows(self, query: Query, values: Sequence[object] = ()) -> list[dict[str, Any]]:
        """The rows of a query in a transaction of its own that reads only."""
        async with self.transaction(read_only=True) as connection:
            return await (await connection.execute(query, values or None)).fetchall()

    @asynccontextmanager
    async def transaction(self, read_only: bool = False) -> AsyncIterator[Connection]:
        """A transaction: it is committed at the end, and rolled back where anything is raised.

        Raises:
            Unreachable: the server does not answer, or ended the transaction for a reason that passes.
            UsageError: the statement, the rights or the login are wrong.
        """
        async with self._one_at_a_time:
            try:
                connection = await self._connected()
                async with connection.transaction():
                    if read_only:
                        await connection.execute("SET TRANSACTION READ ONLY")
                    yield connection
            except psycopg.Error as error:
                await self.close()
                raise self._in_words(error) from None

    async def server(self) -> str:
        """What tells the database from every other: the server's identity and the number of the database in it."""
        return str((await self.rows(SERVER))[0]["server"])

    async def columns(self, table: str) -> Mapping[str, str]:
        """The columns of a table with their types; none where it cannot be seen."""
        return {row["attname"]: row["type"] for row in await self.rows(COLUMNS, (table,))}

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            server = self._server
            self._connection = await psycopg.AsyncConnection.connect(
                host=server.host,
                port=server.port,
                dbname=server.database,
                user=server.user,
                password=None if server.password is None else server.password.reveal(),
                sslmode=server.sslmode,
                connect_timeout=CONNECT_SECONDS,
                options=f"{SESSION} -c statement_timeout={int(server.timeout_seconds * 1000)}",
                application_name="stockline",
                row_factory=dict_row,
            )
        return self._connection

    def _in_words(self, error: psycopg.Error) -> Unreachable | UsageError:
        server = f"the database {self._server.database!r} at {self._server.host}:{self._server.port}"
        said = " ".join(str(error).split())[:500] or type(error).__name__
        if error.sqlstate is None or isinstance(error, PASSING):
            return Unreachable(f"{server} does not answer as it should: {said}")
        return UsageError(f"{server} refused it ({error.sqlstate}): {said}")


PASSING = (psycopg.OperationalError, psycopg.errors.InternalError_)
"""The classes of errors that may pass: connection, resources, intervention of an operator, conflicts, time."""

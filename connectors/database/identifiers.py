"""The identifiers as a table or view of a PostgreSQL, read again when its rows are others: a `MappingSource`."""

from typing import Final

from psycopg import sql

from connectors.database.client import Client
from connectors.database.watermark import table_name
from connectors.identifiers import Mapping, mapping_of, row_of
from connectors.profiles import IdentifierTable
from engine.core.errors import UsageError

# The sum does not depend on the order of the rows, which a table has not. A view has no number of its last change.
DIGEST: Final = sql.SQL(
    "SELECT count(*)::text || '/' || coalesce(sum(hashtextextended(ROW(partner, kind, theirs, ours)::text, 0)"
    "::numeric), 0)::text AS digest FROM {}"
)
ROWS: Final = sql.SQL(
    "SELECT coalesce(partner::text, '') COLLATE \"C\" AS partner, coalesce(kind::text, '') COLLATE \"C\" AS kind, "
    "coalesce(theirs::text, '') COLLATE \"C\" AS theirs, coalesce(ours::text, '') COLLATE \"C\" AS ours "
    "FROM {} ORDER BY 1, 2, 3, 4"
)


class MappingTable:
    """A mapping in a table. Rows that are not right, and a server that does not answer, leave the one before in force.

    Where several names of a partner mean one of ours, the first one in the order of their letters is taken back.
    """

    def __init__(self, profile: IdentifierTable) -> None:
        self._client = Client(profile.server)
        self._table = profile.table
        self._digest: str | None = None
        self._mapping: Mapping | None = None

    def current(self) -> Mapping:
        """The mapping that the last good look has found. Raises `UsageError` before there was one."""
        if self._mapping is None:
            raise UsageError(f"the identifiers of the table {self._table} have not been read")
        return self._mapping

    async def look(self) -> None:
        """Ask the server for a digest of the rows, and read them if it is another one.

        Raises `Unreachable`, and `UsageError` for rows that are not right or may not be read.
        """
        name = table_name(self._table)
        digest = str((await self._client.rows(DIGEST.format(name)))[0]["digest"])
        if digest == self._digest:
            return
        rows = [
            (row["partner"], row["kind"], row["theirs"], row["ours"])
            for row in await self._client.rows(ROWS.format(name))
        ]
        self._mapping = mapping_of(f"of the table {self._table}", ((f"the row {row}", row_of(row)) for row in rows))
        self._digest = digest

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()

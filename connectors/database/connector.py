"""The connector of kind `database`: a source for each table, and the sink where the profile publishes."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from connectors.database.client import Client
from connectors.database.profile import Profile, TableProfile
from connectors.database.rows import RowTranslation
from connectors.database.source import TableSource
from connectors.database.watermark import Pages
from connectors.ports import Finding, Sink, Source, Tools
from connectors.profiles import Unreachable
from engine.core.errors import UsageError


class DatabaseConnector:
    """An open connection to a PostgreSQL; an asynchronous context manager."""

    def __init__(self, profile: Profile, tools: Tools) -> None:
        self._profile = profile
        self._client = Client(profile.server)
        self._sources = {
            table.name: TableSource(table, self._client, RowTranslation(table, profile.event_source, tools.identifiers))
            for table in profile.tables
        }

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    @property
    def sources(self) -> Mapping[str, Source]:
        """A source for each table, by its name in the profile."""
        return self._sources

    @property
    def sinks(self) -> Mapping[str, Sink]:
        """The sink, where the profile publishes."""
        return {}

    async def check(self) -> Sequence[Finding]:
        """Log in, and look at every table."""
        server = self._profile.server
        what = f"the database {server.database!r} at {server.host}:{server.port}"
        try:
            version = (await self._client.rows("SELECT current_setting('server_version') AS version"))[0]["version"]
        except (Unreachable, UsageError) as error:
            return [Finding(what, False, str(error))]
        found = [Finding(what, True, f"PostgreSQL {version}, logged in as {server.user}")]
        return [*found, *[await self._look_at(table) for table in self._profile.tables]]

    async def _look_at(self, table: TableProfile) -> Finding:
        what = f"the table {table.table}"
        try:
            pages = Pages(table, await self._client.columns(table.table))
            rows = await self._client.rows(*pages.first(None))
        except (Unreachable, UsageError) as error:
            return Finding(what, False, str(error))
        more = " or more" if len(rows) == table.page else ""
        return Finding(what, True, f"{len(rows)}{more} rows to read")

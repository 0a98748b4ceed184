"""The connector of kind `database`: a source for each table, and the sink where the profile publishes."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from connectors.database.client import Client
from connectors.database.profile import Profile, PublishProfile, TableProfile
from connectors.database.publisher import Publisher
from connectors.database.rows import RowTranslation
from connectors.database.sink import StreamSink
from connectors.database.source import TableSource
from connectors.database.watermark import Pages
from connectors.ports import Finding, Sink, Source, Tools
from connectors.profiles import Unreachable
from engine.core.errors import UsageError

if TYPE_CHECKING:
    from connectors.database.topics import TopicSink


class DatabaseConnector:
    """An open connection to a PostgreSQL; an asynchronous context manager."""

    def __init__(self, profile: Profile, tools: Tools) -> None:
        self._profile = profile
        self._client = Client(profile.server)
        self._sources = {
            table.name: TableSource(table, self._client, RowTranslation(table, profile.event_source, tools.identifiers))
            for table in profile.tables
        }
        self._publisher = None if profile.publish is None else Publisher(self._client, profile.publish)
        self._sink = None if self._publisher is None else _sink_of(self._publisher, profile.publish)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sink is not None:
            await self._sink.close()
        await self._client.close()

    @property
    def sources(self) -> Mapping[str, Source]:
        """A source for each table, by its name in the profile."""
        return self._sources

    @property
    def sinks(self) -> Mapping[str, Sink]:
        """The sink, where the profile publishes."""
        return {} if self._sink is None else {"publish": self._sink}

    async def check(self) -> Sequence[Finding]:
        """Log in, and look at every table."""
        server = self._profile.server
        what = f"the database {server.database!r} at {server.host}:{server.port}"
        try:
            version = (await self._client.rows("SELECT current_setting('server_version') AS version"))[0]["version"]
        except (Unreachable, UsageError) as error:
            return [Finding(what, False, str(error))]
        found = [Finding(what, True, f"PostgreSQL {version}, logged in as {server.user}")]
        found += [await self._look_at(table) for table in self._profile.tables]
        if self._publisher is not None:
            found.append(await self._look_at_published(self._publisher))
        return found

    async def _look_at(self, table: TableProfile) -> Finding:
        what = f"the table {table.table}"
        try:
            pages = Pages(table, await self._client.columns(table.table))
            rows = await self._client.rows(*pages.first(None))
        except (Unreachable, UsageError) as error:
            return Finding(what, False, str(error))
        more = " or more" if len(rows) == table.page else ""
        return Finding(what, True, f"{len(rows)}{more} rows to read")

    async def _look_at_published(self, publisher: Publisher) -> Finding:
        what = f"the schema {publisher.schema}"
        try:
            async with self._client.transaction(read_only=True) as connection:
                there = await publisher.tables.exist(connection)
        except (Unreachable, UsageError) as error:
            return Finding(what, False, str(error))
        if there:
            return Finding(what, True, "its tables are there")
        if publisher.creates:
            return Finding(what, True, "its tables will be made")
        return Finding(what, False, f"its tables are not there; an administrator runs:\n{publisher.tables.definitions}")


def _sink_of(publisher: Publisher, profile: PublishProfile | None) -> "StreamSink | TopicSink":
    if profile is None or profile.kafka is None:
        return StreamSink(publisher)
    # Who publishes from one machine starts without the clients of Kafka.
    from connectors.database.topics import TopicSink

    return TopicSink(publisher, profile.kafka)

"""Writes changes into the tables of one schema, each in a transaction with what can be promised of its row."""

import logging
from collections.abc import Sequence

from connectors.changes import Change
from connectors.client import EngineClient
from connectors.database.client import Client
from connectors.database.profile import PublishProfile
from connectors.database.promises import Promise, promises_of
from connectors.database.published import PublishedTables
from engine.core.errors import UsageError

LISTED = "lists"
"""The name of the lists in the table of progress, where Kafka has topics."""

log = logging.getLogger(__name__)


class Publisher:
    """Writes changes into the tables of one schema."""

    def __init__(self, client: Client, profile: PublishProfile) -> None:
        self.client = client
        self.tables = PublishedTables(profile.into)
        self.schema, self.creates = profile.into, profile.create

    async def prepare(self) -> None:
        """Make the tables where the profile allows that. Raises `UsageError` where they are not there."""
        async with self.client.transaction() as connection:
            if self.creates:
                await self.tables.create(connection)
            elif not await self.tables.exist(connection):
                raise UsageError(
                    f"the tables of the schema {self.schema} are not there: let an administrator run what "
                    "`stockline connectors check` prints, or set `create = true`"
                )

    async def begin(self, log_id: str | None) -> None:
        """What was written from another log goes: its rows may not exist in this one."""
        async with self.client.transaction() as connection:
            if await self.tables.logs(connection) - {str(log_id)}:
                self.warn("the engine has another log than the tables, which are written anew")
                await self.tables.clear(connection)
            await self.tables.reach(connection, str(log_id), {(LISTED, 0): 0})

    async def write(self, engine: EngineClient, changes: Sequence[Change]) -> None:
        """Write changes, and what can be promised of their rows, in one transaction."""
        promises = await self.promises(engine, changes)
        async with self.client.transaction() as connection:
            await self.tables.write(connection, changes, promises)

    async def promises(self, engine: EngineClient, changes: Sequence[Change]) -> list[Promise]:
        """What can be promised of the rows that changed; the engine is asked outside of any transaction."""
        return await promises_of(engine, [change.data for change in changes if change.table == "positions"])

    def warn(self, what: str) -> None:
        """Tell an operator what was found."""
        log.warning("the tables of the schema %s: %s", self.schema, what)

"""The identifiers of a connector while it is open: those of a file, or of a table that is looked at again and again."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from connectors.host.health import PartHealth
from connectors.identifiers import NO_MAPPING, Mapping, Names, read_rows
from connectors.profiles import ConnectorProfile, IdentifierTable

if TYPE_CHECKING:
    from connectors.database.identifiers import MappingTable

LOOK_SECONDS: Final = 5.0
"""How long a change of a table may be unnoticed."""

log = logging.getLogger(__name__)


@asynccontextmanager
async def opened_names(profile: ConnectorProfile, health: PartHealth | None = None) -> AsyncIterator[Names]:
    """The names of a profile; `health` is told how a table is doing.

    Raises `UsageError`, and `Unreachable` where a table cannot be read at the beginning.
    """
    where = profile.identifiers
    if not isinstance(where, IdentifierTable):
        yield Names.of(where, profile.names_are_ours)
        return
    async with _opened(where) as table:
        following = asyncio.create_task(_follow(table, health or PartHealth(), profile.name))
        try:
            yield Names(table, profile.names_are_ours)
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


async def present_mapping(profile: ConnectorProfile) -> Mapping:
    """The identifiers of a profile as they are now. Raises as `opened_names` does."""
    where = profile.identifiers
    if where is None:
        return NO_MAPPING
    if not isinstance(where, IdentifierTable):
        return read_rows(where)
    async with _opened(where) as table:
        return table.current()


@asynccontextmanager
async def _opened(where: IdentifierTable) -> AsyncIterator["MappingTable"]:
    # Only a profile that has a table needs the library of databases.
    from connectors.database.identifiers import MappingTable

    table = MappingTable(where)
    try:
        await table.look()
        yield table
    finally:
        await table.close()


async def _follow(table: "MappingTable", health: PartHealth, name: str) -> None:
    """Look at a table until cancelled; what goes wrong is said once, and the rows before it stay in force."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        health.began()
        try:
            await table.look()
        except Exception as error:  # noqa: BLE001 - whatever goes wrong costs only what is new in the table
            before = health.error
            if (sentence := health.failed(error, LOOK_SECONDS)) != before:
                log.warning("%s: %s; the identifiers from before stay in force", name, sentence)
        else:
            health.succeeded()

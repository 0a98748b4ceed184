"""Reads tables and views of a PostgreSQL, and keeps tables of positions, signals and alerts in one.

A source delivers exactly once in the log. Which rows are new follows from the transaction that wrote them or from when
they were changed (`connectors.database.watermark`), so a row whose transaction commits late is not passed over. The id
of an event follows from the key of its row, so a row that is read twice is a duplicate. The sink writes what it
publishes together with how far it has come in one transaction, exactly once.
"""

from connectors.database.connector import DatabaseConnector
from connectors.database.profile import Profile
from connectors.ports import Tools


def connect(profile: Profile, tools: Tools) -> DatabaseConnector:
    """A connector, which is not connected yet."""
    return DatabaseConnector(profile, tools)

"""The composition of logouts that hold at every process of a cluster, and on one machine after a restart."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from engine.access.gate import LoginGate
from engine.bus.disk.logouts import NAME, LogoutFile
from engine.bus.kafka.logouts import Logouts
from engine.kafka.connection import Connection
from engine.settings import AccessSettings
from engine.web.admission import Admission


@asynccontextmanager
async def shared_logouts(admission: Admission, access: AccessSettings, connection: Connection) -> AsyncIterator[None]:
    """While this runs, a logout here holds at the other processes that take the sessions of this one, and theirs here.

    Without a secret that they share, no other process takes the sessions of this one, and nobody is told.
    """
    gate = _gate_of_kept_sessions(admission, access)
    if gate is None:
        yield
        return
    logouts = Logouts(connection, gate.sessions.end)
    await logouts.start()
    gate.tell = logouts.tell
    try:
        yield
    finally:
        gate.tell = None
        await logouts.stop()


def kept_logouts(admission: Admission, access: AccessSettings | None, data: Path) -> None:
    """Let a logout be kept in the data directory, and those that are kept there hold. Raises EnvironmentFailure."""
    gate = None if access is None else _gate_of_kept_sessions(admission, access)
    if gate is None:
        return
    file = LogoutFile(data / NAME)
    for ended in file.open():
        gate.sessions.end(ended.session, ended.until)
    gate.tell = file.tell


def _gate_of_kept_sessions(admission: Admission, access: AccessSettings) -> LoginGate | None:
    """The gate whose sessions survive the process, because their secret does; None where no session does."""
    gate = admission.gate
    return gate if isinstance(gate, LoginGate) and access.secret("session_secret") is not None else None

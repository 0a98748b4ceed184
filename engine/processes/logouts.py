"""The composition of logouts that hold at every process of a cluster."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from engine.access.gate import LoginGate
from engine.bus.kafka.logouts import Logouts
from engine.kafka.connection import Connection
from engine.settings import AccessSettings
from engine.web.admission import Admission


@asynccontextmanager
async def shared_logouts(admission: Admission, access: AccessSettings, connection: Connection) -> AsyncIterator[None]:
    """While this runs, a logout here holds at the other processes that take the sessions of this one, and theirs here.

    Without a secret that they share, no other process takes the sessions of this one, and nobody is told.
    """
    gate = admission.gate
    if not isinstance(gate, LoginGate) or access.secret("session_secret") is None:
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

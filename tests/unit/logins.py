"""A running server that asks for logins, with one token of every role."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from aiohttp import ClientSession

from engine.access.gate import LoginGate, SessionKeep
from engine.access.last_used import LastUsed
from engine.access.principal import ROLES, Principal, Role
from engine.access.provider import Provider
from engine.access.tokens import TokenFile
from engine.telemetry import Telemetry
from engine.web import server
from engine.web.admission import Admission, Limits
from engine.web.bodies import Intake
from engine.web.bodies import Limits as BodyLimits
from engine.web.ports import Context
from tests.unit.fake_service import FakeService
from tests.unit.web_client import figures

SOURCE, SUPPLIER = "wms/leeds", "ACME"


class Guarded(NamedTuple):
    """A server that asks for logins: `tokens` has one of each role, under the role's name."""

    url: str
    service: FakeService
    client: ClientSession
    file: TokenFile
    tokens: dict[Role, str]
    context: Context

    def bearer(self, role: Role | None) -> dict[str, str]:
        return {} if role is None else {"Authorization": f"Bearer {self.tokens[role]}"}


def principal(role: Role) -> Principal:
    source, supplier = SOURCE if role == "adapter" else None, SUPPLIER if role == "supplier" else None
    return Principal(role, frozenset({role}), source, supplier)


@asynccontextmanager
async def guarded(
    folder: Path, limits: Limits | None = None, provider: Provider | None = None, session_seconds: float = 3600
) -> AsyncIterator[Guarded]:
    path = folder / "tokens"
    file, service = TokenFile(path), FakeService()
    tokens = {role: file.create(principal(role), None)[1] for role in ROLES}
    gate = LoginGate(file, LastUsed(path), SessionKeep(b"s" * 32, session_seconds), provider)
    context = Context(service, service.columns, Intake(BodyLimits(1 << 20)), Telemetry(figures))
    app = server.application(context, admitting=Admission(gate, limits or Limits(per_second=10_000)))
    async with server.serving(app, server.bind("127.0.0.1", 0)) as url, ClientSession(url) as client:
        yield Guarded(url, service, client, file, tokens, context)

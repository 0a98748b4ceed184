"""The port of a worker asks for logins as the other entrances do."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import ClientSession

from engine.access.gate import LoginGate, SessionKeep
from engine.access.last_used import LastUsed
from engine.access.principal import ROLES, Role
from engine.access.tokens import TokenFile
from engine.core.errors import UsageError
from engine.core.payloads import ClockAcceptedData
from engine.processes.admission import admission_of
from engine.settings import AccessSettings, Settings
from engine.web import server
from engine.web.admission import Admission
from engine.web.probes import application
from tests.unit.logins import principal


class Jumped:
    """A worker whose clock has jumped."""

    ready = True

    def trouble(self) -> str | None:
        return None

    async def accept_clock(self, by: str) -> ClockAcceptedData | None:
        return ClockAcceptedData(at=datetime(2026, 3, 2, tzinfo=UTC), jumped_seconds=7200, by=by)


async def test_probes_are_open_and_the_rest_is_for_operators(tmp_path: Path) -> None:
    file = TokenFile(tmp_path / "tokens")
    tokens: dict[Role | None, str] = {role: file.create(principal(role), None)[1] for role in ROLES}
    gate = LoginGate(file, LastUsed(tmp_path / "tokens"), SessionKeep(b"s" * 32, 60), None)
    app = application(Jumped(), lambda: b"", True, Admission(gate))
    async with server.serving(app, server.bind("127.0.0.1", 0)) as url, ClientSession(url) as client:
        for role in (None, *ROLES):
            headers = {} if role is None else {"Authorization": f"Bearer {tokens[role]}"}
            refused = 401 if role is None else 403
            for method, path, allowed in (
                ("GET", "/healthz", True),
                ("GET", "/readyz", True),
                ("GET", "/metrics", role == "operator"),
                ("GET", "/v1/settings", role == "operator"),
                ("POST", "/v1/clock/accept", role == "operator"),
            ):
                body = b"{}" if method == "POST" else None
                async with client.request(method, path, data=body, headers=headers) as answer:
                    assert answer.status == (200 if allowed else refused), (role, path)
                    if allowed and method == "POST":
                        assert (await answer.json())["by"] == "operator"


@pytest.mark.parametrize(
    ("settings", "access", "asks"),
    [
        ({}, {}, False),
        ({}, {"tokens": "t"}, True),
        ({"host": "::1"}, {}, False),
        ({}, {"tokens": "t", "public_url": "https://stock.example.com/"}, True),
        ({"host": "10.0.0.1", "insecure": True}, {}, False),
        ({}, {"oidc_issuer": "https://login.example.com", "oidc_client_id": "stockline"}, True),
        ({"host": "10.0.0.1"}, {"oidc_issuer": "https://login.example.com", "oidc_client_id": "stockline"}, True),
    ],
)
def test_who_is_asked_follows_from_the_address_and_what_is_named(
    tmp_path: Path, settings: dict[str, object], access: dict[str, str], asks: bool
) -> None:
    TokenFile(tmp_path / "t").create(principal("viewer"), None)
    if "tokens" in access:
        access = {**access, "tokens": str(tmp_path / "t")}
    made = Settings.model_validate({"data": tmp_path / "data", **settings})
    assert admission_of(made, AccessSettings.model_validate(access)).gate.asks is asks


@pytest.mark.parametrize(
    ("settings", "access", "said"),
    [
        ({"host": "0.0.0.0"}, {}, "refusing to listen on 0.0.0.0"),
        # For the process a proxy is a caller on this machine, and whoever comes through it is not.
        ({}, {"public_url": "https://stock.example.com"}, "refusing to listen on https://stock.example.com: callers"),
        ({"insecure": True}, {"tokens": "t"}, "give one"),
        ({}, {"tokens": "t", "session_secret": "short"}, "at least 32"),
        (
            {},
            {"oidc_issuer": "https://l.example", "oidc_client_id": "s", "oidc_roles": {"x": "admin"}},
            "names 'admin'",
        ),
    ],
)
def test_settings_that_make_no_sense_are_said(
    tmp_path: Path, settings: dict[str, object], access: dict[str, object], said: str
) -> None:
    TokenFile(tmp_path / "t").create(principal("viewer"), None)
    if "tokens" in access:
        access = {**access, "tokens": str(tmp_path / "t")}
    made = Settings.model_validate({"data": tmp_path / "data", **settings})
    with pytest.raises(UsageError, match=said):
        admission_of(made, AccessSettings.model_validate(access))


def test_the_address_of_a_proxy_is_an_origin() -> None:
    """Behind it stands the address to which a provider sends people back, and before it that of a page's origin."""
    told = AccessSettings.model_validate({"public_url": "https://stock.example.com:8443/"})
    assert told.public_url == "https://stock.example.com:8443"
    with pytest.raises(ValueError, match="has a path"):
        AccessSettings.model_validate({"public_url": "https://example.com/stock"})

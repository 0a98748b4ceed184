"""What a supplier, or who has no login, tries in order to see or do more: every way ends as the rules say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from engine.access.principal import Principal
from engine.access.tokens import TokenFile
from engine.web.admission import SESSION_COOKIE, Limits
from engine.web.calls.login import LOGIN_COOKIE
from tests.unit.logins import Guarded, guarded
from tests.unit.test_access_http import session
from tests.unit.test_access_matrix import HANDSHAKE
from tests.unit.test_access_supplier import site as open_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Guarded]:
    async with guarded(tmp_path) as running:
        running.service.open_signal("s")
        running.service.receive("A", "L", 5)
        yield running


# other names, other paths, other headers ------------------------------------------------------------------------------


async def test_a_name_that_only_looks_like_a_suppliers_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_site(tmp_path, monkeypatch) as (client, vera):
        file = TokenFile(tmp_path / "tokens")
        said = {"lines": [{"order": "PO-1", "line": 1, "schedule": [{"status": "rejected", "qty": 40}]}]}
        # Other case, wide letters, Cyrillic letters, a composed accent, and a pattern of names.
        for name in ("acme", "\uff21\uff23\uff2d\uff25", "\u0410\u0421\u041c\u0415", "ACM\u00c9", "ACM?", "ACME/"):
            _, token = file.create(Principal("eve", frozenset({"supplier"}), supplier=name), None)
            eve = {"Authorization": f"Bearer {token}"}
            async with client.get("/v1/supplier/lines?supplier=ACME", headers=eve) as answer:
                assert (await answer.json())["total"] == 0, name
            async with client.post("/v1/supplier/acknowledgements", json=said, headers=eve) as answer:
                assert (await answer.json())["lines"][0]["reason"] == "unknown_line", name
        async with client.get("/v1/supplier/lines", headers=vera) as answer:
            assert not any(line["schedule"] for line in (await answer.json())["items"])


PATHS = (
    "/v1/supplier/lines/../../positions", "/v1/supplier%2f..%2fpositions", "/v1/supplier/..%2fpositions",
    "/v1%2fpositions", "//v1/positions", "/v1//positions",
    "/v1/./positions", "/v1/positions/", "/v1/positions%00", "/v1/positions;a=b",
    "/V1/POSITIONS", "/%76%31/positions", "/v1/positions/B-9%2fLDS", "/v1/positions/B-9/LDS",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
async def test_no_spelling_of_a_path_goes_around_the_rules(site: Guarded, path: str) -> None:
    asked = URL(site.url + path, encoded=True)
    async with site.client.get(asked, headers=site.bearer("supplier")) as answer:
        assert answer.status in (403, 404), path
        assert "available" not in await answer.text()


TRICKS = (
    {"X-Original-URL": "/v1/positions"}, {"X-Rewrite-URL": "/v1/positions"}, {"X-HTTP-Method-Override": "PUT"},
    {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "localhost", "Forwarded": "for=127.0.0.1"},
    {"X-Forwarded-User": "operator", "Remote-User": "operator", "X-Remote-User": "operator"},
    {"X-Stockline": "page", "X-Supplier": "OTHER"}, {"Last-Event-ID": "0"}, {"If-None-Match": "*"},
    {"Range": "bytes=0-"}, {"Accept": "text/csv"}, {"Accept": "text/event-stream"}, {"Accept": "text/html"},
)  # fmt: skip


@pytest.mark.parametrize("headers", TRICKS, ids=str)
async def test_no_header_makes_another_caller(site: Guarded, headers: dict[str, str]) -> None:
    for path in ("/v1/positions", "/v1/signals/s", "/v1/stream", "/metrics"):
        async with site.client.get(path, headers=site.bearer("supplier") | headers) as answer:
            assert (answer.status, (await answer.json())["reason"]) == (403, "forbidden"), path
    async with site.client.get("/v1/me", headers=site.bearer("supplier") | headers) as answer:
        assert (await answer.json())["supplier"] == "ACME"


@pytest.mark.parametrize("secret", ["\udcff\udcfe", "\u00e9", "x" * 5000, "_", ""])
async def test_a_secret_that_cannot_be_one_is_a_wrong_one(site: Guarded, secret: str) -> None:
    [known] = [token for token in site.file.all() if token.name == "supplier"]
    reader, writer = await asyncio.open_connection("127.0.0.1", URL(site.url).port)
    call = f"GET /v1/me HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer slk_{known.id}_{secret}\r\n\r\n"
    writer.write(call.encode(errors="surrogateescape"))
    assert b" 401 " in await asyncio.wait_for(reader.readline(), 30)
    writer.close()


# cookies and sessions -------------------------------------------------------------------------------------------------


async def test_a_cookie_of_another_process_is_none(site: Guarded, tmp_path: Path) -> None:
    cookie = await session(site, site.tokens["operator"])
    (tmp_path / "other").mkdir()
    # The secret is the same here, and the token behind the session is not known to the other process.
    async with (
        guarded(tmp_path / "other") as other,
        other.client.get("/v1/flow", headers=cookie) as answer,
    ):
        assert (answer.status, (await answer.json())["reason"]) == (401, "login_expired")


async def test_the_cookie_of_a_login_that_has_begun_is_no_session(site: Guarded) -> None:
    cookie = await session(site, site.tokens["operator"])
    value = cookie["Cookie"].partition("=")[2]
    begun = {"Cookie": f"{LOGIN_COOKIE}={value}"}
    async with site.client.get("/v1/me", headers=begun) as answer:
        assert (answer.status, (await answer.json())["reason"]) == (401, "login_required")
    async with site.client.get("/login/callback?state=x&code=y", headers=begun) as answer:
        assert (answer.status, SESSION_COOKIE in answer.cookies) == (404, False)


async def test_an_open_socket_ends_when_its_token_is_revoked(tmp_path: Path) -> None:
    async with guarded(tmp_path, Limits(recheck_seconds=0.05)) as site:
        async with site.client.ws_connect("/v1/live", headers=site.bearer("viewer")) as socket:
            site.file.revoke("viewer")
            heard = await asyncio.wait_for(socket.receive(), 30)
            assert heard.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.ERROR)
        async with site.client.get("/v1/live", headers=site.bearer("viewer") | HANDSHAKE) as answer:
            assert answer.status == 401


# keys -----------------------------------------------------------------------------------------------------------------


async def test_the_key_of_another_caller_gives_nothing_of_its_answer(site: Guarded) -> None:
    paul = site.file.create(Principal("paul", frozenset({"planner"})), None)[1]
    key = {"Idempotency-Key": "k-1"}
    async with site.client.post(
        "/v1/signals/s/accept", json={"reason": "mine"}, headers=site.bearer("planner") | key
    ) as one:
        assert (one.status, (await one.json())["by"]) == (200, "planner")
    for headers, status in (({"Authorization": f"Bearer {paul}"}, 409), (site.bearer("supplier"), 403)):
        async with site.client.post("/v1/signals/s/accept", json={"reason": "mine"}, headers=headers | key) as answer:
            assert answer.status == status, await answer.text()

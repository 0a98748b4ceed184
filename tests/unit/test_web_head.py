"""HEAD is answered as GET is, to the same callers, and without a body."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from aiohttp import ClientSession

from engine.access.principal import ROLES, Role
from engine.access.rules import ANYONE, RULES
from engine.web import server
from engine.web.probes import application
from engine.web.routes import ROUTES, Route
from tests.unit.logins import Guarded, guarded
from tests.unit.test_access_matrix import path_of
from tests.unit.test_access_worker import Jumped

NONE = {"followChanges", "followWindows", "beginLogin", "finishLogin"}
READ = [route for route in ROUTES if route.method == "GET" and route.operation not in NONE]
VARYING = {"Date", "Content-Length", "Content-Security-Policy"}
"""The clock is in many bodies, and a page has another nonce each time."""


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Guarded]:
    async with guarded(tmp_path) as running:
        running.service.open_signal("thing")
        running.service.open_alert("thing")
        running.service.receive("A", "L", 5)
        yield running


def said(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers; of those that vary that they are there. What is sent in chunks has no length to tell."""
    return {
        name: "there" if name in VARYING else value for name, value in headers.items() if name != "Transfer-Encoding"
    }


async def both(client: ClientSession, path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """The status and the body of a GET, to which the answer of a HEAD is the same but for its body."""
    async with client.get(path, headers=headers, allow_redirects=False) as got:
        status, told, body = got.status, said(got.headers), await got.read()
    async with client.head(path, headers=headers, allow_redirects=False) as got:
        assert (got.status, await got.read()) == (status, b""), path
        assert said(got.headers) == told, path
    return status, body


@pytest.mark.parametrize("route", READ, ids=[route.operation for route in READ])
async def test_the_answer_is_that_of_get_without_its_body(site: Guarded, route: Route) -> None:
    roles: list[Role | None] = [None, *ROLES]
    for role in roles:
        status, _ = await both(site.client, path_of(route), site.bearer(role))
        assert (status == 401) == (role is None and RULES[route.operation] is not ANYONE)


async def test_a_csv_and_a_page_without_a_login_are_told_too_and_the_connection_goes_on(site: Guarded) -> None:
    async with ClientSession(site.url) as client:
        for _ in range(2):
            status, body = await both(client, "/v1/positions?format=csv", site.bearer("viewer"))
            assert (status, body.startswith(b"sku")) == (200, True)
        assert (await both(client, "/stock", {"Accept": "text/html"}))[0] == 303


async def test_a_tag_is_told_and_heeded(site: Guarded) -> None:
    viewer = site.bearer("viewer")
    for path in ("/v1/signals/thing", "/v1/signals"):
        async with site.client.head(path, headers=viewer) as got:
            tag = got.headers["ETag"]
        assert (await both(site.client, path, viewer | {"If-None-Match": tag}))[0] == 304


@pytest.mark.parametrize("path", ["/v1/stream", "/v1/live", "/login/provider", "/login/callback", "/v1/events"])
async def test_what_has_no_end_or_logs_in_has_none(site: Guarded, path: str) -> None:
    async with site.client.head(path, headers=site.bearer("operator")) as got:
        assert (got.status, "HEAD" in got.headers["Allow"]) == (405, False)


async def test_the_port_of_a_worker_answers_it() -> None:
    app = application(Jumped(), lambda: b"figures", True)
    async with server.serving(app, server.bind("127.0.0.1", 0)) as url, ClientSession(url) as client:
        for path in ("/healthz", "/readyz", "/metrics", "/v1/settings"):
            assert (await both(client, path, {}))[0] == 200

"""Logins over HTTP: sessions, other sites' pages, streams, and what happens to a login in the middle of work."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from engine.web import answers
from engine.web.admission import SESSION_COOKIE, Limits
from tests.unit.logins import SOURCE, Guarded, guarded, principal
from tests.unit.test_access_matrix import EVENT, HANDSHAKE
from tests.unit.web_client import site as open_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Guarded]:
    async with guarded(tmp_path) as running:
        yield running


async def entered(site: Guarded, token: str, following: str = "/") -> tuple[int, str | None, str | None]:
    """The status, the cookie and the address that follow from a login with a token."""
    form = {"token": token, "next": following}
    async with site.client.post("/login", data=form, allow_redirects=False) as got:
        cookie = got.cookies.get(SESSION_COOKIE)
        return got.status, None if cookie is None else cookie.OutputString(), got.headers.get("Location")


async def session(site: Guarded, token: str) -> dict[str, str]:
    _, cookie, _ = await entered(site, token)
    assert cookie is not None
    site.client.cookie_jar.clear()
    return {"Cookie": cookie.partition(";")[0]}


async def got(site: Guarded, method: str, path: str, headers: dict[str, str], body: Any = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body)
    async with site.client.request(method, path, data=data, headers=headers, allow_redirects=False) as answer:
        text = await answer.text()
        return answer.status, json.loads(text) if "json" in answer.content_type else text


# sessions -------------------------------------------------------------------------------------------------------------


async def test_a_token_begins_a_session_whose_cookie_only_this_server_gets(site: Guarded) -> None:
    status, cookie, following = await entered(site, site.tokens["planner"], "/stock?sort=-position")
    assert (status, following) == (303, "/stock?sort=-position")
    assert cookie is not None
    assert cookie.startswith("__Host-stockline=")
    assert {"HttpOnly", "Secure", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    status, me = await got(site, "GET", "/v1/me", await session(site, site.tokens["planner"]))
    assert (status, me["name"], me["roles"], me["login"]) == (200, "planner", ["planner"], "session")


@pytest.mark.parametrize("following", ["//evil.example", "https://evil.example", "/\\evil.example", "", "x"])
async def test_a_login_leads_to_no_other_site(site: Guarded, following: str) -> None:
    assert (await entered(site, site.tokens["viewer"], following))[2] == "/"


async def test_a_wrong_token_is_a_page_that_says_so(site: Guarded) -> None:
    form = {"token": "slk_<script>", "next": '/"><script>'}
    async with site.client.post("/login", data=form) as answer:
        text = await answer.text()
        assert (answer.status, SESSION_COOKIE in answer.cookies) == (401, False)
    assert "the token is not known here" in text
    assert "<script" not in text


async def test_a_session_ends_when_a_person_logs_out(site: Guarded) -> None:
    cookie = await session(site, site.tokens["viewer"])
    assert (await got(site, "POST", "/logout", cookie | {"X-Stockline": "page"}))[0] == 204
    status, problem = await got(site, "GET", "/v1/me", cookie)
    assert (status, problem["reason"]) == (401, "login_expired")


async def test_who_is_logged_in_may_log_in_as_another_and_a_foreign_page_may_not_make_it_so(site: Guarded) -> None:
    cookie = await session(site, site.tokens["viewer"])
    form = {"token": site.tokens["planner"], "next": "/stock"}
    for headers, status in (
        ({}, 303),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ):
        async with site.client.post("/login", data=form, headers=cookie | headers, allow_redirects=False) as answer:
            assert (answer.status, SESSION_COOKIE in answer.cookies) == (status, status == 303)
        site.client.cookie_jar.clear()


async def test_a_session_ends_with_the_token_behind_it(site: Guarded) -> None:
    cookie = await session(site, site.tokens["viewer"])
    site.file.revoke("viewer")
    status, problem = await got(site, "GET", "/v1/positions", cookie)
    assert (status, problem["reason"]) == (401, "login_expired")


async def test_a_session_ends_in_the_middle_of_work_with_a_problem_that_a_page_can_tell(tmp_path: Path) -> None:
    async with guarded(tmp_path, session_seconds=1) as site:
        cookie = await session(site, site.tokens["planner"])
        site.service.open_signal("s")
        await asyncio.sleep(1.1)
        status, problem = await got(site, "POST", "/v1/signals/s/accept", cookie | {"X-Stockline": "page"}, {})
        assert (status, problem["reason"], site.service.submitted) == (401, "login_expired", [])


async def test_a_forged_session_is_none(site: Guarded) -> None:
    forged = "eyJhbGciOiJub25lIn0.eyJwcmluY2lwYWwiOnt9fQ."
    for cookie in (forged, "x", (await session(site, site.tokens["viewer"]))["Cookie"].partition("=")[2] + "A"):
        status, problem = await got(site, "GET", "/v1/positions", {"Cookie": f"{SESSION_COOKIE}={cookie}"})
        assert (status, problem["reason"]) == (401, "login_expired")


async def test_a_person_is_led_to_the_login_and_a_program_gets_a_problem(site: Guarded) -> None:
    async with site.client.get("/", headers={"Accept": "text/html"}, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/login?next=/")
    async with site.client.get("/login?next=/") as answer:
        text, policy = await answer.text(), answer.headers["Content-Security-Policy"]
        # A form is sent with its origin only under this policy, and without its origin it is refused.
        assert answer.headers["Referrer-Policy"] == "same-origin"
    nonce = text.partition('<style nonce="')[2].partition('"')[0]
    assert f"'nonce-{nonce}'" in policy
    assert len(nonce) > 15
    status, problem = await got(site, "GET", "/v1/positions", {"Accept": "application/json"})
    assert (status, problem["reason"]) == (401, "login_required")


# other sites' pages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ({"X-Stockline": "page"}, True),
        ({"X-Stockline": "page", "Sec-Fetch-Site": "same-origin"}, True),
        ({}, False),
        ({"X-Stockline": "page", "Origin": "https://evil.example"}, False),
        ({"X-Stockline": "page", "Origin": "null"}, False),
        ({"X-Stockline": "page", "Sec-Fetch-Site": "cross-site"}, False),
        ({"X-Stockline": "page", "Sec-Fetch-Site": "same-site"}, False),
    ],
)
async def test_only_our_page_writes_with_a_session(site: Guarded, headers: dict[str, str], taken: bool) -> None:
    site.service.open_signal("s")
    cookie = await session(site, site.tokens["planner"])
    status, answer = await got(site, "POST", "/v1/signals/s/accept", cookie | headers, {})
    assert (status, bool(site.service.submitted)) == ((200, True) if taken else (403, False)), answer
    assert taken or answer["reason"] == "foreign_origin"


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null"])
async def test_only_our_page_opens_a_socket_with_a_session(site: Guarded, origin: str | None) -> None:
    told = {} if origin is None else {"Origin": origin}
    headers = await session(site, site.tokens["viewer"]) | HANDSHAKE | told
    status, problem = await got(site, "GET", "/v1/stream", headers)
    assert (status, problem["reason"]) == (403, "foreign_origin")


async def test_the_cookie_of_another_port_is_not_sent_with_a_bearer_token(site: Guarded) -> None:
    """A bearer token counts before a cookie: a program is who its token says, whatever else comes along."""
    cookie = await session(site, site.tokens["operator"])
    _, me = await got(site, "GET", "/v1/me", cookie | site.bearer("viewer"))
    assert (me["name"], me["login"]) == ("viewer", "token")


# in whose name --------------------------------------------------------------------------------------------------------


async def test_an_answer_bears_the_name_of_the_login(site: Guarded) -> None:
    site.service.open_signal("s")
    status, answer = await got(site, "POST", "/v1/signals/s/accept", site.bearer("planner"), {"by": "olga"})
    assert (status, answer["reason"], site.service.submitted) == (403, "foreign_name", [])
    status, answer = await got(site, "POST", "/v1/signals/s/accept", site.bearer("planner"), {"reason": "ok"})
    assert (status, answer["by"]) == (200, "planner")


async def test_an_operator_accepts_the_clock_in_its_own_name(site: Guarded) -> None:
    site.service.waits_for = "a jump"
    status, answer = await got(site, "POST", "/v1/clock/accept", site.bearer("operator"), {})
    assert (status, answer["by"]) == (200, "operator")


async def test_an_adapter_sends_its_own_events_or_none(site: Guarded) -> None:
    foreign = {**EVENT, "id": "r-2", "source": "erp"}
    status, answer = await got(site, "POST", "/v1/events", site.bearer("adapter"), [EVENT, foreign])
    assert (status, answer["reason"], site.service.submitted) == (403, "foreign_source", [])
    status, answer = await got(site, "POST", "/v1/events", site.bearer("adapter"), [EVENT])
    assert (status, answer["accepted"]) == (202, 1)


async def test_an_adapter_knows_its_own_connector_only(site: Guarded) -> None:
    report = {"name": "wms", "kind": "rest", "source": SOURCE, "every_seconds": 30, "parts": {}, "status": "running"}
    erp = {**report, "name": "erp", "source": "erp"}
    assert (await got(site, "PUT", "/v1/connectors/wms", site.bearer("adapter"), report))[0] == 200
    assert (await got(site, "PUT", "/v1/connectors/erp", site.bearer("adapter"), erp))[0] == 403
    assert (await got(site, "PUT", "/v1/connectors/erp", site.bearer("operator"), erp))[0] == 200
    # Neither may it take the name of another's connector.
    assert (await got(site, "PUT", "/v1/connectors/erp", site.bearer("adapter"), {**erp, "source": SOURCE}))[0] == 403
    assert (await got(site, "GET", "/v1/connectors/wms", site.bearer("adapter")))[0] == 200
    there = await got(site, "GET", "/v1/connectors/erp", site.bearer("adapter"))
    absent = await got(site, "GET", "/v1/connectors/none", site.bearer("adapter"))
    assert there[0] == absent[0] == 404
    assert there[1]["detail"].replace("erp", "none") == absent[1]["detail"]


async def test_a_stream_of_dead_letters_is_for_operators(site: Guarded) -> None:
    path = "/v1/stream?tables=alerts,dead-letters"
    async with site.client.get(path, headers=site.bearer("viewer")) as refused:
        assert refused.status == 403
    async with site.client.get(path, headers=site.bearer("operator")) as taken:
        assert taken.status == 200


# streams --------------------------------------------------------------------------------------------------------------


async def test_an_open_stream_ends_when_its_token_is_revoked(tmp_path: Path) -> None:
    async with (
        guarded(tmp_path, Limits(recheck_seconds=0.05)) as site,
        site.client.get("/v1/stream", headers=site.bearer("viewer")) as stream,
    ):
        assert (await stream.content.readline()).startswith(b"retry")
        site.file.create(principal("operator"), None)
        await asyncio.sleep(0.2)
        assert not stream.content.at_eof()
        site.file.revoke("viewer")
        with pytest.raises(aiohttp.ClientError):
            await asyncio.wait_for(stream.content.read(), 30)


# traces ---------------------------------------------------------------------------------------------------------------


async def test_every_write_is_logged_with_who_made_it_and_no_secret(
    site: Guarded, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await got(site, "POST", "/v1/events", site.bearer("adapter"), [EVENT])
    await got(site, "POST", "/v1/events", site.bearer("viewer"), [EVENT])
    await got(site, "GET", f"/v1/positions?q={site.tokens['viewer']}", site.bearer("viewer"))
    await got(site, "GET", "/v1/sync", {"Authorization": f"Basic {site.tokens['viewer']}"})
    cookie = await session(site, site.tokens["planner"])
    await got(site, "POST", "/logout", cookie | {"X-Stockline": "page"})
    told = [record.getMessage() for record in caplog.records if record.name == "stockline.audit"]
    assert any(line.startswith("adapter (token ") and line.endswith("postEvents /v1/events: 202") for line in told)
    assert "viewer may not postEvents /v1/events" in told
    everything = "\n".join(f"{record.getMessage()} {record.args}" for record in caplog.records)
    secrets = [token.split("_", 2)[2] for token in site.tokens.values()]
    assert not [secret for secret in [*secrets, cookie["Cookie"].partition("=")[2]] if secret in everything]


async def test_nobody_logs_in_where_nobody_is_asked() -> None:
    async with open_site() as running:
        async with running.client.get("/v1/me") as answer:
            me = answers.Me(**await answer.json())
        assert (me.name, me.login, me.insecure, me.source) == (None, "none", False, None)
        async with running.client.get("/login", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/")
        async with running.client.get("/v1/stream", headers=HANDSHAKE | {"Origin": "https://evil.example"}) as answer:
            assert answer.status == 403

"""Every role against every call: made from the table of routes, so a new call is in it at once."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from engine.access.principal import ROLES, Role
from engine.access.rules import ANYONE, RULES
from engine.web.routes import ROUTES, Route
from tests.unit.logins import SOURCE, Guarded, guarded

EVENT = {
    "specversion": "1.0", "id": "r-1", "source": SOURCE, "type": "goods.received", "time": "2026-03-02T09:00:00Z",
    "data": {"receipt": "1", "sku": "A", "location": "L", "qty": 5},
}  # fmt: skip
NAMES = {"sku": "A", "location": "L", "name": "erp"}
REPORT = {"name": "erp", "kind": "rest", "source": SOURCE, "every_seconds": 30, "parts": {}, "status": "running"}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Guarded]:
    async with guarded(tmp_path) as running:
        running.service.open_signal("thing")
        running.service.open_alert("thing")
        running.service.receive("A", "L", 5)
        yield running


def path_of(route: Route) -> str:
    """The path of a call, with the first of several verbs or pages."""
    return re.sub(r"\{(\w+)(?::([^|}]*)[^}]*)?\}", lambda found: NAMES.get(found[1], found[2] or "thing"), route.path)


def body_of(route: Route) -> bytes | None:
    if route.method == "GET":
        return None
    return json.dumps({"postEvents": EVENT, "reportConnector": REPORT}.get(route.operation, {})).encode()


async def answer(site: Guarded, route: Route, role: Role | None, **headers: str) -> tuple[int, Any]:
    sent = {**site.bearer(role), "Content-Type": "application/json", **headers}
    async with site.client.request(
        route.method, path_of(route), data=body_of(route), headers=sent, allow_redirects=False
    ) as got:
        # A stream has no end: its status is what counts.
        streams = got.content_type == "text/event-stream"
        return got.status, None if streams else await got.read()


@pytest.mark.parametrize("role", [None, *ROLES])
async def test_a_role_makes_the_calls_of_its_rules_and_no_other(site: Guarded, role: Role | None) -> None:
    for route in ROUTES:
        status, body = await answer(site, route, role)
        allowed = RULES[route.operation]
        if allowed is ANYONE or role in allowed:
            assert status < 500, (route.path, body)
            assert not DENIED & set(reason_of(body)), (route.path, status, body)
            continue
        problem = json.loads(body)
        wanted = (401, "login_required") if role is None else (403, "forbidden")
        assert (status, problem["reason"]) == wanted, route.path
        assert "login" in problem["detail"] if role is None else role in problem["detail"]


DENIED = {"login_required", "login_invalid", "forbidden"}


def reason_of(body: bytes | None) -> list[str]:
    """The reason of a problem; nothing for any other answer."""
    try:
        return [json.loads(body or b"")["reason"]]
    except (ValueError, TypeError, LookupError):
        return []


READ = [route for route in ROUTES if route.method == "GET" and RULES[route.operation] is not ANYONE]
HANDSHAKE = {
    "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
}  # fmt: skip


@pytest.mark.parametrize("way", [HANDSHAKE, {"Accept": "text/csv"}], ids=["socket", "csv"])
async def test_no_other_way_into_a_call_lets_in_who_may_not_make_it(site: Guarded, way: dict[str, str]) -> None:
    for route in READ:
        for role in ROLES:
            if role in (RULES[route.operation] or ()):
                continue
            async with site.client.get(path_of(route), headers=site.bearer(role) | way) as got:
                assert got.status == 403, (route.path, role)


async def test_a_token_in_the_address_is_none(site: Guarded) -> None:
    """It would stand in logs and in histories of browsers."""
    for route in READ:
        token = site.tokens["operator"]
        async with site.client.get(f"{path_of(route)}?access_token={token}&token={token}") as got:
            assert got.status == 401, route.path


async def test_a_call_without_a_rule_is_nobodys(site: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(cast("dict[str, object]", RULES), "listPositions")
    [route] = [each for each in ROUTES if each.operation == "listPositions"]
    assert [(await answer(site, route, role))[0] for role in (None, *ROLES)] == [401, *[403] * len(ROLES)]


async def test_a_refusal_tells_nothing_of_what_is_there(site: Guarded) -> None:
    """A thing that is there and one that is not are refused alike."""
    bodies = set()
    for name in ("thing", "nothing"):
        async with site.client.get(f"/v1/signals/{name}", headers=site.bearer("supplier")) as got:
            bodies.add((got.status, await got.text()))
    assert len(bodies) == 1

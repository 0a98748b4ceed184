"""What a supplier's login sees: its own lines, and nothing of another's, by whichever call and in whichever form."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from engine.access.denial import Forbidden
from engine.access.gate import LoginGate, SessionKeep
from engine.access.last_used import LastUsed
from engine.access.principal import Principal
from engine.access.tokens import TokenFile
from engine.columns.query import Condition, Query
from engine.web import server
from engine.web.admission import Admission, Limits
from engine.web.guard import CallersGuard
from engine.web.ports import Context
from engine.web.routes import ROUTES
from tests.unit.logins import guarded
from tests.unit.test_access_matrix import path_of
from tests.unit.test_refused_records import serving
from tests.unit.test_supplier import SECRETS, STORY

ACME = Principal("vera", frozenset({"supplier"}), supplier="ACME")
OPERATOR = Principal("olga", frozenset({"operator"}))


@asynccontextmanager
async def site(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[ClientSession, dict[str, str]]]:
    """A server with the orders of two suppliers, and the header of one of them."""
    file = TokenFile(folder / "tokens")
    tokens = {each.name: file.create(each, None)[1] for each in (ACME, OPERATOR)}
    gate = LoginGate(file, LastUsed(folder / "tokens"), SessionKeep(b"s" * 32, 60), None)
    real = server.application

    def asking(context: Context) -> web.Application:
        return real(context, admitting=Admission(gate, Limits(per_second=10_000)))

    monkeypatch.setattr(server, "application", asking)
    async with serving() as client:
        olga = {"Authorization": f"Bearer {tokens['olga']}"}
        async with client.post("/v1/events", json=STORY, headers=olga) as answer:
            assert (await answer.json())["refused"] == []
        yield client, {"Authorization": f"Bearer {tokens['vera']}"}


async def test_no_call_tells_a_supplier_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with site(tmp_path, monkeypatch) as (client, vera):
        for route in [route for route in ROUTES if route.method == "GET"]:
            for asked in ("", "?supplier=OTHER", "?format=csv&supplier=OTHER"):
                async with client.get(path_of(route) + asked, headers=vera, allow_redirects=False) as answer:
                    text = await answer.text()
                found = [secret for secret in SECRETS if secret in text.replace("supplier=OTHER", "")]
                assert not found or route.path.endswith("api.json") or route.path.startswith("/static"), route.path


async def test_a_supplier_answers_its_own_lines_and_cannot_tell_another_s_from_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with site(tmp_path, monkeypatch) as (client, vera):
        async with client.get("/v1/supplier/lines", headers=vera) as answer:
            own = (await answer.json())["items"]
        assert {line["order"] for line in own} == {"PO-1"}
        outcomes = []
        for order in ("PO-1", "PO-2", "PO-9"):
            said = {"order": order, "line": 1, "schedule": [{"status": "accepted", "qty": 40}]}
            async with client.post(
                "/v1/supplier/acknowledgements?supplier=OTHER", json={"lines": [said]}, headers=vera
            ) as answer:
                [line] = (await answer.json())["lines"]
                outcomes.append((line["accepted"], line.get("reason"), str(line.get("detail")).replace(order, "PO")))
        assert outcomes[0][0] is True
        assert outcomes[1] == outcomes[2]
        assert outcomes[1][:2] == (False, "unknown_line")


async def test_the_lists_give_a_supplier_names_of_its_own_things_and_no_content(tmp_path: Path) -> None:
    async with guarded(tmp_path) as running:
        running.service.receive("A", "L", 5)
        lists = CallersGuard().lists(running.context, ACME)
        assert lists.page(Query("positions", (Condition("supplier", "is", ("ACME",)),)), 0, 10).items == []
        for query in (
            Query("positions"),
            Query("positions", (Condition("supplier", "is", ("OTHER",)),)),
            Query("order-lines", (Condition("supplier", "is", ("ACME", "OTHER")),)),
            Query("signals", (Condition("supplier", "is", ("ACME",)),)),
        ):
            with pytest.raises(Forbidden):
                lists.page(query, 0, 10)
        with pytest.raises(Forbidden):
            lists.rows("positions", ["A\0L"])

"""The list of decisions: who decided what, when, and on what numbers."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.web.calls import decided
from tests.unit.web_client import Site, site


@pytest.fixture
async def web() -> AsyncIterator[Site]:
    async with site() as running:
        yield running


async def listed(web: Site, query: str = "") -> dict[str, Any]:
    async with web.client.get(f"/v1/decisions{query}") as response:
        assert response.status == 200, await response.text()
        page: dict[str, Any] = await response.json()
        return page


async def decide(web: Site, path: str, by: str, **more: object) -> None:
    async with web.client.post(f"/v1/{path}", json={"by": by, **more}) as response:
        assert response.status == 200, await response.text()


@pytest.fixture
async def decisions(web: Site) -> Site:
    """Five decisions about three things, and one more that the rules did not take."""
    web.service.open_signal("sig-1", qty=120)
    web.service.open_signal("sig-2", sku="B", location="YRK")
    web.service.open_alert("al-1", location="YRK")
    await decide(web, "signals/sig-1/accept", "ann", qty=144, reason="a promotion")
    await decide(web, "signals/sig-2/reject", "bob")
    await decide(web, "alerts/al-1/acknowledge", "ann")
    await decide(web, "alerts/al-1/resolve", "bob", note="counted")
    async with web.client.post("/v1/signals/sig-1/reject", json={"by": "cat"}) as response:
        assert response.status == 409
    return web


async def test_a_decision_is_told_with_the_numbers_it_was_taken_on(decisions: Site) -> None:
    first = (await listed(decisions))["items"][-1]
    assert (first["kind"], first["by"], first["thing"], first["id"]) == ("accept", "ann", "signal", "sig-1")
    assert (first["sku"], first["location"], first["automatic"]) == ("A", "L", False)
    assert first["answer"] == {"qty": 144, "reason": "a promotion"}
    assert first["event"].startswith("stockline/api/accept-sig-1-")
    assert (first["before"]["status"], first["before"]["qty"]) == ("open", 120)
    assert first["before"]["explanation"]["sentence"].startswith("Order 120")
    assert (first["after"]["status"], first["after"]["qty"]) == ("accepted", 144)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["resolve", "acknowledge", "reject", "accept"]),
        ("?by=ann", ["acknowledge", "accept"]),
        ("?sku=A", ["resolve", "acknowledge", "accept"]),
        ("?location=YRK", ["resolve", "acknowledge", "reject"]),
        ("?sku=A&location=YRK&by=bob", ["resolve"]),
        ("?alert=al-1", ["resolve", "acknowledge"]),
        ("?signal=al-1", []),
        ("?kind=accept&kind=resolve", ["resolve", "accept"]),
        ("?since=2026-03-02T09:14:05Z", ["resolve", "acknowledge", "reject", "accept"]),
        ("?since=2026-03-02T09:14:06Z", []),
        ("?by=nobody", []),
    ],
)
async def test_decisions_are_found_by_what_they_say(decisions: Site, query: str, found: list[str]) -> None:
    assert [each["kind"] for each in (await listed(decisions, query))["items"]] == found


async def test_decisions_come_page_by_page(decisions: Site) -> None:
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await listed(decisions, f"?limit=1{cursor}")
        found += [each["kind"] for each in page["items"]]
        cursor = page["next"] and f"&cursor={page['next']}"
    assert found == ["resolve", "acknowledge", "reject", "accept"]


async def test_a_page_looks_at_so_many_decisions_and_no_more(decisions: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decided, "MOST_LOOKED_AT", 3)
    page = await listed(decisions, "?kind=accept")
    assert (page["items"], page["next"] is None) == ([], False)
    page = await listed(decisions, f"?kind=accept&cursor={page['next']}")
    assert ([each["id"] for each in page["items"]], page["next"]) == (["sig-1"], None)


@pytest.mark.parametrize(
    "query", ["kind=muse", "since=yesterday", "since=2026-03-02T09:14:05", "automatic=maybe", "colour=red", "cursor=x"]
)
async def test_a_question_without_sense_is_a_400(web: Site, query: str) -> None:
    async with web.client.get(f"/v1/decisions?{query}") as response:
        assert (response.status, (await response.json())["reason"]) == (400, "invalid_parameter")

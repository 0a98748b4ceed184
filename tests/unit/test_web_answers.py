"""Answers of people that come twice, late, or beside those of others: each has one clear outcome."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.runtime.submission import RejectedEvent, Submission
from tests.unit.web_client import Site, site


@pytest.fixture
async def web() -> AsyncIterator[Site]:
    async with site() as running:
        yield running


async def answer(web: Site, path: str, body: dict[str, Any], **headers: str) -> tuple[int, dict[str, Any], str | None]:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    async with web.client.post(f"/v1/{path}", json=body, headers=given) as response:
        return response.status, await response.json(), response.headers.get("ETag")


ACCEPT = {"by": "ann", "qty": 144, "reason": "a promotion"}


async def test_a_thing_that_the_caller_has_is_not_sent_again(web: Site) -> None:
    web.service.open_signal("sig-1", revision=3)
    web.service.open_alert("al-1")
    web.service.receive("A", "L", 5)
    for path in ("signals/sig-1", "alerts/al-1", "positions/A/L"):
        async with web.client.get(f"/v1/{path}") as first:
            tag = first.headers["ETag"]
        for known, status in ((tag, 304), (f'"x", {tag}', 304), ("*", 304), ('"x"', 200), ("nonsense", 200)):
            async with web.client.get(f"/v1/{path}", headers={"If-None-Match": known}) as again:
                assert (again.status, again.headers["ETag"]) == (status, tag), (path, known)
                assert (await again.read() == b"") == (status == 304)


async def test_the_tag_of_a_signal_is_its_revision(web: Site) -> None:
    web.service.open_signal("sig-1", revision=3)
    async with web.client.get("/v1/signals/sig-1") as response:
        assert response.headers["ETag"] == '"3"'


async def test_the_tag_changes_with_what_is_said(web: Site) -> None:
    web.service.open_alert("al-1")
    web.service.receive("A", "L", 5)

    async def tags() -> list[str]:
        found = []
        for path in ("alerts/al-1", "positions/A/L"):
            async with web.client.get(f"/v1/{path}") as response:
                found.append(response.headers["ETag"])
        return found

    before = await tags()
    assert await tags() == before
    await answer(web, "alerts/al-1/acknowledge", {"by": "ann"})
    web.service.receive("A", "L", 1)
    assert set(before) & set(await tags()) == set()
    assert before[1].startswith("W/")


async def test_an_answer_to_what_has_changed_is_a_412_that_says_what_is_there_now(web: Site) -> None:
    web.service.open_signal("sig-1", revision=4, qty=240)
    for seen in ('"3"', 'W/"4"', "4"):
        status, problem, tag = await answer(web, "signals/sig-1/accept", ACCEPT, If_Match=seen)
        assert (status, problem["reason"], tag) == (412, "changed", '"4"')
        assert (problem["current"]["revision"], problem["current"]["qty"]) == (4, 240)
    assert web.service.submitted == []
    status, signal, tag = await answer(web, "signals/sig-1/accept", ACCEPT, If_Match='"3", "4"')
    assert (status, signal["status"], signal["qty"]) == (200, "accepted", 144)


async def test_the_second_planner_is_told_what_the_first_has_decided(web: Site) -> None:
    web.service.open_signal("sig-1")
    both = await asyncio.gather(
        answer(web, "signals/sig-1/accept", {"by": "ann"}), answer(web, "signals/sig-1/reject", {"by": "bob"})
    )
    (won, _, _), (lost, problem, _) = sorted(both, key=lambda each: each[0])
    assert (won, lost, problem["reason"]) == (200, 409, "signal_closed")
    assert problem["current"] == web.service.thing("signals", "sig-1", dict[str, Any])


@pytest.mark.parametrize(
    ("path", "body"),
    [("signals/sig-1/accept", ACCEPT), ("signals/sig-1/reject", ACCEPT), ("alerts/al-1/resolve", {"by": "ann"})],
)
async def test_the_same_answer_twice_is_the_same_answer(web: Site, path: str, body: dict[str, Any]) -> None:
    web.service.open_signal("sig-1")
    web.service.open_alert("al-1")
    first = await answer(web, path, body)
    second = await answer(web, path, body, If_Match='"of before"')
    assert first[0] == 200
    assert second == first
    assert len(web.service.submitted) == 1


@pytest.mark.parametrize("change", [{"by": "bob"}, {"qty": 145}, {"reason": "another"}])
async def test_an_answer_that_differs_is_another_one(web: Site, change: dict[str, Any]) -> None:
    web.service.open_signal("sig-1")
    await answer(web, "signals/sig-1/accept", ACCEPT)
    status, problem, _ = await answer(web, "signals/sig-1/accept", ACCEPT | change)
    assert (status, problem["reason"]) == (409, "signal_closed")


async def test_an_answer_counts_no_more_once_another_has_followed(web: Site) -> None:
    web.service.open_signal("sig-1")
    await answer(web, "signals/sig-1/accept", ACCEPT)
    web.service.open_signal("sig-1", revision=9)
    status, signal, _ = await answer(web, "signals/sig-1/accept", ACCEPT)
    assert (status, signal["status"], len(web.service.submitted)) == (200, "accepted", 2)


async def test_the_same_key_is_one_event_and_the_same_answer_whatever_came_since(web: Site) -> None:
    web.service.open_signal("sig-1")
    first = await answer(web, "signals/sig-1/accept", ACCEPT, Idempotency_Key="k-1")
    web.service.time += 1_000_000
    web.service.open_signal("sig-1", status="ordered", revision=8)
    assert await answer(web, "signals/sig-1/accept", ACCEPT, Idempotency_Key="k-1") == first
    assert len(web.service.submitted) == 1


async def test_a_key_belongs_to_one_body(web: Site) -> None:
    web.service.open_signal("sig-1")
    await answer(web, "signals/sig-1/accept", ACCEPT, Idempotency_Key="k-1")
    status, problem, _ = await answer(web, "signals/sig-1/accept", ACCEPT | {"qty": 1}, Idempotency_Key="k-1")
    assert (status, problem["reason"], len(web.service.submitted)) == (422, "idempotency_key_reused", 1)
    assert "144" in problem["detail"]


async def test_a_key_belongs_to_one_call(web: Site) -> None:
    web.service.open_signal("sig-1")
    web.service.open_signal("sig-2")
    for name in ("sig-1", "sig-2"):
        status, signal, _ = await answer(web, f"signals/{name}/accept", ACCEPT, Idempotency_Key="k-1")
        assert (status, signal["id"]) == (200, name)
    assert len({json.loads(raw)["id"] for [raw] in web.service.submitted}) == 2


@pytest.mark.parametrize("key", ["", "x" * 257, "é"])
async def test_a_key_that_is_none_is_said_so(web: Site, key: str) -> None:
    web.service.open_signal("sig-1")
    status, problem, _ = await answer(web, "signals/sig-1/accept", ACCEPT, Idempotency_Key=key)
    assert (status, problem["reason"], web.service.submitted) == (400, "invalid_parameter", [])


async def test_an_answer_that_another_process_has_taken_meanwhile_is_the_same_answer(
    web: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.service.open_signal("sig-1")
    decide = web.service.decide

    async def late(raw: bytes) -> Submission:
        await decide(raw)
        return Submission(0, [RejectedEvent(0, "k-1", "conflict", "another of this source and id was taken before")])

    monkeypatch.setattr(web.service, "decide", late)
    status, signal, _ = await answer(web, "signals/sig-1/accept", ACCEPT, Idempotency_Key="k-1")
    assert (status, signal["status"]) == (200, "accepted")

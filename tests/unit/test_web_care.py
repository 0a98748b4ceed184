"""The calls by which people reopen, snooze and assign signals and alerts."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.unit.test_web_calls import send
from tests.unit.web_client import Site, site


@pytest.fixture
async def web() -> AsyncIterator[Site]:
    async with site() as running:
        yield running


UNTIL = {"until": "2026-03-03T08:00:00Z", "by": "ann", "note": "tomorrow"}


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("signals/sig-1/reopen", "signal.reopened", {"by": "ann", "reason": "a mistake"}),
        ("signals/sig-1/snooze", "signal.snoozed", UNTIL),
        ("signals/sig-1/assign", "signal.assigned", {"to": "bob", "by": "ann"}),
        ("alerts/al-1/reopen", "alert.reopened", {"by": "ann", "note": "too early"}),
        ("alerts/al-1/snooze", "alert.snoozed", UNTIL),
        ("alerts/al-1/assign", "alert.assigned", {"to": "bob", "by": "ann"}),
    ],
)
async def test_what_people_decide_beside_the_life_of_a_thing_is_an_event(
    web: Site, path: str, kind: str, body: dict[str, str]
) -> None:
    web.service.open_signal("sig-1")
    web.service.open_alert("al-1")
    status, thing = await send(web, f"/v1/{path}", body)
    topic, name, _ = path.split("/")
    assert (status, thing["id"]) == (200, name)
    [[raw]] = web.service.submitted
    sent = json.loads(raw)
    assert (sent["type"], sent["source"]) == (kind, "stockline/api")
    assert sent["data"] == {"sku": "A", "location": "L", topic.removesuffix("s"): name, **body}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("signals/sig-1/reopen", {"by": "ann", "qty": 1}),
        ("signals/sig-1/snooze", {"by": "ann"}),
        ("signals/sig-1/snooze", {"by": "ann", "until": "2026-03-03T08:00:00"}),
        ("alerts/al-1/snooze", {"by": "ann", "until": "tomorrow"}),
        ("signals/sig-1/assign", {"by": "ann"}),
        ("alerts/al-1/assign", {"by": "ann"}),
        ("alerts/al-1/reopen", {"by": "ann", "reason": "too early"}),
    ],
)
async def test_a_decision_without_sense_is_a_400_and_no_event(web: Site, path: str, body: dict[str, Any]) -> None:
    web.service.open_signal("sig-1")
    web.service.open_alert("al-1")
    status, problem = await send(web, f"/v1/{path}", body)
    assert (status, problem["reason"], web.service.submitted) == (400, "invalid_body", [])

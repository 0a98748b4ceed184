"""The client's receipt of a batch."""

from typing import Any

import pytest
from aiohttp import web

from connectors.client import EngineClient
from tests.unit.fake_engine import fake_engine


def taken(**more: int) -> web.Response:
    answer: dict[str, Any] = {"accepted": 1, "refused": [], **more}
    return web.json_response(answer, status=202)


@pytest.mark.parametrize(
    ("answers", "duplicates"),
    [
        ([taken(duplicates=1)], 1),
        ([taken()], None),
        ([web.Response(status=413), taken(duplicates=1), taken(duplicates=1)], 2),
        ([web.Response(status=413), taken(), taken()], None),
    ],
)
async def test_a_receipt_tells_repeats_where_the_engine_does(
    answers: list[web.Response], duplicates: int | None
) -> None:
    async with fake_engine() as engine, EngineClient(engine.url) as client:
        engine.answers = answers
        receipt = await client.post_events([b"one", b"another"])
    assert receipt.duplicates == duplicates


async def test_an_event_that_no_body_can_hold_is_refused_by_its_name() -> None:
    async with fake_engine() as engine, EngineClient(engine.url) as client:
        engine.answers = [web.Response(status=413)]
        receipt = await client.post_events([b'{"id":"long","source":"s"}'])
    [refused] = receipt.refused
    assert (receipt.accepted, refused.id, refused.reason.partition(":")[0]) == (0, "long", "too_large")

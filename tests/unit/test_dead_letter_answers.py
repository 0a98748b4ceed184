"""What people do about dead letters: taken again as they are, mended, many at once, or discarded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import ClientSession

from engine.core.events import decode, key_of
from engine.core.outcomes import Rejection
from engine.core.rules import Rules
from tests.auditor.adapter import Rig
from tests.auditor.model import HOUR, instant
from tests.unit.test_refused_records import refused, serving

AT = instant("2026-03-02T09:00:00Z")
COUNT = {"specversion": "1.0", "source": "wms", "type": "stock.counted", "time": "2026-03-02T09:00:00Z"}


def counted(name: str, **data: Any) -> dict[str, Any]:
    return {**COUNT, "id": name, "data": {"sku": "A", "location": "L", "qty": 5, **data}}


def answered(status: str, letter: str, name: str = "1", **data: Any) -> bytes:
    event = {**COUNT, "source": "stockline/api", "id": name, "type": f"dead_letter.{status}"}
    return json.dumps({**event, "data": {"dead_letter": letter, "by": "ann", **data}}).encode()


async def call(client: ClientSession, method: str, path: str, body: object = None) -> tuple[int, Any]:
    async with client.request(method, path, json=body) as answer:
        return answer.status, await answer.json(content_type=None)


async def letters(client: ClientSession, query: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await call(client, "GET", f"/v1/dead-letters?{query}"))[1]["items"]
    for item in items:
        assert (await call(client, "GET", f"/v1/dead-letters/{item['id']}"))[1] == item, "the list and the one agree"
    return items


async def test_one_that_is_discarded_says_who_did_it_and_why() -> None:
    async with serving() as client:
        await call(client, "POST", "/v1/events", counted("1", qty=-1))
        [letter] = await letters(client)
        assert letter["status"] == "open"
        path = f"/v1/dead-letters/{letter['id']}/discard"
        assert (await call(client, "POST", path, {"by": "ann"}))[0] == 400, "a note is asked for"
        status, shown = await call(client, "POST", path, {"by": "ann", "note": "a test"})
        assert (status, shown["status"], shown["by"], shown["note"]) == (200, "discarded", "ann", "a test")
        assert [shown] == await letters(client)
        assert (await call(client, "POST", "/v1/dead-letters/9-9/discard", {"note": "x"}))[0] == 404
        answers = (await call(client, "GET", "/v1/dead-letter-answers"))[1]["items"]
        assert [(each["id"], each["status"], each["by"]) for each in answers] == [(letter["id"], "discarded", "ann")]


async def test_one_is_mended_and_taken_again() -> None:
    async with serving() as client:
        await call(client, "POST", "/v1/events", counted("1", qty=-1))
        [letter] = await letters(client)
        path = f"/v1/dead-letters/{letter['id']}/replay"
        status, again = await call(client, "POST", path, {"by": "ann"})
        assert (status, [each["reason"] for each in again["refused"]]) == (202, ["invalid_event"])
        status, taken = await call(client, "POST", path, {"by": "bob", "event": counted("1", qty=1)})
        assert (status, taken) == (202, {"accepted": 1, "refused": [], "duplicates": 0})
        newest, first = await letters(client)
        assert (first["status"], first["by"], first["replayed_as"]) == ("replayed", "bob", "wms/1")
        assert newest["status"] == "open", "what was refused again is a dead letter of its own"
        assert (await call(client, "GET", "/v1/positions/A/L"))[1]["available"] == 1


async def test_many_are_tried_without_a_trace_and_then_taken() -> None:
    async with serving() as client:
        cases = [counted(str(number), uom="case") for number in range(5)]
        for event in (*cases, counted("x", uom="pallet"), counted("y", qty=-1)):
            await call(client, "POST", "/v1/events", event)
        define = {
            **COUNT,
            "id": "i",
            "type": "item.defined",
            "data": {"sku": "A", "base_unit": "ea", "units": {"case": 6}},
        }
        await call(client, "POST", "/v1/events", define)
        asked = {"reason": "unknown_unit", "by": "ann", "limit": 4}
        before = await letters(client)
        tried = (await call(client, "POST", "/v1/dead-letters/replay", {**asked, "dry_run": True, "limit": 9}))[1]
        assert (tried["found"], tried["accepted"], tried["more"]) == (6, 5, False)
        assert [each["reason"] for each in tried["refused"]] == ["unknown_unit"]
        assert await letters(client) == before
        assert (await call(client, "GET", "/v1/positions/A/L"))[0] == 404, "nothing was written"

        done = (await call(client, "POST", "/v1/dead-letters/replay", asked))[1]
        assert (done["found"], done["more"]) == (4, True)
        rest = (await call(client, "POST", "/v1/dead-letters/replay", asked))[1]
        assert (rest["found"], rest["more"], done["accepted"] + rest["accepted"]) == (2, False, 5)
        assert (await call(client, "GET", "/v1/positions/A/L"))[1]["available"] == 30
        open_ones = [each["reason"] for each in await letters(client, "status=open")]
        assert sorted(open_ones) == ["invalid_event", "unknown_unit"]


async def test_records_of_connectors_are_left_to_them() -> None:
    async with serving() as client:
        await call(client, "POST", "/v1/events", json.loads(refused()))
        done = (await call(client, "POST", "/v1/dead-letters/replay", {}))[1]
        assert (done["found"], done["more"]) == (0, False)
        assert [each["status"] for each in await letters(client)] == ["open"]


@pytest.mark.parametrize("partitions", [1, 4])
def test_an_answer_is_published_once_and_the_same_after_a_replay_of_the_log(partitions: int) -> None:
    rig = Rig(partitions, Rules())
    rig.send([answered("discarded", "0-1", note="x"), answered("discarded", "0-1", note="x")], AT)
    assert rig.send([answered("discarded", "0-1", note="y")], AT) == {0: "conflict"}
    rig.send([answered("replayed", "0-1", "2", event="wms/1")], AT + HOUR)
    kinds = [json.loads(value)["type"] for each in rig.history("dead-letter-answers") for value in each]
    assert kinds == ["dead_letter.discarded", "dead_letter.replayed"]
    assert [letter["status"] for letter in rig.latest("dead-letter-answers")] == ["replayed"]
    assert rig.positions() == {}


def test_its_key_is_the_dead_letter() -> None:
    event = decode(answered("replayed", "3-1041"))
    assert not isinstance(event, Rejection)
    assert key_of(event) == "3-1041"

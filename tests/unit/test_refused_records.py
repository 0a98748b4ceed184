"""`record.refused`: the dead letter of a record that a connector could not translate."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession

from engine.bus.memory.bus import MemoryBus
from engine.bus.single import Record
from engine.core.events import decode, key_of
from engine.core.outcomes import Rejection
from engine.core.rules import Rules
from engine.core.values import partition_of
from engine.runtime.arrivals import Decoder
from engine.runtime.audit import audit
from engine.runtime.clock import WallClock
from engine.runtime.single.service import Service
from engine.telemetry import Telemetry
from engine.web import server
from engine.web.bodies import Intake, Limits
from engine.web.ports import Context
from engine.web.processes import ProcessBoard
from tests.auditor.adapter import Rig
from tests.auditor.model import HOUR, instant
from tests.unit.listed import listed
from tests.unit.web_client import figures

AT = instant("2026-03-02T09:00:00Z")


def refused(name: str = "a.edi/4", source: str = "edi/acme", **data: Any) -> bytes:
    given = {"connector": "edi", "reason": "untranslatable", "detail": "no date", "place": "a.edi, segment 4"}
    if not {"record", "record_base64", "record_bytes"} & data.keys():
        data["record"] = "DTM*002~"
    event = {"specversion": "1.0", "id": name, "source": source, "type": "record.refused"}
    return json.dumps({**event, "time": "2026-03-02T09:00:00Z", "data": {**given, **data}}).encode()


def test_it_is_taken_and_is_a_dead_letter_with_the_exact_bytes_of_the_event() -> None:
    rig, raw = Rig(8), refused()
    assert rig.send([raw], AT) == {}
    [letter] = rig.latest("dead-letters")
    partition = partition_of("edi/acme", 8)
    assert letter | {"arrived": ""} == {
        "id": f"{partition}-{rig.bus.end_offset(partition) - 1}", "reason": "untranslatable", "detail": "no date",
        "place": f"stockline.events/{partition}/{rig.bus.end_offset(partition) - 1}", "arrived": "",
        "raw": raw.decode(), "event_id": "a.edi/4", "event_source": "edi/acme",
    }  # fmt: skip
    assert rig.positions() == {}


def test_the_same_again_is_a_duplicate_and_no_second_dead_letter() -> None:
    rig = Rig(2)
    rig.send([refused()], AT)
    assert rig.engine.submit([refused()], arrived_at=AT + HOUR).duplicates == 1
    assert [reason for reason, _ in rig.dead_letters()] == ["untranslatable"]


def test_other_content_under_its_name_is_a_conflict() -> None:
    rig = Rig(2)
    rig.send([refused()], AT)
    assert rig.send([refused(detail="no quantity")], AT) == {0: "conflict"}


def test_a_batch_may_be_cut_anywhere() -> None:
    events = [refused(str(number), f"edi/{number % 3}", reason="unmapped_identifier") for number in range(20)]
    together, apart = Rig(4), Rig(4)
    together.send(events, AT)
    events += [refused(f"{number}-told", "webhook", reason="undelivered") for number in range(5)]
    together.send(events[20:], AT)
    for event in events:
        apart.send([event], AT)
    assert together.everything() == apart.everything()
    assert Counter(reason for reason, _ in together.dead_letters()) == {"unmapped_identifier": 20, "undelivered": 5}


def test_it_counts_as_an_event_and_as_a_dead_letter() -> None:
    rig = Rig(1, Rules(clock="log"))
    rig.send([refused()], AT)
    counters = rig.engine.folds[0].marker.counters
    assert counters == {"events:record.refused": 1, "dead_letters:untranslatable": 1}


@pytest.mark.parametrize(
    ("key", "partition", "reason"),
    [("edi/acme", 0, None), ("A", 0, "wrong_key"), ("edi/acme", 1, "wrong_partition")],
)
def test_on_kafka_its_key_is_its_source(key: str, partition: int, reason: str | None) -> None:
    right = partition_of("edi/acme", 2)
    record = Record(right if partition == 0 else 1 - right, 0, key, refused(), AT)
    [arrival] = Decoder(2).arrivals([record])
    assert (arrival.event.reason if isinstance(arrival.event, Rejection) else None) == reason


def test_the_key_of_every_other_event_is_its_sku() -> None:
    raw = {"specversion": "1.0", "id": "1", "source": "wms", "type": "stock.counted", "time": "2026-03-02T09:00:00Z"}
    event = decode(json.dumps({**raw, "data": {"sku": "A", "location": "L", "qty": 1}}).encode())
    assert not isinstance(event, Rejection)
    assert key_of(event) == "A"


@asynccontextmanager
async def serving(processes: ProcessBoard | None = None) -> AsyncIterator[ClientSession]:
    """The engine over HTTP, on a bus in memory; `processes` are those that it knows."""
    bus = MemoryBus(2)
    service = Service(bus, clock=WallClock())
    service.start()
    context = Context(service, listed(bus), Intake(Limits(16 << 20)), Telemetry(figures))
    context.processes = processes or context.processes
    try:
        async with (
            server.serving(server.application(context), server.bind("127.0.0.1", 0)) as url,
            ClientSession(url) as client,
        ):
            yield client
    finally:
        service.stop()


async def test_over_http_it_is_accepted_found_by_reason_and_source_and_replayed_by_its_connector() -> None:
    async with serving() as client:
        async with client.post("/v1/events", data=refused(), headers={"Content-Type": "application/json"}) as answer:
            assert (answer.status, await answer.json()) == (202, {"accepted": 1, "refused": [], "duplicates": 0})
        async with client.get("/v1/dead-letters?reason=untranslatable&event_source=edi/acme") as answer:
            [letter] = (await answer.json())["items"]
        assert letter["raw"] == refused().decode()
        async with client.get("/v1/dead-letters?reason=untranslatable&event_source=edi/other") as answer:
            assert (await answer.json())["total"] == 0
        async with client.post(f"/v1/dead-letters/{letter['id']}/replay") as answer:
            problem = await answer.json(content_type="application/problem+json")
        assert (answer.status, problem["reason"]) == (409, "replayed_by_its_connector")
        assert "stockline connectors replay edi" in problem["detail"]


async def test_one_that_was_itself_refused_is_replayed_like_any_other() -> None:
    other = refused(detail="no quantity")
    async with serving() as client:
        for body in (refused(), other):
            async with client.post("/v1/events", data=body, headers={"Content-Type": "application/json"}):
                pass
        async with client.get("/v1/dead-letters?reason=conflict") as answer:
            [letter] = (await answer.json())["items"]
        async with client.post(f"/v1/dead-letters/{letter['id']}/replay") as answer:
            assert [each["reason"] for each in (await answer.json())["refused"]] == ["conflict"]


def test_folding_the_log_again_finds_the_same_dead_letters() -> None:
    rig = Rig(2, Rules())
    rig.send([refused(), refused(), refused("b", record=None, record_bytes=9, record_sha256="0" * 64)], AT)
    report = audit(rig.bus, MemoryBus(2), lambda _done, _total: None)
    assert (report.dead_letters, report.differences) == (2, [])

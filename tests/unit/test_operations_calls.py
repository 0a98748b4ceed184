"""What operators look at: sources, and what the process runs with."""

from __future__ import annotations

from typing import Any

from aiohttp import ClientSession

from engine import __version__
from engine.settings import KafkaSettings, Settings, shown
from engine.web import server
from engine.web.probes import application
from tests.unit.test_access_worker import Jumped
from tests.unit.test_dead_letter_answers import call, counted
from tests.unit.test_refused_records import serving

DECLARED = {"feed": "wms", "interval_seconds": 60, "locations": ["L"]}


def declared() -> dict[str, Any]:
    return {**counted("f"), "source": "erp", "type": "feed.declared", "data": DECLARED}


async def test_each_source_is_told_with_what_became_of_its_records() -> None:
    async with serving() as client:
        for event in (
            declared(),
            counted("1"),
            counted("1"),
            counted("2", qty=-1),
            {**counted("3", qty=-1), "source": "shop"},
        ):
            await call(client, "POST", "/v1/events", event)
        status, told = await call(client, "GET", "/v1/sources")
        assert status == 200
        feed, newest, oldest = told["items"]
        assert (feed["source"], feed["feed"]["stale"]) == ("wms", False)
        assert (feed["feed"]["interval_seconds"], feed["feed"]["locations"]) == (60, ["L"])
        assert [feed[name] for name in ("accepted", "duplicates", "refused", "open")] == [1, 1, 1, 1]
        assert feed["last_rejection"] == {"at": feed["last_arrival"], "reason": "invalid_event"}
        assert (newest["source"], newest["feed"], newest["accepted"], newest["refused"]) == ("shop", None, 0, 1)
        assert (oldest["source"], oldest["accepted"], oldest["last_rejection"]) == ("erp", 1, None)
        assert (told["others"]["accepted"], told["others"]["last_arrival"]) == (0, None)


async def test_a_discarded_dead_letter_is_open_no_more_but_was_refused() -> None:
    async with serving() as client:
        await call(client, "POST", "/v1/events", counted("1", qty=-1))
        letter = (await call(client, "GET", "/v1/dead-letters"))[1]["items"][0]["id"]
        await call(client, "POST", f"/v1/dead-letters/{letter}/discard", {"note": "a test", "by": "ann"})
        found = {each["source"]: each for each in (await call(client, "GET", "/v1/sources"))[1]["items"]}
        assert (found["wms"]["refused"], found["wms"]["open"]) == (1, 0)


async def test_a_process_without_settings_tells_none() -> None:
    async with serving() as client:
        status, told = await call(client, "GET", "/v1/settings")
        assert (status, told["settings"], told["version"]) == (200, {}, __version__)


async def test_the_rules_of_the_log_are_told_whatever_this_process_was_given() -> None:
    async with serving() as client:
        await call(client, "POST", "/v1/events", counted("1"))
        told = (await call(client, "GET", "/v1/settings"))[1]["rules"]
        assert (told["clock"], told["duplicate_days"]) == ("wall", 7)


def test_settings_on_kafka_are_shown_without_their_secrets() -> None:
    secrets = {"password": "hunter-22", "key_password": "hunter-23"}
    kafka = KafkaSettings.model_validate(
        {"kafka": "broker:9092", "security_protocol": "SASL_SSL", "username": "stock", **secrets}
    )
    told = shown(Settings(), kafka)
    assert (told["kafka"], told["username"], told["clock"]) == ("broker:9092", "stock", "wall")
    assert "hunter" not in str(told)


async def test_a_worker_tells_at_its_own_port_what_it_runs_with() -> None:
    app = application(Jumped(), lambda: b"", True, settings={"memory_mib": 512})
    async with server.serving(app, server.bind("127.0.0.1", 0)) as url, ClientSession(url) as client:
        assert await call(client, "GET", "/v1/settings") == (
            200,
            {"version": __version__, "settings": {"memory_mib": 512}},
        )

"""The host of connectors: what befalls one costs the others nothing, and it waits for an engine that is behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from connectors.base import JsonObject
from connectors.client import Patience
from connectors.host import Options, run
from connectors.host.delivery import MOST_BEHIND
from connectors.host.health import EXIT_BUG, EXIT_ENVIRONMENT, EXIT_USAGE, Health
from connectors.host.loading import Loaded
from connectors.ports import Batch
from connectors.profiles import ConnectorProfile, Unreachable
from engine.core.errors import UsageError
from tests.connectors.engine import LogOfEvents, log_of_events
from tests.connectors.scripted import Pulled, Scripted, count, failing

SOON = 120.0


@pytest.fixture
async def log() -> AsyncIterator[LogOfEvents]:
    async with log_of_events() as log:
        yield log


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.host.running.FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("connectors.host.running.LONGEST_PAUSE_SECONDS", 0.05)


def loaded(kind: Scripted, log: LogOfEvents, name: str = "one", interval: float = 0.01) -> Loaded:
    profile = ConnectorProfile(kind="scripted", name=name, engine=log.url, interval_seconds=interval)
    return Loaded(profile, kind, Path("profile.toml"))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not condition():  # noqa: ASYNC110 - the condition is about another process, or the log
            await asyncio.sleep(0.01)


class Running:
    """The host in the background, until the block ends."""

    def __init__(self, tmp_path: Path, *connectors: Loaded) -> None:
        self.stop = asyncio.Event()
        self._run = asyncio.create_task(run(connectors, Options(tmp_path), self.stop))

    async def end(self) -> list[Health]:
        self.stop.set()
        return await asyncio.wait_for(self._run, SOON)


async def test_a_bug_in_one_connector_costs_the_others_nothing(log: LogOfEvents, tmp_path: Path) -> None:
    tried = 0

    async def broken(_: JsonObject | None) -> AsyncIterator[Batch]:
        nonlocal tried
        tried += 1
        yield Batch([count(f"broken-{tried}")])
        raise ZeroDivisionError("the bug")

    async def sound(position: JsonObject | None) -> AsyncIterator[Batch]:
        number = 0 if position is None else position["number"] + 1
        yield Batch([count(f"sound-{number}")], position={"number": number})

    running = Running(tmp_path, loaded(Scripted(a=broken), log, "broken"), loaded(Scripted(a=sound), log, "sound"))
    await until(lambda: tried >= 3 and len(log.events) >= tried + 5)
    # Its reports say it; the next batch that is durable takes it back.
    await until(lambda: "a bug: ZeroDivisionError('the bug')" in str(log.reports.get("broken")))
    first, second = await running.end()
    assert (first.exit_code, second.exit_code) == (EXIT_BUG, 0)
    assert second.parts["source a"].rounds > 3


async def test_what_a_person_must_mend_stops_that_connector_and_no_other(log: LogOfEvents, tmp_path: Path) -> None:
    wrong = failing(UsageError("the folder is not there: create it"))

    async def sound(_: JsonObject | None) -> AsyncIterator[Batch]:
        yield Batch([count("a")])

    running = Running(tmp_path, loaded(Scripted(a=wrong), log, "wrong"), loaded(Scripted(a=sound), log, "sound"))
    await until(lambda: log.reports.get("wrong", {}).get("status") == "stopped")
    rounds = log.syncs
    await until(lambda: log.syncs > rounds + 5)
    wrong_one, other = await running.end()
    assert wrong_one.stopped == "the folder is not there: create it"
    assert (wrong_one.ended_with, other.ended_with) == (EXIT_USAGE, 0)
    assert wrong_one.parts["source a"].rounds == 1


async def test_a_source_that_fails_holds_back_those_behind_it_but_no_sink(log: LogOfEvents, tmp_path: Path) -> None:
    behind, passed = 0, 0

    away = failing(Unreachable("the ERP is away"))

    async def moves(_: JsonObject | None) -> AsyncIterator[Batch]:
        nonlocal behind
        behind += 1
        yield Batch()

    async def push(_: JsonObject | None) -> AsyncIterator[Batch]:
        nonlocal passed
        passed += 1
        yield Batch()

    running = Running(tmp_path, loaded(Scripted(sinks={"orders": push}, items=away, moves=moves), log))
    await until(lambda: passed > 3)
    (health,) = await running.end()
    assert behind == 0
    assert health.parts["source items"].failures > 1
    assert health.parts["sink orders"].failures == 0


async def test_a_connector_that_cannot_be_opened_is_opened_again(log: LogOfEvents, tmp_path: Path) -> None:
    openings = 0

    def opening() -> None:
        nonlocal openings
        openings += 1
        if openings < 3:
            raise Unreachable("no route to the ERP")

    async def items(_: JsonObject | None) -> AsyncIterator[Batch]:
        yield Batch([count("a")])

    running = Running(tmp_path, loaded(Scripted(opening, items=items), log))
    await until(lambda: bool(log.events))
    (health,) = await running.end()
    assert (openings, health.parts["connection"].failures) == (3, 0)


async def test_a_connector_that_is_ahead_of_the_engine_waits(log: LogOfEvents, tmp_path: Path) -> None:
    asked: list[int] = []

    async def quick(_: JsonObject | None) -> AsyncIterator[Batch]:
        for number in range(3):
            asked.append(number)
            yield Batch([count(str(number))])
            if number == 0:
                log.lag = 0

    log.lag = MOST_BEHIND + 1
    running = Running(tmp_path, loaded(Scripted(a=quick), log, interval=60))
    await until(lambda: log.reports.get("one", {}).get("status") == "waiting")
    assert (asked, log.reports["one"]["detail"]) == ([], f"the engine is {MOST_BEHIND + 1} events behind")
    log.lag = 0
    await until(lambda: len(log.events) == 3)
    await until(lambda: log.reports["one"]["status"] == "running")
    await running.end()


async def test_the_next_batch_is_asked_for_only_once_the_one_before_is_durable(
    log: LogOfEvents, tmp_path: Path
) -> None:
    durable: list[int] = []

    async def watching(_: JsonObject | None) -> AsyncIterator[Batch]:
        for number in range(4):
            yield Batch([count(str(number))], position={"number": number})
            kept = json.loads((tmp_path / "one" / "source-a.json").read_text())["position"]["number"]
            durable.append(len(log.events) if kept == number else -1)

    (health,) = await run([loaded(Scripted(a=watching), log)], Options(tmp_path, once=True), asyncio.Event())
    assert (health.exit_code, durable) == (0, [1, 2, 3, 4])


async def test_an_engine_that_is_away_is_waited_for(
    log: LogOfEvents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.host.running.PATIENCE", Patience(seconds=0, busy_seconds=0))

    async def items(position: JsonObject | None) -> AsyncIterator[Batch]:
        if position is None:
            yield Batch([count("a")], position={"all": True})

    log.away = True
    connector = loaded(Scripted(a=items), log)
    (health,) = await run([connector], Options(tmp_path, once=True), asyncio.Event())
    assert (health.exit_code, log.events) == (EXIT_ENVIRONMENT, {})
    assert (health.waiting or "").startswith(f"no answer from {log.url}")
    running = Running(tmp_path, connector)
    await asyncio.sleep(0.1)
    log.away = False
    await until(lambda: bool(log.events))
    (health,) = await running.end()
    assert health.waiting is None


async def test_a_pull_that_never_ends_is_cut_off_at_the_end(
    log: LogOfEvents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.host.host.GRACE_SECONDS", 0.05)
    asked_again, closed = asyncio.Event(), asyncio.Event()

    async def listening(_: JsonObject | None) -> AsyncIterator[Batch]:
        try:
            yield Batch([count("a")])
            asked_again.set()
            await asyncio.sleep(3600)
        finally:
            closed.set()

    running = Running(tmp_path, loaded(Scripted(a=listening), log))
    await until(asked_again.is_set)
    (health,) = await running.end()
    assert closed.is_set()
    assert log.reports["one"]["parts"]["source a"]["events"] == 1
    assert (log.reports["one"]["status"], log.reports["one"]["detail"]) == ("stopped", "it was asked to stop")
    assert health.exit_code == 0


async def test_events_that_cannot_wait_are_counted_too(log: LogOfEvents, tmp_path: Path) -> None:
    connector = Scripted()

    async def items(_: JsonObject | None) -> AsyncIterator[Batch]:
        assert connector.tools is not None
        answer = await connector.tools.log.post_events([count("at-once")])
        assert (answer.accepted, await connector.tools.log.log_id()) == (1, log.log)
        yield Batch()

    connector.sources = {"a": Pulled(items)}
    (health,) = await run([loaded(connector, log)], Options(tmp_path, once=True), asyncio.Event())
    assert health.parts["direct"].events == 1

"""The host of connectors: what befalls one costs the others nothing, and it waits for an engine that is behind."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import pytest

from connectors import catalogue
from connectors.base import JsonObject
from connectors.client import EngineClient
from connectors.host import Options, load, load_all, run
from connectors.host.delivery import MOST_BEHIND
from connectors.host.health import EXIT_BUG, EXIT_ENVIRONMENT, EXIT_USAGE, Health, PartHealth, worst
from connectors.host.loading import Loaded, guarantee
from connectors.host.running import LONGEST_PAUSE_SECONDS, back_off
from connectors.host.state import ConnectorState
from connectors.ports import Batch, Connector, Finding, Sink, Source, Tools
from connectors.profiles import ConnectorProfile, Secret, Unreachable
from connectors.redaction import redacted
from engine.core.errors import DirectoryInUse, UsageError
from tests.connectors.engine import LogOfEvents, log_of_events

SOON = 5.0

Pull = Callable[[JsonObject | None], AsyncIterator[Batch]]


def count(name: str) -> bytes:
    data = {"sku": name, "location": "LEEDS", "qty": 1}
    event = {"specversion": "1.0", "id": name, "source": "s", "type": "stock.counted", "time": "2026-03-02T06:00:00Z"}
    return json.dumps({**event, "data": data}).encode()


def failing(error: Exception) -> Pull:
    async def pull(position: JsonObject | None) -> AsyncIterator[Batch]:
        if position is None:
            raise error
        yield Batch()

    return pull


class Pulled:
    """A source, or a sink, of one function."""

    def __init__(self, pull: Pull) -> None:
        self.pull = pull

    async def replay(self, record: bytes) -> Sequence[bytes]:
        return []

    def pass_on(self, engine: EngineClient, position: JsonObject | None) -> AsyncIterator[Batch]:
        return self.pull(position)


class Scripted:
    """A connector whose sources and sinks are functions; it is its own kind."""

    Profile = ConnectorProfile

    def __init__(
        self, opening: Callable[[], None] = lambda: None, sinks: Mapping[str, Pull] | None = None, **sources: Pull
    ):
        self._opening = opening
        self.sources: Mapping[str, Source] = {name: Pulled(pull) for name, pull in sources.items()}
        self.sinks: Mapping[str, Sink] = {name: Pulled(pull) for name, pull in (sinks or {}).items()}
        self.tools: Tools | None = None

    def connect(self, profile: ConnectorProfile, tools: Tools) -> Connector:
        self.tools = tools
        return self

    async def __aenter__(self) -> Self:
        self._opening()
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def check(self) -> Sequence[Finding]:
        return []


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
    await until(lambda: tried >= 3 and len(log.events) >= 10)
    first, second = await running.end()
    assert first.parts["source a"].error == "a bug: ZeroDivisionError('the bug')"
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
    from connectors.client import Patience

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
    closed = asyncio.Event()

    async def listening(_: JsonObject | None) -> AsyncIterator[Batch]:
        try:
            yield Batch([count("a")])
            await asyncio.sleep(3600)
        finally:
            closed.set()

    running = Running(tmp_path, loaded(Scripted(a=listening), log))
    await until(lambda: bool(log.events))
    (health,) = await running.end()
    assert closed.is_set()
    assert log.reports["one"]["parts"]["source a"]["events"] == 1
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


# positions and the lock -----------------------------------------------------------------------------------------------


def _hold(root: str, held: Any, leave: Any) -> None:
    with ConnectorState(Path(root), "one"):
        held.set()
        leave.wait(SOON)


def test_a_second_host_refuses_a_connector_that_is_running(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    held, leave = spawn.Event(), spawn.Event()
    other = spawn.Process(target=_hold, args=(str(tmp_path), held, leave))
    other.start()
    try:
        assert held.wait(SOON * 4)
        with (
            pytest.raises(DirectoryInUse, match="another process runs the connector 'one'"),
            ConnectorState(tmp_path, "one"),
        ):
            pass
        with ConnectorState(tmp_path, "two"):
            pass
    finally:
        leave.set()
        other.join(SOON)
    with ConnectorState(tmp_path, "one"):
        pass


def test_a_position_is_valid_for_one_log(tmp_path: Path) -> None:
    with ConnectorState(tmp_path, "one") as state:
        assert state.kept("source a/b", "log").position is None
        state.keep("source a/b", "log", {"at": 1})
        state.keep("source a/b", "log", {"at": 2})
        assert (state.kept("source a/b", "log").position, state.kept("source a/b", "log").anew) == ({"at": 2}, None)
        other = state.kept("source a/b", "another")
        assert other.position is None
        assert other.anew is not None
        assert state.kept("source c", "log").position is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"log": "x"}', b"\xff"])
def test_a_damaged_position_is_not_taken_for_none(tmp_path: Path, content: bytes) -> None:
    with ConnectorState(tmp_path, "one") as state:
        (tmp_path / "one" / "source-a.json").write_bytes(content)
        with pytest.raises(UsageError, match="holds no position: restore it, or delete it"):
            state.kept("source a", "log")


# profiles -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('name = "a"', "kind: Field required"),
        ('kind = "telex"\nname = "a"', "there is no kind 'telex', only "),
        ("kind = ", "is not TOML"),
        ('kind = "listed"\nname = "Not so"\npath = "x"\nother = 1', "name: String should match.*other: Extra inputs"),
    ],
)
def test_a_fault_of_a_profile_is_named(tmp_path: Path, text: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalogue.KINDS, "listed", "tests.connectors.listed")
    (tmp_path / "p.toml").write_text(text)
    with pytest.raises(UsageError, match=words):
        load(tmp_path / "p.toml")


def test_two_profiles_with_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalogue.KINDS, "listed", "tests.connectors.listed")
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text('kind = "listed"\nname = "same"\npath = "x"')
    with pytest.raises(UsageError, match="have the same name 'same'"):
        load_all([tmp_path / "a.toml", tmp_path / "b.toml"])


def test_the_guarantee_is_the_sentence_that_says_once() -> None:
    class Kind(Scripted):
        """Reads things. They are many.

        It delivers exactly
        once, because it does. Nothing else is said at once.
        """

    assert guarantee(Kind()) == "It delivers exactly once, because it does."
    assert guarantee(Scripted()) == ""


# back-off, exit codes, secrets ----------------------------------------------------------------------------------------


def test_pauses_grow_with_jitter_up_to_a_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.host.running.FIRST_PAUSE_SECONDS", 1.0)
    monkeypatch.setattr("connectors.host.running.LONGEST_PAUSE_SECONDS", LONGEST_PAUSE_SECONDS)
    for failures in range(1, 2000):
        longest = min(2.0 ** min(failures - 1, 60), LONGEST_PAUSE_SECONDS)
        assert longest / 2 <= back_off(failures) <= longest
    assert len({back_off(5) for _ in range(20)}) > 1


@pytest.mark.parametrize(("codes", "code"), [((0, 0), 0), ((0, 1), 1), ((1, 3), 3), ((3, 2), 2), ((2, 70, 1), 70)])
def test_the_exit_code_is_that_of_the_worst(codes: tuple[int, ...], code: int) -> None:
    assert worst(*codes) == code


def test_a_revealed_secret_is_blotted_out_in_every_form(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cr/t &key\n")
    secret = Secret(file=tmp_path / "secret").reveal()
    part = PartHealth()
    part.failed(Unreachable(f"GET https://user:s3cr%2Ft%20%26key@erp/ failed for {secret}"), 1)
    assert part.error == "GET https://user:[secret]@erp/ failed for [secret]"
    assert redacted(repr(ValueError(secret))) == "ValueError('[secret]')"


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe"])
def test_a_secret_that_is_none_is_said_with_its_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(UsageError, match=str(tmp_path / "secret")):
        Secret(file=tmp_path / "secret").reveal()

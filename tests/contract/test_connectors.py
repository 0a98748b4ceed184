"""What a connector promises, under the real host: all far sides of `connectors.py` are held to the same sentences."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from connectors import catalogue
from connectors.host import loading
from connectors.host.health import EXIT_ENVIRONMENT, EXIT_REFUSED
from connectors.host.replaying import ReplayOptions, replay
from connectors.host.tried import try_out
from connectors.redaction import redact_logs
from engine.core.errors import UsageError
from tests.connectors.engine import log_of_events
from tests.connectors.harness import MOMENTS, Bench, FarSide, Moment
from tests.contract.connectors import SHOWN_ELSEWHERE, far_sides

ROOT = Path(__file__).parents[2]
MOST_CRASHES = 12
"""At most so many batches of a far side are interrupted at each moment."""

FAR_SIDES = far_sides()
SPOILED = {name: far for name, far in FAR_SIDES.items() if far.can_be_spoiled}
LEAVING = {name: far for name, far in FAR_SIDES.items() if far.can_leave}
SECRETIVE = {name: far for name, far in FAR_SIDES.items() if far.secret is not None}

all_of_them = pytest.mark.parametrize("side", FAR_SIDES.values(), ids=FAR_SIDES)
those_that_can_be_spoiled = pytest.mark.parametrize("side", SPOILED.values(), ids=SPOILED)
those_that_can_leave = pytest.mark.parametrize("side", LEAVING.values(), ids=LEAVING)
those_with_a_secret = pytest.mark.parametrize("side", SECRETIVE.values(), ids=SECRETIVE)


@pytest.fixture(autouse=True)
def _example_is_in_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalogue.KINDS, "listed", "tests.connectors.listed")


@pytest.fixture
async def bench(side: type[FarSide], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    async with log_of_events() as log, side(tmp_path) as far:
        yield Bench(far, log, monkeypatch)


@all_of_them
async def test_every_event_is_taken_and_the_next_round_has_nothing_to_say(bench: Bench) -> None:
    health = await bench.once()
    assert (health.exit_code, bench.log.refused) == (0, []), health.report()
    assert len(bench.log.content) >= 3
    before = dict(bench.log.events)
    assert (await bench.once()).exit_code == 0
    assert bench.log.events == before


@all_of_them
@pytest.mark.parametrize("moment", MOMENTS)
async def test_every_event_is_in_the_log_once_whenever_the_process_dies(bench: Bench, moment: Moment) -> None:
    await bench.once()
    wanted = bench.log.content
    for number in range(1, MOST_CRASHES + 1):
        bench.log.begin_anew()
        bench.forget()
        crashed = await bench.once_with_crash(moment, number)
        health = await bench.once()
        assert (health.exit_code, bench.log.refused) == (0, []), f"after a crash {moment} {number}"
        assert bench.log.content == wanted, f"after a crash {moment} {number}"
        if not crashed:
            assert number > 1, "no batch was delivered at all"
            return


@all_of_them
async def test_a_record_that_is_read_again_is_the_same_event(bench: Bench) -> None:
    await bench.once()
    before = dict(bench.log.events)
    bench.forget()
    await bench.once()
    assert (bench.log.events, bench.log.refused) == (before, [])
    assert bench.log.duplicates >= len(bench.log.content), "it was not read again"


@all_of_them
async def test_another_log_is_filled_from_the_beginning(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    await bench.once()
    wanted = bench.log.content
    bench.log.begin_anew()
    await bench.once()
    assert bench.log.content == wanted
    assert "another log" in caplog.text


@those_that_can_be_spoiled
async def test_a_broken_record_costs_itself_and_is_translated_once_that_is_possible(bench: Bench) -> None:
    await bench.once()
    whole = bench.log.content
    bench.log.begin_anew()
    await bench.far.spoil()
    health = await bench.once()
    assert health.exit_code == EXIT_REFUSED
    assert {name: bench.log.content.get(name) for name in whole} == whole, "it cost others"
    letters = list(bench.log.letters)
    assert letters, "there is no dead letter"
    bench.forget()
    await bench.once()
    assert bench.log.letters == letters, "read again, it is another dead letter"

    assert (await replay(bench.loaded(), ReplayOptions())).remaining.total() == len(letters)
    await bench.far.mend()
    done = await replay(bench.loaded(), ReplayOptions())
    assert (done.exit_code, done.translated, done.known) == (0, len(letters), 0), done
    assert len(bench.log.content) > len(whole)
    again = await replay(bench.loaded(), ReplayOptions())
    assert (again.exit_code, again.known) == (0, again.events)


@those_that_can_leave
async def test_a_system_that_is_away_is_tried_again(bench: Bench) -> None:
    await bench.far.leave()
    health = await bench.once()
    assert (health.exit_code, bench.log.content) == (EXIT_ENVIRONMENT, {})
    assert health.report()["detail"] is not None
    assert any(part.error for part in health.parts.values())
    await bench.far.come_back()
    assert (await bench.once()).exit_code == 0
    assert bench.log.content


def files_of(far: FarSide) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in far.folder.rglob("*") if path.is_file()}


@all_of_them
async def test_a_trial_writes_nothing(bench: Bench) -> None:
    loaded = bench.loaded()
    before = files_of(bench.far)
    trial = await try_out(loaded)
    assert trial.exit_code == 0, trial
    assert files_of(bench.far) == before
    assert sum(source.types.total() for source in trial.sources.values()) > 0
    assert (bench.log.events, bench.state.exists()) == ({}, False)
    await bench.once()
    assert bench.log.content, "the trial has taken something away"


@all_of_them
async def test_a_profile_with_an_unknown_key_is_refused(bench: Bench) -> None:
    with pytest.raises(UsageError, match="no_such_key"):
        bench.loaded(no_such_key=1)


def test_every_kind_has_a_far_side() -> None:
    there = {kind for kind, *_ in loading.kinds()}
    without = there - {side.kind for side in FAR_SIDES.values()}
    assert without - SHOWN_ELSEWHERE.keys() == set(), "kinds without a far side in tests/contract/connectors.py"
    assert SHOWN_ELSEWHERE.keys() - without == set(), "a kind that has a far side needs no exception"
    assert [test for test in SHOWN_ELSEWHERE.values() if not (ROOT / test).is_file()] == []


@pytest.mark.parametrize("kind", sorted({side.kind for side in FAR_SIDES.values()}))
def test_a_kind_says_what_it_is_and_what_it_guarantees(kind: str) -> None:
    module = loading.module_of(kind)
    assert re.search(r"\b(exactly|at least|at most) once\b", loading.guarantee(module)), loading.guarantee(module)
    assert loading.summary(module).endswith(".")


@pytest.fixture
def shown(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Everything that is logged, as the commands log it: without secrets."""
    formatter = caplog.handler.formatter
    caplog.set_level(logging.DEBUG)
    redact_logs()
    yield caplog
    caplog.handler.setFormatter(formatter)


@those_with_a_secret
async def test_a_secret_is_never_seen(bench: Bench, shown: pytest.LogCaptureFixture) -> None:
    secret = bench.far.secret
    assert secret is not None
    healths = [await bench.once()]
    if bench.far.can_leave:
        await bench.far.leave()
        healths.append(await bench.once())
        await bench.far.come_back()
    if bench.far.can_be_spoiled:
        await bench.far.spoil()
        bench.forget()
        healths.append(await bench.once())
    trial = await try_out(bench.loaded())
    seen = [shown.text, repr(trial), json.dumps([health.report() for health in healths])]
    seen += [json.dumps(bench.log.reports), json.dumps([*bench.log.events.values(), *bench.log.letters])]
    seen += [path.read_text(errors="replace") for path in bench.state.rglob("*") if path.is_file()]
    assert len(bench.log.reports) == 1
    assert [text for text in seen if secret in text] == []

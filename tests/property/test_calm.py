"""The short way of calm events leaves what the general way leaves, byte for byte, on random histories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agents import pipeline
from benchmarks.mix import START as MIX_START
from benchmarks.mix import Mix
from engine.bus.memory.bus import MemoryBus
from engine.bus.single import Commit, Record
from engine.core import events as e
from engine.core.events import decode
from engine.core.values import DAY, HOUR
from engine.runtime.arrivals import Arrival
from engine.runtime.fold import Fold
from engine.runtime.marker import Marker
from tests.auditor.model import instant
from tests.auditor.teller import SPAN
from tests.auditor.teller import START as STORY_START
from tests.auditor.workload import Story, encoded

CALM = {kind: handling.calm for kind, handling in pipeline.HANDLING.items() if handling.calm is not None}


def folded(events: Sequence[bytes], arrived_at: int, batch: int, short: dict[type, Any]) -> list[Commit]:
    """What a fold commits of events in batches, with some event types taking a short way."""
    bus, offset, commits = MemoryBus(1), 0, []
    fold = Fold(bus.state, 0, 1, Marker(), 0)
    with pytest.MonkeyPatch.context() as patch:
        for kind, handling in pipeline.HANDLING.items():
            patch.setitem(pipeline.HANDLING, kind, replace(handling, calm=short.get(kind)))
        for start in range(0, len(events), batch):
            records = [
                Record(0, offset + n, "", raw, arrived_at) for n, raw in enumerate(events[start : start + batch])
            ]
            offset += len(records)
            step = fold.step([Arrival(record, decode(record.value)) for record in records], append=True)
            bus.commit([step.commit])
            fold.committed()
            commits.append(step.commit)
    return commits


def counted(taken: Counter[str], name: str, short: Callable[..., bool]) -> Callable[..., bool]:
    """A short way that counts the events which it takes."""

    def take(*arguments: Any) -> bool:
        is_calm = short(*arguments)
        taken[name] += is_calm
        return is_calm

    return take


@settings(max_examples=50)
@given(seed=st.integers(0, 2**32), batch=st.sampled_from([1, 7, 40]), shuffled=st.booleans())
def test_a_random_history_gives_the_same_bytes_on_the_short_way(seed: int, batch: int, shuffled: bool) -> None:
    random = Random(seed)
    story = Story(random, skus=1, locations=2, length=80)
    preamble, told = list(story.preamble()), list(story.tell(80))
    if shuffled:
        random.shuffle(told)
    events = [encoded(event) for event in [*preamble, *told]]
    arrived_at = instant(STORY_START) + SPAN
    assert folded(events, arrived_at, batch, CALM) == folded(events, arrived_at, batch, {})


@pytest.mark.parametrize("late", [DAY, 30 * DAY])
def test_most_issues_and_reports_are_calm_and_give_the_same_bytes(late: int) -> None:
    mix, taken = Mix(20), Counter[str]()
    events = [*mix.setup(), *mix.stream(800, apart=HOUR // 20)]
    short = {kind: counted(taken, kind.__name__, take) for kind, take in CALM.items()}
    assert folded(events, MIX_START + late + DAY, 50, short) == folded(events, MIX_START + late + DAY, 50, {})
    kinds = Counter(type(decode(event)).__name__ for event in events)
    for kind in (e.StockIssued, e.BalanceReported):
        assert taken[kind.__name__] > kinds[kind.__name__] // 3

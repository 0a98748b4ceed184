"""How events arrive: late, out of order, repeated, in conflict with each other, cut into batches."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import TypeVar

from hypothesis import strategies as st

from tests.auditor.model import HOUR, Event, instant
from tests.auditor.teller import MINUTE, iso
from tests.auditor.workload import Story

Item = TypeVar("Item")


def late_arrivals(random: Random, events: list[Event], window: int = 30 * HOUR) -> list[Event]:
    """The events of any history, each delayed by up to `window`: late, and out of order by no more than that."""
    return sorted(events, key=lambda event: instant(event["time"]) + random.randrange(window))


def with_duplicates(random: Random, events: list[Event], share: float = 0.3) -> list[Event]:
    """The events, some of them sent again at any later place."""
    arrived = list(events)
    for event in events:
        while random.random() < share:
            arrived.insert(random.randint(arrived.index(event) + 1, len(arrived)), event)
    return arrived


def conflicting(random: Random, event: Event) -> Event:
    """Another event under the same name: the same pair of source and id, other content."""
    later = iso(instant(event["time"]) + random.randint(1, 50) * MINUTE)
    return event | {"time": later}


def batches(random: Random, events: list[bytes], most: int = 12) -> Iterator[list[bytes]]:
    """The events in batches of any size from 1 to `most`."""
    start = 0
    while start < len(events):
        size = random.randint(1, most)
        yield events[start : start + size]
        start += size


# ---- strategies


@st.composite
def histories(draw: st.DrawFn, length: int = 36) -> tuple[list[Event], list[Event]]:
    """A preamble, and events that have arrived in some order: selected, reordered and repeated at will.

    The story comes from a seed; what shrinks is the selection, so that a failure is reported with few events.
    """
    seed = draw(st.integers(0, 2**32 - 1))
    story = Story(Random(seed), skus=2, locations=2, length=length)
    preamble, told = story.preamble(), list(story.tell(length))
    places = st.sampled_from(range(length))
    arrival = draw(st.one_of(st.lists(places, min_size=1, max_size=2 * length), st.permutations(range(length))))
    return preamble, [told[place] for place in arrival]


def cuts(most: int = 12) -> st.SearchStrategy[list[int]]:
    """Batch sizes; they repeat until the events are used up."""
    return st.lists(st.integers(1, most), min_size=1, max_size=6)


def cut(events: list[Item], sizes: list[int]) -> list[list[Item]]:
    out, start, turn = [], 0, 0
    while start < len(events):
        size = sizes[turn % len(sizes)]
        out.append(events[start : start + size])
        start, turn = start + size, turn + 1
    return out

"""Locations and feeds: rows of their own, ticks that judge only what is due, and news for the other partitions."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from engine.bus.memory.bus import MemoryBus
from engine.bus.single import Commit
from engine.core.events import decode, encode
from engine.core.rules import Rules
from engine.core.values import DAY, HOUR, SECOND, iso, stable_id
from engine.runtime.clock import News, ticks_of
from engine.runtime.single.engine import Engine
from tables.directory import FEED, LOCATION, PULSE, Feed, Pulse, feed_key, pulse_key
from tables.feeds import Feeds
from tables.sources import SOURCE
from tests.auditor.adapter import Rig

NOW = 1_900_000_000_000_000
RANK = (0, 0, b"")


class Noted(MemoryBus):
    """A bus that notes what is committed."""

    def __init__(self, partitions: int) -> None:
        super().__init__(partitions)
        self.commits: list[Commit] = []

    def commit(self, commits: Any) -> None:
        self.commits += commits
        super().commit(commits)

    def changed(self) -> dict[bytes, bytes | None]:
        """What the last commits have changed; forgets them."""
        changed = {key: value for commit in self.commits for key, value in commit.changes}
        self.commits = []
        return {key: value for key, value in changed.items() if key[:1] != b"d"}


def event(kind: str, at: int, source: str = "t", **data: Any) -> bytes:
    named = stable_id(kind, source, str(at), json.dumps(data))
    return json.dumps(
        {"specversion": "1.0", "id": named, "source": source, "type": kind, "time": iso(at), "data": data}
    ).encode()


def feed(name: str, at: int = NOW, seconds: int = 3600, **more: Any) -> bytes:
    return event("feed.declared", at, feed=name, interval_seconds=seconds, **more)


def arrival(at: int, source: str, sku: str = "A") -> bytes:
    return event("stock.returned", at, source, sku=sku, location="L", qty=1, disposition="available")


def alerts(bus: MemoryBus, status: str = "open") -> list[str]:
    found = [json.loads(value)["data"] for _, value in bus.published.things("alerts")]
    return sorted(a["sku"] for a in found if a["kind"] == "stale_feed" and a["status"] == status)


# rows -----------------------------------------------------------------------------------------------------------------


def test_locations_are_rows_and_there_may_be_any_number() -> None:
    bus = Noted(1)
    engine = Engine(bus, Rules())
    zone = "Asia/Tokyo"
    told = [event("location.defined", NOW, location=f"L{n}", time_zone=zone, name="n" * 500) for n in range(25_000)]
    for start in range(0, len(told), 1_000):
        assert engine.submit(told[start : start + 1_000], NOW).refused == []
    bus.changed()
    engine.submit([event("location.defined", NOW, location="one more")], NOW)
    assert sorted(key[:1] for key in bus.changed()) == [SOURCE, LOCATION], "the location, and what its source has sent"


def test_a_tick_over_locations_and_living_feeds_writes_nothing() -> None:
    bus = Noted(2)
    engine = Engine(bus, Rules())
    engine.submit([event("location.defined", NOW, location=f"L{n}") for n in range(500)], NOW)
    engine.submit([feed(f"f{n}", seconds=86_400) for n in range(500)], NOW)
    bus.changed()
    engine.tick(NOW + HOUR)
    assert bus.changed() == {}


@pytest.mark.parametrize("feeds", [10, 1_000])
def test_an_arrival_writes_one_small_row_however_many_feeds_there_are(feeds: int) -> None:
    bus = Noted(1)
    engine = Engine(bus, Rules())
    places = [f"L{n}" for n in range(300)]
    engine.submit([feed(f"f{n}", seconds=86_400, locations=places) for n in range(feeds)], NOW)
    engine.submit([arrival(NOW, "f3")], NOW)
    bus.changed()
    engine.submit([arrival(NOW + n, "f3") for n in range(1, 50)], NOW + SECOND)
    pulses = {key: value for key, value in bus.changed().items() if key[:1] in (PULSE, FEED, LOCATION)}
    assert [(key[3:], len(value or b"") < 20) for key, value in pulses.items()] == [(b"f3", True)]


def test_only_the_feeds_whose_state_changes_are_written() -> None:
    bus = Noted(1)
    engine = Engine(bus, Rules())
    engine.submit([feed("short", seconds=60), *(feed(f"long-{n}", seconds=86_400) for n in range(100))], NOW)
    bus.changed()
    engine.tick(NOW + HOUR)
    assert sorted(key[3:] for key in bus.changed() if key[:1] == PULSE) == [b"short"]
    assert alerts(bus) == ["short"]
    engine.tick(NOW + 2 * HOUR)
    assert bus.changed() == {}


# what a signal sees ---------------------------------------------------------------------------------------------------


def test_stale_feeds_are_known_by_location_and_named_in_order() -> None:
    feeds = Feeds()
    for name, places in {"b": None, "a": ["L"], "c": ["M", "M"], "d": [], "e": None}.items():
        feeds.learn(rows(name, Feed(60, places, RANK), Pulse(0, name != "e")))
    assert [feeds.stale_at(place) for place in ("L", "M", "N")] == [["a", "b"], ["b", "c"], ["b"]]
    feeds.learn(rows("c", Feed(60, ["L"], RANK), Pulse(0, True)))
    feeds.learn(rows("b", Feed(60, None, RANK), Pulse(1)))
    assert [feeds.stale_at(place) for place in ("L", "M", "N")] == [["a", "c"], [], []]


def test_of_very_many_stale_feeds_twenty_are_named() -> None:
    feeds = Feeds()
    for n in range(5_000):
        feeds.learn(rows(f"{n:04}", Feed(60, None, RANK), Pulse(0, True)))
    assert feeds.stale_at("L") == [f"{n:04}" for n in range(20)]


def rows(name: str, declared: Feed, pulse: Pulse) -> dict[bytes, Any]:
    return {feed_key(0, name): declared, pulse_key(0, name): pulse}


# portions -------------------------------------------------------------------------------------------------------------


def test_a_thousand_feeds_that_fall_silent_at_once_are_taken_in_portions() -> None:
    bus = Noted(1)
    engine = Engine(bus, Rules())
    engine.submit([feed(f"f{n}", seconds=60) for n in range(1_000)], NOW)
    seen = []
    outputs = engine.tick_due(NOW + HOUR)
    while outputs:
        seen.append(len(outputs))
        assert len(bus.commits[-1].records) == 1
        outputs = engine.tick_due(NOW + HOUR)
    assert seen == [200] * 5
    assert len(alerts(bus)) == 1_000
    assert not engine.behind


def test_the_log_clock_takes_all_portions_before_anything_else() -> None:
    rig = Rig(2)
    rig.send([feed(f"f{n}", seconds=60) for n in range(1_000)], NOW)
    rig.send([arrival(NOW + HOUR, "other")], NOW)
    assert len(alerts(rig.bus)) == 1_000


@pytest.mark.parametrize("seed", range(25))
def test_a_crash_between_any_two_batches_changes_nothing(seed: int) -> None:
    steady, crashing = storm(seed, crash=False), storm(seed, crash=True)
    assert steady.everything() == crashing.everything()
    assert list(steady.bus.state.scan(b"", b"\xff")) == list(crashing.bus.state.scan(b"", b"\xff"))


def storm(seed: int, crash: bool) -> Rig:
    """Feeds that are declared anew, fall silent and come back, under the log's clock."""
    random, rig, at = Random(seed), Rig(3), NOW
    for _ in range(60):
        at += random.choice((0, SECOND // 2, 20 * SECOND, 90 * SECOND))
        name = f"feed-{random.randrange(6)}"
        declared = feed(name, at, random.choice((30, 60, 120)), locations=random.choice((None, ["L"], ["M", "L"])))
        said = declared if random.random() < 0.4 else arrival(at, name, f"SKU-{random.randrange(6)}")
        assert rig.send([said], NOW) == {}
        if crash:
            rig.crash()
    return rig


# news for the other partitions ----------------------------------------------------------------------------------------


def test_a_feed_that_speaks_to_one_partition_is_alive_in_all_and_few_ticks_say_so() -> None:
    bus = Noted(4)
    engine = Engine(bus, Rules())
    engine.submit([feed("wms", seconds=600)], NOW)
    before = engine.accepted
    events = 0
    for second in range(0, 6 * 3600, 5):
        engine.tick_due(NOW + second * SECOND)
        if second % 60 == 0:
            engine.submit([arrival(NOW + second * SECOND, "wms")], NOW + second * SECOND)
            events += 1
    assert alerts(bus) == alerts(bus, "resolved") == []
    ticks = engine.accepted - before - events
    assert 0 < ticks <= 4 * (6 * 3600 // (300 - 60) + 1)


@pytest.mark.parametrize("sku", ["A", "B", "C", "D"])
def test_a_stale_feed_that_comes_back_is_fresh_everywhere_at_the_next_look(sku: str) -> None:
    bus = Noted(4)
    engine = Engine(bus, Rules())
    engine.submit([feed("wms", seconds=600)], NOW)
    engine.tick_due(NOW + HOUR)
    assert alerts(bus) == ["wms"]
    engine.submit([arrival(NOW + HOUR, "wms", sku)], NOW + HOUR)
    engine.tick_due(NOW + HOUR + SECOND)
    assert alerts(bus, "resolved") == ["wms"]
    assert [fold.feeds.stale_at("L") for fold in engine.folds] == [[]] * 4


@pytest.mark.parametrize("sku", ["A", "B", "C", "D"])
@pytest.mark.parametrize("later", [HOUR + SECOND, 2 * HOUR])
def test_under_the_log_clock_a_stale_feed_that_comes_back_is_fresh_with_its_event(sku: str, later: int) -> None:
    bus = Noted(4)
    engine = Engine(bus, Rules(clock="log"))
    said = [feed("wms", seconds=600), arrival(NOW + HOUR, "other"), arrival(NOW + later, "wms", sku)]
    engine.submit(said[:2], NOW)
    assert alerts(bus) == ["wms"]
    engine.submit(said[2:], NOW)
    assert (alerts(bus), alerts(bus, "resolved")) == ([], ["wms"])
    assert [fold.feeds.stale_at("L") for fold in engine.folds] == [[]] * 4
    ended = [bus.end_offset(partition) for partition in range(4)]
    engine.submit(said[2:], NOW)
    assert sum(bus.end_offset(partition) - end for partition, end in enumerate(ended)) == 1, "a duplicate ticks nothing"
    at_once = Noted(4)
    Engine(at_once, Rules(clock="log")).submit([*said, said[2]], NOW)
    logs = [[each.read_log(partition, 0, 100) for partition in range(4)] for each in (bus, at_once)]
    assert logs[0] == logs[1]


def test_an_engine_that_starts_anew_tells_what_it_had_not() -> None:
    bus = Noted(4)
    engine = Engine(bus, Rules())
    engine.submit([feed("wms", seconds=600)], NOW)
    engine.submit([arrival(NOW + 500 * SECOND, "wms")], NOW + 500 * SECOND)
    engine = Engine(bus, Rules())
    engine.tick_due(NOW + 601 * SECOND)
    assert alerts(bus) == []
    assert [fold.feeds.pulses["wms"].last for fold in engine.folds] == [NOW + 500 * SECOND] * 4


def test_a_tick_is_never_longer_than_an_event_may_be() -> None:
    arrivals = {f"{n:04}" + "\U0001f69a" * 252: NOW for n in range(450)}
    ticks = ticks_of(NOW, arrivals)
    assert [len(tick.data.feeds) for tick in ticks] == [200, 200, 50]
    assert all(decode(encode(tick)) == tick for tick in ticks)


def test_news_of_a_feed_that_has_fallen_silent_is_no_news() -> None:
    news = News()
    news.note("wms", NOW)
    declared = {"wms": Feed(60, None, RANK)}
    assert news.ripe(NOW + 30 * SECOND, declared) == {"wms": NOW}
    assert news.ripe(NOW + DAY, declared) == {}
    news.told([("wms", NOW)])
    assert news.all() == {}


@pytest.mark.parametrize("together", [True, False])
def test_a_feed_that_is_declared_anew_is_judged_by_what_came_before_it_wherever_the_batch_was_cut(
    together: bool,
) -> None:
    bus = MemoryBus(1)
    engine = Engine(bus, Rules())
    engine.submit([feed("erp", seconds=10 * 3600)], NOW)
    later = NOW + 2 * HOUR
    news = [arrival(later, "erp"), feed("erp", at=later, seconds=60)]
    for batch in [news] if together else [news[:1], news[1:]]:
        engine.submit(batch, later)
    assert alerts(bus) == []

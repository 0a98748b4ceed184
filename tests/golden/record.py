"""Record the golden files anew: `python -m tests.golden.record`. Do it only where the contract has grown on purpose."""

import json
from pathlib import Path
from random import Random

import msgspec

from engine.bus.memory.bus import MemoryBus
from engine.core.events import EVENT_TYPES, content, decode, identity
from engine.core.outcomes import Rejection
from engine.core.rules import Rules
from engine.core.values import instant
from engine.runtime.single.engine import Engine
from tables.catalogue import BY_TAG
from tests.auditor.arrival import late_arrivals, with_duplicates
from tests.auditor.model import HOUR
from tests.auditor.workload import Story, encoded

HERE = Path(__file__).parent
ARRIVED = 1_900_000_000_000_000


def log() -> list[bytes]:
    """A seeded story of every kind of event, late and with duplicates."""
    random = Random(2026)
    story = Story(random, skus=3, locations=2, length=240)
    told = [*story.preamble(), *with_duplicates(random, late_arrivals(random, list(story.tell(240)), 6 * HOUR))]
    return [encoded(event) for event in told]


def replay(lines: list[bytes]) -> MemoryBus:
    """A log told to an engine, ten events at a time."""
    bus = MemoryBus(2)
    engine = Engine(bus, Rules(clock="log"))
    for start in range(0, len(lines), 10):
        engine.submit(lines[start : start + 10], arrived_at=ARRIVED)
    return bus


def outputs(bus: MemoryBus) -> list[str]:
    """What a log has published: signals, alerts and dead letters in order, then the positions."""
    said = [
        value.decode() for topic in ("signals", "alerts", "dead-letters") for p in range(2)
        for value in bus.published.history(topic, p)
    ]  # fmt: skip
    return [*said, *(value.decode() for _, value in bus.published.things("positions"))]


def rows(bus: MemoryBus) -> dict[str, str]:
    """The bytes of one row of each table, in hexadecimal, by the key's."""
    found: dict[int, tuple[bytes, bytes]] = {}
    for key, value in bus.state.scan(b"\0", b"\xff"):
        kept = found.get(key[0])
        if BY_TAG[key[0]].row_type is not bytes and (kept is None or len(value) > len(kept[1])):
            found[key[0]] = key, value
    return {key.hex(): value.hex() for key, value in found.values()}


def names(lines: list[bytes]) -> dict[str, list[str]]:
    """Of the first event of each type: its bytes, and the digests by which a repeat is known."""
    first: dict[str, list[str]] = {}
    for line in lines:
        event = decode(line)
        assert not isinstance(event, Rejection)
        kind = next(name for name, of in EVENT_TYPES.items() if type(event) is of)
        if kind not in first:
            first[kind] = [line.decode(), identity(event).hex(), content(event, instant(event.time)).hex()]
    return first


def record() -> None:
    """Write all golden files."""
    lines = log()
    bus = replay(lines)
    (HERE / "log.ndjson").write_bytes(b"\n".join(lines) + b"\n")
    (HERE / "outputs.ndjson").write_text("\n".join(outputs(bus)) + "\n")
    (HERE / "rows.json").write_text(json.dumps(rows(bus), indent=1))
    (HERE / "names.json").write_text(json.dumps(names(lines), indent=1))


def fields(key: bytes, value: bytes) -> object:
    """A stored row, decoded by today's types."""
    return msgspec.msgpack.decode(value, type=BY_TAG[key[0]].row_type)


if __name__ == "__main__":
    record()

"""The one place where the auditor's tests touch the engine: drive it, crash it, read what it published."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from engine.bus.memory.bus import Crash, CrashPoint, MemoryBus
from engine.core.rules import Rules
from engine.core.topics import Topic
from engine.runtime.balances import PastBalances, balances_as_of
from engine.runtime.detail import row_detail
from engine.runtime.single.engine import Engine
from tests.auditor.model import Key, Row


class Rig:
    """An engine on a bus in memory. `crash` throws the engine away and keeps what the bus has committed."""

    def __init__(self, partitions: int = 8, rules: Rules | None = None) -> None:
        self.bus = MemoryBus(partitions)
        self.rules = rules or Rules(clock="log")
        self.engine = Engine(self.bus, self.rules)

    # ---- driving

    def send(self, events: Sequence[bytes], at: int) -> dict[int, str]:
        """Submit a batch that arrives at `at`; returns the reasons of what was refused, by index."""
        receipt = self.engine.submit(list(events), arrived_at=at)
        refused = {refusal.index: refusal.reason for refusal in receipt.refused}
        assert receipt.accepted + len(refused) == len(events)
        return refused

    def send_through_power_cut(self, events: Sequence[bytes], at: int, when: CrashPoint) -> dict[int, str]:
        """The machine dies while the batch is committed; the sender, left without an answer, sends it again."""
        self.bus.fail_next_commit(when)
        with pytest.raises(Crash):
            self.send(events, at)
        self.crash()
        return self.send(events, at)

    def tick(self, at: int) -> None:
        self.engine.tick(at)

    def crash(self) -> None:
        self.engine = Engine(self.bus, self.rules)

    # ---- reading

    @property
    def now(self) -> int:
        """The moment by which the engine judges what has expired."""
        return self.engine.now

    def positions(self) -> dict[Key, bytes]:
        things = self.bus.published.things("positions")
        return {(key.split("\0")[0], key.split("\0")[1]): value for key, value in things}

    def position_data(self) -> dict[Key, dict[str, Any]]:
        return {key: json.loads(value)["data"] for key, value in self.positions().items()}

    def rows(self) -> dict[Key, Row]:
        names = ("available", "held", "reserved", "on_order", "in_transit")
        return {key: Row(**{name: data[name] for name in names}) for key, data in self.position_data().items()}

    def detail(self, key: Key, days: int) -> Any:
        """One row in full as its document, or None; with a projection of `days` days."""
        return row_detail(self.bus, self.rules, self.now, key, days)

    def balances_as_of(self, key: Key, at: int) -> PastBalances | None:
        """What a row held as of a moment."""
        return balances_as_of(self.bus, self.rules, key, at)

    def history(self, topic: Topic) -> list[list[bytes]]:
        """Every output of a topic, partition by partition."""
        return [list(self.bus.published.history(topic, partition)) for partition in range(self.bus.partitions)]

    def latest(self, topic: Topic) -> list[dict[str, Any]]:
        return [json.loads(value)["data"] for _, value in self.bus.published.things(topic)]

    def dead_letters(self) -> list[tuple[str, bytes]]:
        """Reason and exact bytes of everything refused."""
        return [(letter["reason"], raw_of(letter)) for letter in self.latest("dead-letters")]

    def published(self) -> tuple[object, ...]:
        """All that went out but for dead letters, byte for byte."""
        return self.positions(), self.history("signals"), self.history("alerts")

    def everything(self) -> tuple[object, ...]:
        """All that went out, byte for byte."""
        return (*self.published(), self.history("dead-letters"), self.history("dead-letter-answers"))

    def said(self) -> tuple[object, ...]:
        """The same, where the log may differ by repeats and refusals: a position is named by its place in the log."""
        return self.position_data(), self.history("signals"), self.history("alerts")


def raw_of(letter: dict[str, Any]) -> bytes:
    if (raw := letter.get("raw")) is not None:
        return str(raw).encode()
    return base64.b64decode(letter.get("raw_base64") or "")


def differences(expected: dict[Key, Row], found: dict[Key, Row], keys: Iterable[Key] | None = None) -> list[str]:
    """Where the engine's rows differ from the model's; a row that was never published is all zeros."""
    keys = sorted(set(expected) | set(found)) if keys is None else keys
    return [
        f"{key}: expected {expected.get(key, Row())}, found {found.get(key, Row())}"
        for key in keys
        if expected.get(key, Row()) != found.get(key, Row())
    ]

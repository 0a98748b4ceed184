"""Keeps one subscriber told: in order by row, again after a failure, and a dead letter in the end.

Each subscriber has a teller of its own, so that a slow one holds up nobody else. One state of a row is under way at a
time, so that the states of a row never overtake each other.
"""

import asyncio
import hashlib
import json
import time
from contextlib import suppress
from random import Random
from typing import Final

from connectors.changes import Change
from connectors.client import EngineClient
from connectors.ports import UntranslatedRecord
from connectors.webhook.notifying import Notifier, Outcome
from connectors.webhook.outbox import Notification, Outbox
from connectors.webhook.profile import Subscriber
from engine.core.errors import StocklineError

HELD_SECONDS: Final = 600.0
"""A dead letter that could not be posted yet is made again after so long."""
MAX_DEAD: Final = 1_000
"""So many dead letters wait for the engine; then the teller waits for it too."""


class Teller:
    """Tells one subscriber what waits for it in the outbox. `dead` holds what the host is to post as dead letters."""

    def __init__(self, subscriber: Subscriber, notifier: Notifier, outbox: Outbox) -> None:
        self.subscriber = subscriber
        self.dead: list[tuple[UntranslatedRecord, Change]] = []
        self.trouble: str | None = None
        self._notifier = notifier
        self._outbox = outbox
        self._woken = asyncio.Event()
        self._jitter: Final = Random()
        self._failures = 0
        self._resting_until = 0.0

    def wake(self) -> None:
        """Something may wait."""
        self._woken.set()

    def is_idle(self, now: float) -> bool:
        """Whether nothing can be told now."""
        due = self._outbox.next_due(self.subscriber.name)
        return not self.dead and (due is None or due > now or now < self._resting_until)

    async def run(self, engine: EngineClient) -> None:
        """Tell until cancelled."""
        while True:
            self._woken.clear()
            now = time.time()
            found = [] if now < self._resting_until or len(self.dead) >= MAX_DEAD else self._due(now)
            if found:
                await asyncio.gather(*(self._tell(each, engine) for each in found))
            else:
                await self._rest(now)

    def dead_lettered(self, dead: list[tuple[UntranslatedRecord, Change]]) -> None:
        """These are durable in the engine as dead letters: they wait no more."""
        for _, change in dead:
            self._outbox.told(self.subscriber.name, change)

    def _due(self, now: float) -> list[Notification]:
        # While the subscriber is in trouble one row asks how it is, and the others spend no attempts.
        limit = 1 if self._failures else self.subscriber.parallel
        return self._outbox.due(self.subscriber.name, now, limit)

    async def _rest(self, now: float) -> None:
        """Wait until something is due, the subscriber has rested, or somebody wakes the teller."""
        due = self._outbox.next_due(self.subscriber.name)
        until = max(self._resting_until, now + 1 if due is None else due)
        with suppress(TimeoutError):
            async with asyncio.timeout(min(max(until - now, 0.01), 5.0)):
                await self._woken.wait()

    async def _tell(self, notification: Notification, engine: EngineClient) -> None:
        change = notification.change
        try:
            outcome = await self._notifier.tell(change, engine)
        except StocklineError as error:
            # The engine was asked what can be promised and did not say: that is not the subscriber's fault.
            self.trouble, self._resting_until = str(error), time.time() + 1
            return
        if outcome.verdict == "told":
            self._failures, self._resting_until, self.trouble = 0, 0.0, None
            self._outbox.told(self.subscriber.name, change)
        elif outcome.verdict == "never" or notification.attempts + 1 >= self.subscriber.attempts:
            self._give_up(change, outcome, notification.attempts + 1)
        else:
            self._again(notification, outcome)

    def _again(self, notification: Notification, outcome: Outcome) -> None:
        self.trouble = outcome.detail
        self._failures += 1
        pause = self._pause(notification.attempts + 1)
        rest = max(self._pause(self._failures), outcome.pause_seconds or 0.0)
        now = time.time()
        self._resting_until = now + rest
        self._outbox.failed(self.subscriber.name, notification.change, now + max(pause, outcome.pause_seconds or 0.0))

    def _give_up(self, change: Change, outcome: Outcome, attempts: int) -> None:
        self.trouble = outcome.detail
        self._outbox.failed(self.subscriber.name, change, time.time() + HELD_SECONDS)
        self.dead.append((dead_letter(self.subscriber, change, f"{outcome.detail}, after {attempts} attempts"), change))

    def _pause(self, failures: int) -> float:
        longest = self.subscriber.first_pause_seconds * 2.0 ** min(failures - 1, 30)
        return min(longest, self.subscriber.longest_pause_seconds) * self._jitter.uniform(0.5, 1.0)


def dead_letter(subscriber: Subscriber, change: Change, detail: str) -> UntranslatedRecord:
    """What is kept of a state that a subscriber was not told; a replay tells it the state of that time."""
    record = {"subscriber": subscriber.name, "table": change.table, "key": change.key, "version": change.version}
    kept = json.dumps(record, separators=(",", ":")).encode()
    name = hashlib.sha256(kept).hexdigest()[:32]
    return UntranslatedRecord(name, "undelivered", f"{subscriber.name} was not told of {change.id}: {detail}", kept,
                              f"the subscriber {subscriber.name}")  # fmt: skip

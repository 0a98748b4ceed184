"""What a round remembers for the next one. Losing it repeats attempts, and loses no line and no event.

`failing` holds what was refused, by signal, for the back-off and for the log. `let_go` holds the signals whose draft a
person deleted, with what they said then: writing it again would undo that, until the signal says something else.
`watched` are those that have a draft, and `closed_until` is how far the closed ones were read: one that is withdrawn is
on no list of standing signals, but its line is still to be removed and said to be gone.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from connectors.base import JsonObject
from connectors.orders.settings import PushSettings
from connectors.orders.signals import PushedSignal

AGAIN_AFTER = timedelta(days=1)
"""A push that goes on failing is said again at most so often."""
MAX_DETAIL = 500
_LONGEST_DOUBLING = 20


class Failure(msgspec.Struct):
    """The attempts since the last success: how many, why the last one failed, when to try again, when it was said."""

    attempts: int
    detail: str
    retry_at: datetime
    said_at: datetime | None = None


class Memory(msgspec.Struct):
    """See the module; `of` and `position` convert from and to the position that the host keeps."""

    watched: list[str] = msgspec.field(default_factory=list)
    closed_until: str | None = None
    failing: dict[str, Failure] = msgspec.field(default_factory=dict)
    let_go: dict[str, str] = msgspec.field(default_factory=dict)

    @classmethod
    def of(cls, position: JsonObject | None) -> "Memory":
        """The memory in a position; an empty one where there is none."""
        return msgspec.convert(position or {}, cls)

    def position(self) -> JsonObject:
        """As JSON."""
        found: JsonObject = msgspec.to_builtins(self)
        return found

    def waits(self, signal: str, now: datetime) -> bool:
        """Whether the signal's next attempt is yet to come."""
        failure = self.failing.get(signal)
        return failure is not None and failure.retry_at > now

    def failed(self, signal: str, detail: str, now: datetime, settings: PushSettings) -> None:
        """Count a failed attempt; the pause doubles with each."""
        former = self.failing.get(signal)
        attempts = former.attempts + 1 if former else 1
        pause = settings.retry_seconds * 2 ** min(attempts - 1, _LONGEST_DOUBLING)
        retry_at = now + timedelta(seconds=min(pause, settings.longest_retry_seconds))
        said_at = former.said_at if former else None
        self.failing[signal] = Failure(attempts, detail[:MAX_DETAIL], retry_at, said_at)

    def to_say(self, now: datetime, settings: PushSettings) -> Mapping[str, Failure]:
        """The failures that the log is to hear of now, by signal."""
        return {
            signal: failure
            for signal, failure in self.failing.items()
            if failure.attempts >= settings.attempts
            and (failure.said_at is None or now - failure.said_at >= AGAIN_AFTER)
        }

    def forget_others(self, signals: Mapping[str, PushedSignal]) -> None:
        """Forget signals that are over, and deletions of those that say something else than they did then."""
        standing = {ident for ident, signal in signals.items() if signal.stands}
        self.failing = {ident: failure for ident, failure in self.failing.items() if ident in signals}
        kept = {ident: said for ident, said in self.let_go.items() if ident in standing}
        self.let_go = {ident: said for ident, said in kept.items() if said == what_it_says(signals[ident])}

    def let_go_of(self, signal: PushedSignal) -> None:
        """Remember that a person deleted its line."""
        self.let_go[signal.id] = what_it_says(signal)

    def succeeded(self, signals: Iterable[str]) -> None:
        """Forget the failures of what is as it should be, and that a person deleted what is there again."""
        for signal in signals:
            self.failing.pop(signal, None)
            self.let_go.pop(signal, None)


def what_it_says(signal: PushedSignal) -> str:
    """What a planner or the engine would change to have a signal written again."""
    return f"{signal.status} {signal.disposition} {signal.qty} {signal.by or '-'}"

"""What a connector says of itself: counts, times and the last error of each source and sink, as a report for people."""

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from connectors.base import JsonObject, Submission
from connectors.ports import Batch
from connectors.profiles import ConnectorProfile
from connectors.redaction import redacted
from engine.core.errors import EnvironmentFailure, StocklineError, UsageError

Status = Literal["running", "waiting", "failing", "stopped"]

MAX_ERROR = 500
EXIT_REFUSED, EXIT_USAGE, EXIT_ENVIRONMENT, EXIT_BUG = 1, 2, 3, 70
_SEVERITY = (0, EXIT_REFUSED, EXIT_ENVIRONMENT, EXIT_USAGE, EXIT_BUG)


@dataclass
class PartHealth:
    """The health of one source or sink, or of the connection (`connection`). Times are seconds of the Unix epoch.

    `events` were accepted by the engine, `duplicates` of them were known to it; `rejected` were refused by the engine,
    `untranslated` are records that no event could be made of. `failures` counts those in a row.
    """

    events: int = 0
    duplicates: int = 0
    rejected: int = 0
    untranslated: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    last_round: float | None = None
    last_success: float | None = None
    lag_seconds: float | None = None
    failures: int = 0
    error: str | None = None
    next_attempt: float | None = None
    exit_code: int = 0

    def posted(self, batch: Batch, answer: Submission) -> None:
        """A batch is durable; `answer` is about its events, not about the dead letters of what is untranslated."""
        self.events += answer.accepted
        self.duplicates += answer.duplicates or 0
        self.rejected += len(answer.refused)
        self.untranslated += len(batch.untranslated)
        self.skipped.update(batch.skipped)
        if batch.lag_seconds is not None:
            self.lag_seconds = batch.lag_seconds
        if answer.refused or batch.untranslated:
            self._ends_with(EXIT_REFUSED)

    def began(self) -> None:
        """A round begins."""
        self.rounds += 1
        self.last_round = time.time()

    def succeeded(self) -> None:
        """A round has come to its end."""
        self.last_success = time.time()
        self.failures, self.error, self.next_attempt = 0, None, None

    def failed(self, error: Exception, pause_seconds: float | None) -> str:
        """A round failed and is tried again after a pause, None for never; returns the sentence that is shown."""
        self.failures += 1
        self.error = sentence_of(error)
        self.next_attempt = None if pause_seconds is None else time.time() + pause_seconds
        self._ends_with(exit_code_of(error))
        return self.error

    def __str__(self) -> str:
        known = f" ({self.duplicates} of them known already)" if self.duplicates else ""
        skipped = "".join(f", {count} skipped ({why})" for why, count in self.skipped.items())
        failed = f"; {self.error}" if self.error else ""
        counts = f"{self.events} accepted{known}, {self.rejected} refused, {self.untranslated} untranslated"
        return f"{counts}{skipped}{failed}"

    def report(self) -> JsonObject:
        """The part for people and programs, as JSON."""
        return {
            "events": self.events,
            "duplicates": self.duplicates,
            "rejected": self.rejected,
            "untranslated": self.untranslated,
            "skipped": sum(self.skipped.values()),
            "rounds": self.rounds,
            "last_round": _moment(self.last_round),
            "last_success": _moment(self.last_success),
            "lag_seconds": self.lag_seconds,
            "failures": self.failures,
            "error": self.error,
            "next_attempt": _moment(self.next_attempt),
        }

    def _ends_with(self, code: int) -> None:
        self.exit_code = worst(self.exit_code, code)


@dataclass
class Health:
    """The health of a connector: its parts by name, and whether it waits for the engine or was stopped.

    `ended_with` is the exit code of what ended it, 0 where it was asked to stop.
    """

    profile: ConnectorProfile
    parts: dict[str, PartHealth] = field(default_factory=dict)
    waiting: str | None = None
    stopped: str | None = None
    ended_with: int = 0

    def part(self, name: str) -> PartHealth:
        """The health of a part."""
        return self.parts.setdefault(name, PartHealth())

    @property
    def status(self) -> Status:
        """Stopped for good, waiting for the engine, failing and tried again, or running."""
        if self.stopped is not None:
            return "stopped"
        if self.waiting is not None:
            return "waiting"
        return "failing" if any(part.failures for part in self.parts.values()) else "running"

    @property
    def exit_code(self) -> int:
        """The exit code that the worst that happened asks for."""
        return worst(0, *(part.exit_code for part in self.parts.values()))

    def report(self) -> JsonObject:
        """The connector for people and programs, as JSON."""
        return {
            "name": self.profile.name,
            "kind": self.profile.kind,
            "source": self.profile.event_source,
            "status": self.status,
            "detail": self.stopped or self.waiting,
            "parts": {name: part.report() for name, part in self.parts.items()},
        }


def sentence_of(error: BaseException) -> str:
    """An error in words for a person, without secrets."""
    text = str(error) if isinstance(error, StocklineError | OSError) else f"a bug: {error!r}"
    return redacted(text or type(error).__name__)[:MAX_ERROR]


def exit_code_of(error: BaseException) -> int:
    """The exit code of the command that ends with an error."""
    if isinstance(error, UsageError):
        return EXIT_USAGE
    if isinstance(error, EnvironmentFailure | OSError):
        return EXIT_ENVIRONMENT
    return EXIT_REFUSED if isinstance(error, StocklineError) else EXIT_BUG


def worst(*codes: int) -> int:
    """The exit code that matters most: a bug, wrong usage, the environment, something that was refused."""
    return max(codes, key=_SEVERITY.index)


def _moment(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""How many commits a process has written since it began, and how long they took."""

from bisect import bisect_left
from dataclasses import dataclass, field

from engine.telemetry.fold import COMMIT_BOUNDS, Commits


@dataclass
class CommitCounts:
    """Counts of commits; times are in seconds."""

    seconds: float = 0.0
    last_seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(COMMIT_BOUNDS) + 1))

    def succeeded(self, seconds: float) -> None:
        """A commit has succeeded; it took so long."""
        self.seconds += seconds
        self.last_seconds = seconds
        self.buckets[bisect_left(COMMIT_BOUNDS, seconds)] += 1

    def figures(self) -> Commits:
        """The counts for the metrics."""
        return Commits(tuple(self.buckets), self.seconds, self.last_seconds)

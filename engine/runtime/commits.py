"""How many commits a process has written since it began, and how long they took."""

from dataclasses import dataclass


@dataclass
class CommitCounts:
    """Counts of commits; times are in seconds."""

    commits: int = 0
    seconds: float = 0.0
    last_seconds: float = 0.0

    def succeeded(self, seconds: float) -> None:
        """A commit has succeeded; it took so long."""
        self.commits += 1
        self.seconds += seconds
        self.last_seconds = seconds

"""What became of the files sent: counts, and the problems by line number."""

from dataclasses import asdict, dataclass, field
from typing import Any

MAX_PROBLEMS_KEPT = 1000


@dataclass(frozen=True)
class Problem:
    """A record that is not in the engine: its line number, whether the file or the engine is at fault, the reason."""

    line: int
    kind: str
    reason: str


@dataclass
class FileReport:
    """One file: counts of lines, events and problems. `broken` never left the file, `refused` came back."""

    path: str
    format: str
    resumed_at_line: int = 0
    lines: int = 0
    sent: int = 0
    accepted: int = 0
    broken: int = 0
    refused: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    complete: bool = False

    def add_problem(self, problem: Problem) -> None:
        """Count a problem; the first thousand are kept in full."""
        if problem.kind == "broken":
            self.broken += 1
        else:
            self.refused += 1
        if len(self.problems) < MAX_PROBLEMS_KEPT:
            self.problems.append(problem)


@dataclass
class SendReport:
    """All files of a call."""

    files: list[FileReport] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def accepted(self) -> int:
        """Events that are durable in the engine; those that it knew already are among them."""
        return sum(file.accepted for file in self.files)

    @property
    def exit_code(self) -> int:
        """0, or 1 when a line was broken or an event refused."""
        return int(any(file.broken or file.refused for file in self.files))

    def as_dict(self) -> dict[str, Any]:
        """The report for JSON."""
        return {**asdict(self), "accepted": self.accepted, "exit_code": self.exit_code}

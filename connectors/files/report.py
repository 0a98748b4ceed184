"""What became of the files sent: counts, and the problems by line number."""

from dataclasses import asdict, dataclass, field
from typing import Any

MAX_PROBLEMS_KEPT = 1000


@dataclass(frozen=True)
class Problem:
    """A record that is not in the engine: its line number, the reason, and what became of it.

    `kind` is "broken" (the file is at fault), "refused" (by the engine) or "unfinished" (not sent yet).
    """

    line: int
    kind: str
    reason: str


@dataclass
class FileReport:
    """One file: counts of lines, events and problems. `broken` never left the file, `refused` came back.

    `duplicates` of the accepted events were in the log before; None where the engine does not tell. `anew` says why
    a file of which something was sent before was sent from its first line. `unfinished` is a last record that was not
    sent since it may still be being written; a file is `complete` without one.
    """

    path: str
    format: str
    resumed_at_line: int = 0
    anew: str | None = None
    lines: int = 0
    sent: int = 0
    accepted: int = 0
    duplicates: int | None = None
    broken: int = 0
    refused: int = 0
    unfinished: Problem | None = None
    skipped: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    complete: bool = False

    @property
    def sent_before(self) -> bool:
        """Whether the file has nothing that was not sent before."""
        return self.complete and self.resumed_at_line > 0 and not self.lines

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
        """0, or 1 when a line was broken or unfinished or an event refused."""
        return int(any(file.broken or file.refused or file.unfinished for file in self.files))

    def as_dict(self) -> dict[str, Any]:
        """The report for JSON."""
        return {**asdict(self), "accepted": self.accepted, "exit_code": self.exit_code}

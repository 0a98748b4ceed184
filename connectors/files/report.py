"""The report on files that were sent: counts of lines and events, and the problems by line number."""

from dataclasses import asdict, dataclass, field

MAX_PROBLEMS_KEPT = 1000


@dataclass(frozen=True)
class Problem:
    """A record that the engine does not have: its line number from 1, its kind, and the reason.

    A record is "broken" if it could not be read, "refused" if the engine rejected its event, and "unfinished" if it
    is the last one, was not sent, and may still grow.
    """

    line: int
    kind: str
    reason: str


@dataclass
class FileReport:
    """The report on one file: counts of lines, events, `broken` records and `refused` events.

    `duplicates` counts the accepted events that the log held before; None if the engine does not count them. `anew` is
    the reason why a file that was partly sent before was sent from its first line again. `unfinished` is the last
    record, if it was not sent because it may still grow; a file is `complete` without one. `rejects` is the file that
    the broken and refused records were written to, None if there are none.
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
    rejects: str | None = None

    @property
    def new(self) -> int | None:
        """The accepted events that the log did not hold before; None if the engine does not tell."""
        return None if self.duplicates is None else self.accepted - self.duplicates

    @property
    def sent_before(self) -> bool:
        """Whether all of the file had been sent before this call."""
        return self.complete and self.resumed_at_line > 0 and not self.lines

    def add_problem(self, problem: Problem) -> None:
        """Count a problem, and keep it if it is among the first thousand."""
        if problem.kind == "broken":
            self.broken += 1
        else:
            self.refused += 1
        if len(self.problems) < MAX_PROBLEMS_KEPT:
            self.problems.append(problem)


@dataclass
class SendReport:
    """The report on all files of one call, which took `seconds` of wall time."""

    files: list[FileReport] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def accepted(self) -> int:
        """The number of events that are durable in the engine, duplicates included."""
        return sum(file.accepted for file in self.files)

    @property
    def exit_code(self) -> int:
        """The exit code of the command: 1 if a record was broken or unfinished, or an event rejected; else 0."""
        return int(any(file.broken or file.refused or file.unfinished for file in self.files))

    def as_dict(self) -> dict[str, object]:
        """The report as a JSON object."""
        files = [{**asdict(file), "new": file.new} for file in self.files]
        return {**asdict(self), "files": files, "accepted": self.accepted, "exit_code": self.exit_code}

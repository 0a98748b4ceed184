"""A dry run: reads files as sending them would, and tells what would be sent. It asks no engine and keeps nothing."""

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path

from connectors.base import Json
from connectors.files.lines import STANDARD_INPUT, Mark, open_input
from connectors.files.readers import Item, Reader, reject_form
from connectors.files.rejects import Rejects
from connectors.files.report import MAX_PROBLEMS_KEPT, Problem
from connectors.files.words import in_words
from engine.core.events import decode, type_name
from engine.core.outcomes import Rejection

FIRST_EVENTS = 5


@dataclass
class FilePreview:
    """What a file would send: `events` that the engine would take by their form, counted by type, and the rest.

    `refused` are events whose form the engine refuses; whether items and units are known only the engine can tell.
    `first` are the first events.
    """

    path: str
    format: str
    lines: int = 0
    events: int = 0
    by_type: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    broken: int = 0
    refused: int = 0
    unfinished: Problem | None = None
    problems: list[Problem] = field(default_factory=list)
    first: list[Json] = field(default_factory=list)
    rejects: str | None = None

    def add(self, item: Item) -> list[Problem]:
        """Count an item, and return its problems."""
        self.lines = item.mark.lines
        found = [Problem(item.line, "broken", item.problem)] if item.problem is not None else []
        if item.skipped is not None:
            self.skipped[item.skipped] += 1
        for line in item.events:
            event = decode(line)
            if isinstance(event, Rejection):
                found.append(Problem(item.line, "refused", in_words(f"{event.reason}: {event.detail}")))
                continue
            self.events += 1
            self.by_type[type_name(event)] += 1
            if len(self.first) < FIRST_EVENTS:
                self.first.append(json.loads(line))
        self.broken += item.problem is not None
        self.refused += len(found) - (item.problem is not None)
        self.problems += found[: MAX_PROBLEMS_KEPT - len(self.problems)]
        return found


@dataclass
class Preview:
    """What all files of a call would send."""

    files: list[FilePreview] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """The exit code: 1 if a record is broken, refused or unfinished, else 0."""
        return int(any(file.broken or file.refused or file.unfinished for file in self.files))

    def as_dict(self) -> dict[str, object]:
        """The preview as a JSON object."""
        # `asdict` of Python 3.11 takes a counter for a list of pairs.
        files = [{**asdict(each), "by_type": dict(each.by_type), "skipped": dict(each.skipped)} for each in self.files]
        return {"dry_run": True, "files": files, "exit_code": self.exit_code}


def preview_files(plan: Sequence[tuple[str, Reader]], complete: bool = False, rejects: Path | None = None) -> Preview:
    """Read every file to its end. `complete` also takes a last record without its end; `rejects` is a file to write.

    Raises `UsageError` and `EnvironmentFailure`.
    """
    return Preview([_preview(path, reader, complete, rejects) for path, reader in plan])


def _preview(path: str, reader: Reader, complete: bool, rejects: Path | None) -> FilePreview:
    preview = FilePreview(path, reader.name)
    written = None if rejects is None else Rejects(rejects)
    source = open_input(path)
    try:
        for item in reader.read(source, Mark()):
            if item.unfinished is not None and not complete:
                preview.unfinished = Problem(item.line, "unfinished", item.unfinished)
                break
            problems = preview.add(item)
            if problems and written is not None:
                written.add(item.number or item.line, problems[0].reason, item.record, reject_form(reader))
    finally:
        if path != STANDARD_INPUT:
            source.close()
    if written is not None:
        with closing(written):
            preview.rejects = str(written.path) if written.save() else None
    return preview

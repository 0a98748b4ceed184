"""One file in hand: its copy is read by its format, and becomes batches for the host."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from connectors.base import Submission
from connectors.files.lines import open_input
from connectors.files.readers import BadFile, Item, Reader, reject_form
from connectors.files.rejects import Rejects
from connectors.files.sender import SendOptions, batches
from connectors.files.words import in_words
from connectors.folder.position import Counts, FileProgress
from connectors.folder.records import MAX_WHOLE, file_marker, record_of
from connectors.ports import Batch, UntranslatedRecord
from engine.core.errors import EnvironmentFailure, UsageError

SIZES = SendOptions(batch_events=2000)


@dataclass(frozen=True)
class Part:
    """A batch without its position, and how far the file is after it."""

    batch: Batch
    items: Sequence[Item]
    progress: FileProgress


class Transfer:
    """The file of `progress`, whose content is at `copy`."""

    def __init__(self, progress: FileProgress, copy: Path, reader: Reader) -> None:
        self._began = progress
        self._copy = copy
        self._reader = reader
        self._rejects = Rejects(rejects_of(copy), progress.rejects)

    def parts(self) -> Iterator[Part]:
        """The rest of the file. What is wrong with the file itself is its last part, and never an error."""
        progress = self._began
        try:
            with open_input(str(self._copy)) as source:
                # The file is complete, whatever its last line says.
                for items in batches(self._reader.read(source, progress.mark), SIZES):
                    progress = replace(progress, mark=items[-1].mark)
                    yield Part(self._batch(items), items, progress)
        except (UsageError, EnvironmentFailure) as error:
            # The copy is on this machine: an error while it is read is one of the file's content.
            failed = replace(progress, failed=str(error))
            yield Part(Batch(untranslated=(self._whole(failed, isinstance(error, BadFile)),)), (), failed)

    def answered(self, part: Part, progress: FileProgress) -> Callable[[Submission], None]:
        """What the host calls with the engine's answer: it completes `progress`, and sets aside what was refused."""

        def complete(answer: Submission) -> None:
            progress.counts = _counted(progress.counts, part, answer)
            self._set_aside(part.items, answer)
            progress.rejects = self._rejects.save()

        return complete

    def close(self) -> None:
        """Close the reject file."""
        self._rejects.close()

    def _batch(self, items: Sequence[Item]) -> Batch:
        return Batch(
            events=[event for item in items for event in item.events],
            untranslated=[self._untranslated(item) for item in items if item.problem is not None],
            skipped=Counter(item.skipped for item in items if item.skipped is not None),
        )

    def _untranslated(self, item: Item) -> UntranslatedRecord:
        name, digest = self._began.name, self._began.sha256
        record = record_of(name, item, self._reader)
        place = f"{name}, line {item.line}"
        return UntranslatedRecord(f"{digest[:16]}-{item.line}", item.reason, str(item.problem), record, place)

    def _whole(self, progress: FileProgress, readable: bool) -> UntranslatedRecord:
        with self._copy.open("rb") as source:
            content = source.read(MAX_WHOLE + 1)
        content = content if len(content) <= MAX_WHOLE and readable else b""
        record = file_marker(progress.name) + content
        detail = f"the file cannot be read: {progress.failed}"
        identity = hashlib.sha256(f"{progress.sha256} {progress.failed}".encode()).hexdigest()[:16]
        return UntranslatedRecord(identity, "untranslatable", detail, record, progress.name)

    def _set_aside(self, items: Sequence[Item], answer: Submission) -> None:
        of_event = [place for place, item in enumerate(items) for _ in item.events]
        reasons = {place: item.problem for place, item in enumerate(items) if item.problem is not None}
        for refused in answer.refused:
            reasons.setdefault(of_event[refused.index], in_words(refused.reason))
        form = reject_form(self._reader)
        for place in sorted(reasons):
            item = items[place]
            self._rejects.add(item.number or item.line, reasons[place], item.record, form)


def rejects_of(copy: Path) -> Path:
    """The reject file beside a copy."""
    return copy.with_name(copy.name + ".rejects")


def _counted(counts: Counts, part: Part, answer: Submission) -> Counts:
    duplicates = None if answer.duplicates is None or counts.duplicates is None else counts.duplicates
    return Counts(
        counts.events + answer.accepted,
        None if duplicates is None else duplicates + (answer.duplicates or 0),
        counts.refused + len(answer.refused),
        counts.untranslated + len(part.batch.untranslated),
        counts.skipped + sum(part.batch.skipped.values()),
    )

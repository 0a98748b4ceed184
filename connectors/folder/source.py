"""The source of a folder: its complete files, one after the other."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from connectors.base import JsonObject, Submission
from connectors.files.readers import Reader, choose_reader
from connectors.folder.archive import Archive
from connectors.folder.arrivals import Arrivals
from connectors.folder.places import Entry, Place, digest_of
from connectors.folder.position import FileProgress, FolderPosition
from connectors.folder.profile import Pattern, Profile
from connectors.folder.records import events_of, file_marker, split_record
from connectors.folder.transfer import Part, Transfer
from connectors.mapping.values import Unreadable
from connectors.ports import Batch, Tools, UntranslatedRecord
from engine.core.errors import UsageError

MAX_KEPT = 10_000
INCOMING = "incoming"


class FolderSource:
    """Reads the files of a folder."""

    def __init__(self, profile: Profile, tools: Tools, place: Place) -> None:
        self._profile = profile
        self._tools = tools
        self._place = place
        self._arrivals = Arrivals(profile)
        self._archive = Archive(profile, place, tools.folder)

    async def pull(self, position: JsonObject | None) -> AsyncIterator[Batch]:
        """What is left of the file that was being read, then every complete file, in order.

        1. A file whose events are all durable is moved to the archive; a crash may have come in between.
        2. A file is copied, and read from the copy only if the original is still the same.
        3. Each batch has the position in the file. When the host asks for the next one it is durable.
        4. After the last one the file is archived, with its receipt.

        Raises `Unreachable`, `DiskFull`, and `UsageError` for a profile that is wrong.
        """
        state = FolderPosition.of(position)
        if state.finished is not None:
            await self._archive.store(state.finished, self._copy(state.finished))
        if state.current is not None:
            async for batch in self._resumed(state, state.current):
                yield batch
        for entry in await self._complete(state):
            async for batch in self._fresh(state, entry):
                yield batch

    async def replay(self, record: bytes) -> Sequence[bytes]:
        """The events of a record, by the profile that its file has today. Raises `Unreadable`."""
        name, content = split_record(record)
        if not content:
            raise Unreadable(f"the file {name} was too long for its dead letter: lay it into the folder again")
        try:
            return events_of(self.reader(name), content)
        except UsageError as error:
            raise Unreadable(str(error)) from None

    def reader(self, name: str) -> Reader:
        """The reader of a file by its name. Raises `UsageError`."""
        pattern = self._arrivals.pattern_of(name)
        if pattern is None:
            raise UsageError(f"no pattern of the profile fits the name {name}")
        return self.reader_of(pattern, name)

    def reader_of(self, pattern: Pattern, name: str = "") -> Reader:
        """The reader of the files of a pattern. Raises `UsageError`."""
        return choose_reader(name or pattern.pattern, pattern.profile, self._tools.identifiers)

    async def waiting(self) -> list[Entry]:
        """The files that fit a pattern and are not known to be unfinished."""
        return self._arrivals.wanted(await self._place.files())

    async def _complete(self, state: FolderPosition) -> list[Entry]:
        """The files that are complete and were not read before; it waits until what is new has been stable."""
        wanted = await self._new(state)
        if (pause := self._arrivals.look(wanted, time.monotonic())) > 0:
            await asyncio.sleep(pause)
            wanted = await self._new(state)
            self._arrivals.look(wanted, time.monotonic())
        return self._arrivals.stable(wanted, time.monotonic())

    async def _new(self, state: FolderPosition) -> list[Entry]:
        if self._profile.after == "archive":
            return await self.waiting()
        there = await self.waiting()
        # What is gone need not be remembered; what is there must be.
        names = {entry.name for entry in there}
        for name in set(state.kept) - names:
            del state.kept[name]
        if len(there) > MAX_KEPT:
            raise UsageError(f'more than {MAX_KEPT} files are kept in the folder: set after = "archive"')
        return [entry for entry in there if state.kept.get(entry.name) != (entry.size, entry.changed)]

    async def _fresh(self, state: FolderPosition, entry: Entry) -> AsyncIterator[Batch]:
        draft = self._tools.folder / INCOMING
        digest = await self._place.fetch(entry.name, draft)
        if digest is None or await self._place.find(entry.name) != entry:
            # It was replaced, taken away or written to while it was copied: the next round sees what it is then.
            return
        progress = FileProgress(*entry, digest)
        draft.replace(self._copy(progress))
        async for batch in self._parts(state, progress):
            yield batch

    async def _resumed(self, state: FolderPosition, file: FileProgress) -> AsyncIterator[Batch]:
        copy = self._copy(file)
        if await asyncio.to_thread(digest_of, copy) != file.sha256:
            digest = await self._place.fetch(file.name, copy)
            if digest != file.sha256:
                copy.unlink(missing_ok=True)
                state.current = None
                yield Batch(untranslated=(_lost(file),), position=state.as_json())
                return
        async for batch in self._parts(state, file):
            yield batch

    async def _parts(self, state: FolderPosition, file: FileProgress) -> AsyncIterator[Batch]:
        """The rest of a file in batches, each with the position after it; then the file is archived."""
        transfer = Transfer(file, self._copy(file), self.reader(file.name))
        keep = self._profile.after == "keep"
        try:
            parts = transfer.parts()
            # A part is held back until it is known whether it is the last one.
            part: Part | None = await asyncio.to_thread(_next, parts) or Part(Batch(), (), file)
            while part is not None:
                following = await asyncio.to_thread(_next, parts)
                progress = replace(part.progress, counts=file.counts, rejects=file.rejects)
                if following is None:
                    state.ended(progress, keep)
                else:
                    state.reading(progress)
                position = state.as_json()
                told = position["finished"] if following is None else position["current"]
                yield self._batch(transfer, part, progress, told, position)
                file, part = progress, following
        finally:
            transfer.close()
        await self._archive.store(file, self._copy(file))

    def _batch(
        self, transfer: Transfer, part: Part, progress: FileProgress, told: JsonObject, position: JsonObject
    ) -> Batch:
        complete = transfer.answered(part, progress)

        def answered(answer: Submission) -> None:
            complete(answer)
            told.update(progress.as_json())

        return replace(part.batch, position=position, answered=answered)

    def _copy(self, file: FileProgress) -> Path:
        """Where the copy of a file lies: its name follows from its content, and its end says how it is packed."""
        ends = "".join(end for end in (".gz", ".xz") if file.name.endswith(end))
        return self._tools.folder / f"{file.sha256[:32]}{ends}"


def _next(parts: Iterator[Part]) -> Part | None:
    return next(parts, None)


def _lost(file: FileProgress) -> UntranslatedRecord:
    detail = (
        f"the file was replaced or taken away when {file.mark.lines} of its lines had been read, and the copy is gone: "
        "the rest of it is lost unless it is laid into the folder again"
    )
    return UntranslatedRecord(f"{file.sha256[:16]}-lost", "untranslatable", detail, file_marker(file.name), file.name)

"""What becomes of a file that was read: it is moved out of the way with a receipt, and its rejects beside it."""

import json
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from connectors.folder.places import Entry, Place, archived_name, disk_failure
from connectors.folder.position import FileProgress
from connectors.folder.profile import Profile
from connectors.folder.transfer import rejects_of
from connectors.profiles import Unreachable

TRIES = 100


class Archive:
    """The folders for files that were read and for what was refused. Every step may be repeated after a crash."""

    def __init__(self, profile: Profile, place: Place, folder: Path) -> None:
        self._profile = profile
        self._place = place
        self._folder = folder

    async def store(self, file: FileProgress, copy: Path) -> None:
        """Write the receipt and the rejects, then move the file, and only then delete what is on this machine."""
        name = archived_name(file.entry, file.sha256)
        rejects = rejects_of(copy)
        if _has(rejects) and file.rejects:
            await self._place.put(rejects, self._profile.rejected, _rejects_name(name))
        if self._profile.after == "archive":
            await self._move(file, copy, name)
        for path in (copy, rejects):
            path.unlink(missing_ok=True)

    async def _move(self, file: FileProgress, copy: Path, name: str) -> None:
        folder = self._profile.archive if file.failed is None else self._profile.rejected
        there = await self._place.find(f"{folder}/{name}")
        original = await self._place.find(file.name)
        if there is None and original is None and not _has(copy):
            return
        if there is None or original == file.entry:
            await self._write_receipt(file, folder, name)
        if original == file.entry:
            await self._place.move(file.name, folder, name)
            if self._profile.ready == "marker":
                await self._place.remove(file.name + self._profile.marker)
            there = await self._give_back(file, folder, name)
        if there is None and _has(copy):
            # Another file has taken its name: it waits for its turn, and what was read is archived from the copy.
            await self._place.put(copy, folder, name)

    async def _give_back(self, file: FileProgress, folder: str, name: str) -> Entry | None:
        """What was moved, if it is what was read; a file that took its name in between goes back into the folder."""
        moved = await self._place.find(f"{folder}/{name}")
        if moved is None or (moved.size, moved.changed) == (file.size, file.changed):
            return moved
        await self._place.move_back(folder, name, await self._free_name(file.name))
        return None

    async def _free_name(self, name: str) -> str:
        path = PurePosixPath(name)
        names = (name, *(f"{path.stem}~{number}{path.suffix}" for number in range(2, TRIES)))
        for each in names:
            if await self._place.find(each) is None:
                return each
        raise Unreachable(f"{name} was replaced {TRIES} times while it was archived: look who writes it")

    async def _write_receipt(self, file: FileProgress, folder: str, name: str) -> None:
        receipt = {
            "file": file.name,
            "sha256": file.sha256,
            "bytes": file.size,
            "lines": file.mark.lines,
            "events": file.counts.events,
            "duplicates": file.counts.duplicates,
            "refused": file.counts.refused,
            "untranslated": file.counts.untranslated,
            "skipped": file.counts.skipped,
            "rejects": _rejects_name(name) if file.rejects else None,
            "error": file.failed,
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        draft = self._folder / "receipt.json"
        try:
            draft.write_text(json.dumps(receipt, ensure_ascii=False, indent=2) + "\n")
        except OSError as error:
            raise disk_failure(draft, error) from error
        await self._place.put(draft, folder, f"{name}.receipt.json")
        draft.unlink(missing_ok=True)


def _has(path: Path) -> bool:
    return path.exists()


def _rejects_name(name: str) -> str:
    path = PurePosixPath(name.removesuffix(".xz").removesuffix(".gz"))
    suffix = ".csv" if path.suffix.lower() in (".xlsx", ".xlsm") else path.suffix
    return f"{path.stem}.rejects{suffix}"

"""A thin host for the connector of folders: a log in memory, a position, and a crash at any step."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from connectors.base import JsonObject, RejectedEvent, Submission
from connectors.folder.local import LocalPlace
from connectors.folder.profile import Profile
from connectors.folder.source import FolderSource
from connectors.identifiers import Names
from connectors.ports import Batch, Tools, UntranslatedRecord
from engine.core.events import decode
from engine.core.outcomes import Rejection

PROFILE = """
source = "wms"
id = "{doc}"
delimiter = ";"
time = { columns = ["at"] }
[units]
DZ = 12
[[rules]]
type = "stock.issued"
[rules.data]
sku = { column = "article" }
location = "LDS"
qty = { column = "qty", as = "integer", unit_column = "unit" }
"""
HEAD = "doc;at;article;qty;unit\n"


class Crash(BaseException):
    """The process dies here."""


class Countdown:
    """Raises `Crash` at the `left`th step of whatever calls it."""

    def __init__(self, left: int) -> None:
        self.left = left

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Crash


class Bench:
    """A folder, its connector and the log: `round` is a round of the host, in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.inbox, self.own = folder / "in", folder / "own"
        self.own.mkdir(parents=True)
        self.inbox.mkdir(exist_ok=True)
        (folder / "wms.toml").write_text(PROFILE)
        self.keys: dict[str, Any] = {
            "kind": "folder",
            "name": "acme",
            "path": str(self.inbox),
            "ready": "renamed",
            "files": [
                {"pattern": "*.csv*", "profile": str(folder / "wms.toml")},
                {"pattern": "*.xlsx", "profile": str(folder / "wms.toml")},
            ],
        }
        self.position: JsonObject | None = None
        self.events: dict[str, JsonObject] = {}
        self.letters: dict[str, UntranslatedRecord] = {}
        self.duplicates = 0

    def source(self, **change: Any) -> FolderSource:
        profile = Profile.model_validate(self.keys | change)
        return FolderSource(profile, Tools(Names.of(None, frozenset()), self.own, self), LocalPlace(self.inbox))

    async def log_id(self) -> str | None:
        return "log"

    async def post_events(self, events: Sequence[bytes]) -> Submission:
        refused, known = [], 0
        for index, line in enumerate(events):
            decoded = decode(line)
            event = json.loads(line)
            if isinstance(decoded, Rejection):
                refused.append(RejectedEvent(index, event["id"], f"{decoded.reason}: {decoded.detail}"))
            elif (before := self.events.setdefault(event["id"], event)) is not event:
                assert before == event, "an id was given twice"
                known += 1
        self.duplicates += known
        return Submission(len(events) - len(refused), tuple(refused), known)

    async def round(self, source: FolderSource | None = None, step: Callable[[], None] = lambda: None) -> int:
        """One round as `connectors.host.delivery` has it; returns the number of batches."""
        count = 0
        stream = (source or self.source()).pull(self.position)
        try:
            async for batch in stream:
                count += 1
                await self._deliver(batch, step)
        finally:
            await stream.aclose()  # type: ignore[attr-defined]
        return count

    async def _deliver(self, batch: Batch, step: Callable[[], None]) -> None:
        step()
        answer = await self.post_events(batch.events)
        for letter in batch.untranslated:
            self.letters[letter.id] = letter
        step()
        if batch.answered is not None:
            batch.answered(answer)
        step()
        if batch.position is not None:
            self.position = json.loads(json.dumps(batch.position))
        step()

    def names(self, folder: str = "") -> list[str]:
        place = self.inbox / folder
        return sorted(path.name for path in place.iterdir() if path.is_file()) if place.exists() else []

    def receipts(self) -> list[JsonObject]:
        return [json.loads(path.read_bytes()) for path in sorted(self.inbox.rglob("*.receipt.json"))]


def rows(start: int, count: int, **change: Any) -> str:
    """Rows with the documents `start` and following."""
    values = {"article": "A", "unit": ""} | change
    return "".join(
        f"D{n};2026-03-02T08:00:00Z;{values['article']};{values.get('qty', n + 1)};{values['unit']}\n"
        for n in range(start, start + count)
    )


def stepping(place: object, names: Sequence[str], step: Callable[[], None], patch: pytest.MonkeyPatch) -> None:
    """Let every call of a place count as a step, before and after it."""
    for name in names:
        original = getattr(place, name)

        async def stepped(*arguments: Any, original: Any = original) -> Any:
            step()
            answer = await original(*arguments)
            step()
            return answer

        patch.setattr(place, name, stepped)

"""How far a folder is: the file that is being read, the one that is to be archived, those that are kept in place."""

from dataclasses import asdict, dataclass, field
from typing import Self

from connectors.base import JsonObject
from connectors.files.lines import Mark
from connectors.folder.places import Entry


@dataclass
class Counts:
    """What became of a file: its events, how many of them the log knew, how many the engine refused, and the rest."""

    events: int = 0
    duplicates: int | None = 0
    refused: int = 0
    untranslated: int = 0
    skipped: int = 0


@dataclass
class FileProgress:
    """A file, by its digest, and how far it is durable; `rejects` counts the bytes of its reject file.

    `failed` says why the file as a whole could not be read, or not to its end.
    """

    name: str
    size: int
    changed: int
    sha256: str
    mark: Mark = field(default_factory=Mark)
    rejects: int = 0
    counts: Counts = field(default_factory=Counts)
    failed: str | None = None

    @property
    def entry(self) -> Entry:
        """The file as it was when it was read."""
        return Entry(self.name, self.size, self.changed)

    @classmethod
    def of(cls, kept: JsonObject) -> Self:
        """From a position."""
        return cls(**{**kept, "mark": Mark(*kept["mark"]), "counts": Counts(**kept["counts"])})

    def as_json(self) -> JsonObject:
        """For a position."""
        return {**asdict(self), "mark": list(self.mark)}


@dataclass
class FolderPosition:
    """The position of a folder. `kept` holds files that were read and stay, by name: their size and change."""

    current: FileProgress | None = None
    finished: FileProgress | None = None
    kept: dict[str, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, position: JsonObject | None) -> Self:
        """From what the host kept."""
        if position is None:
            return cls()
        files = {name: FileProgress.of(found) for name in ("current", "finished") if (found := position.get(name))}
        return cls(**files, kept={name: (size, changed) for name, (size, changed) in position["kept"].items()})

    def as_json(self) -> JsonObject:
        """For the host."""
        return {
            "current": None if self.current is None else self.current.as_json(),
            "finished": None if self.finished is None else self.finished.as_json(),
            "kept": {name: list(found) for name, found in self.kept.items()},
        }

    def reading(self, file: FileProgress) -> None:
        """A file is read so far."""
        self.current, self.finished = file, None

    def ended(self, file: FileProgress, keep: bool) -> None:
        """A file was read to its end."""
        self.current, self.finished = None, file
        if keep:
            self.kept[file.name] = (file.size, file.changed)

"""Readers: what turns a file into events. The registry below is where a format joins.

A reader yields one `Item` per record of the file. An item with a problem is a broken record: it is reported and costs
only itself. An item without events and without a problem was skipped on purpose.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path, PurePath
from typing import BinaryIO, NamedTuple, Protocol, cast

from connectors.files.lines import MAX_LINE_BYTES, Mark, read_lines, skip_to
from connectors.files.profile import Profile, load_profile
from engine.core.errors import UsageError


class Item(NamedTuple):
    """A record: its line, the mark behind it, its events as JSON lines, or the problem, or why it was skipped.

    `open_quote`: the file ends within a quote that more lines may close.
    """

    line: int
    mark: Mark
    events: tuple[bytes, ...] = ()
    problem: str | None = None
    skipped: str | None = None
    open_quote: bool = False

    @property
    def unfinished(self) -> str | None:
        """Why the record, at the end of its file, may still be being written; None for one that is whole."""
        if self.open_quote:
            return "its quote is not closed yet"
        return None if self.mark.ended else "it has no line end yet"


class Reader(Protocol):
    """A format. `name` says what it is; `digest` changes when the same bytes would give other events."""

    @property
    def name(self) -> str:
        """The name of the format, as reports show it."""
        ...

    @property
    def digest(self) -> str:
        """A word that changes with the meaning of the format."""
        ...

    def read(self, source: BinaryIO, start: Mark) -> Iterator[Item]:
        """The items behind `start` of an unread source."""
        ...


@dataclass(frozen=True)
class NdjsonReader:
    """One CloudEvent a line, passed on as it is: the engine judges it and keeps what it refuses."""

    name: str = "ndjson"
    digest: str = "1"

    def read(self, source: BinaryIO, start: Mark) -> Iterator[Item]:
        """The lines behind `start`; empty lines are passed over."""
        skip_to(source, start)
        for line in read_lines(source, start):
            mark = line.mark
            if line.text is None:
                yield Item(line.number, mark, problem=f"the line is longer than {MAX_LINE_BYTES} bytes")
            elif b"\r" in line.text:
                yield Item(line.number, mark, problem="a carriage return inside the line")
            elif line.text.strip():
                yield Item(line.number, mark, (line.text,))


@dataclass(frozen=True)
class Format:
    """An entry of the registry: where the reader's class is (imported when it is chosen), and its file suffixes."""

    module: str
    reader: str
    suffixes: tuple[str, ...] = ()


FORMATS: dict[str, Format] = {
    "ndjson": Format("connectors.files.readers", "NdjsonReader", (".ndjson", ".jsonl", ".json")),
    "online-retail": Format("connectors.retail.mapping", "InvoiceReader"),
}
"""The formats that need no profile of their own, by the name that `--profile` takes. A new format adds its line."""


def choose_reader(path: str, profile: str | Path | Profile | None = None) -> Reader:
    """The reader for a path: a profile (object, TOML file or name of a format), else by the file's suffix.

    Standard input without a profile is NDJSON. Raises `UsageError`.
    """
    if isinstance(profile, Profile):
        return _csv(profile)
    if profile is None:
        return _build(_name_by_suffix(path))
    if str(profile) in FORMATS:
        return _build(str(profile))
    if not str(profile).endswith(".toml"):
        raise UsageError(f"no format is called {profile!s}; known: {', '.join(sorted(FORMATS))}, or a .toml file")
    return _csv(load_profile(Path(profile)))


def _build(name: str) -> Reader:
    entry = FORMATS[name]
    return cast(Reader, getattr(import_module(entry.module), entry.reader)())


def _csv(profile: Profile) -> Reader:
    return cast(Reader, import_module("connectors.files.csv_reader").CsvReader(profile))


def _name_by_suffix(path: str) -> str:
    if path == "-":
        return "ndjson"
    if not Path(path).exists() or Path(path).is_dir():
        raise UsageError(f"{path}: there is no such file")
    suffix = PurePath(path.removesuffix(".xz").removesuffix(".gz")).suffix.lower()
    for name, entry in FORMATS.items():
        if suffix in entry.suffixes:
            return name
    raise UsageError(f"{path}: the suffix {suffix or '(none)'} says no format; name a profile")

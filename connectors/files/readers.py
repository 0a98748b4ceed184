"""The readers of file formats, and the registry that a new format adds its line to.

A reader turns a file into items, one for each record of the file. An item with a problem is a broken record: it is
reported and costs only itself. An item without events and without a problem was skipped on purpose.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path, PurePath
from typing import BinaryIO, NamedTuple, Protocol, cast

from connectors.files.lines import MAX_LINE_BYTES, Mark, read_lines, skip_to
from connectors.files.profile import Profile, load_profile
from connectors.ports import UntranslatedReason
from engine.core.errors import UsageError


class Item(NamedTuple):
    """A record of a file: the number of its line, the position after it, and its events as JSON lines.

    A record without events has a `problem`, or the reason why it was `skipped`. `open_quote` is true if the file ends
    within a quote, which more lines may close. `record` holds the exact bytes of a record with a problem, so that it
    can be set aside, mended and read again; `reason` says whether only a mapping of an identifier is missing.
    """

    line: int
    mark: Mark
    events: tuple[bytes, ...] = ()
    problem: str | None = None
    skipped: str | None = None
    open_quote: bool = False
    record: bytes = b""
    reason: UntranslatedReason = "untranslatable"

    @property
    def unfinished(self) -> str | None:
        """Why the last record of a file may be incomplete, as it still is written to; None for a whole record."""
        if self.open_quote:
            return "its quote is not closed yet"
        return None if self.mark.ended else "it has no line end yet"


class Reader(Protocol):
    """The port of a file format: it turns bytes into items, and keeps no position itself."""

    @property
    def name(self) -> str:
        """The name of the format, as reports show it."""
        ...

    @property
    def digest(self) -> str:
        """A word that changes when the same bytes would give other events; positions are saved with it."""
        ...

    def read(self, source: BinaryIO, start: Mark) -> Iterator[Item]:
        """The items after `start` of a source that nothing was read from."""
        ...


@dataclass(frozen=True)
class NdjsonReader:
    """One CloudEvent in each line, sent as it is: the engine checks it, and keeps a rejected one as a dead letter."""

    name: str = "ndjson"
    digest: str = "1"

    def read(self, source: BinaryIO, start: Mark) -> Iterator[Item]:
        """The lines after `start`, without the empty ones."""
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
    """A line of the registry: module and class of a reader, which is imported when it is chosen, and its suffixes."""

    module: str
    reader: str
    suffixes: tuple[str, ...] = ()


FORMATS: dict[str, Format] = {
    "ndjson": Format("connectors.files.readers", "NdjsonReader", (".ndjson", ".jsonl", ".json")),
    "epcis": Format("connectors.epcis.reader", "EpcisReader", (".jsonld", ".epcis")),
    "online-retail": Format("connectors.retail.mapping", "InvoiceReader"),
}
"""The formats without a profile file, by the name that `--profile` takes. A new format adds its line here."""


def choose_reader(path: str, profile: str | Path | Profile | None = None) -> Reader:
    """The reader of a profile (an object, a TOML file or the name of a format); without one, the reader of the suffix.

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
    format_ = FORMATS[name]
    return cast(Reader, getattr(import_module(format_.module), format_.reader)())


def _csv(profile: Profile) -> Reader:
    return cast(Reader, import_module("connectors.files.csv_reader").CsvReader(profile))


def _name_by_suffix(path: str) -> str:
    if path == "-":
        return "ndjson"
    if not Path(path).exists() or Path(path).is_dir():
        raise UsageError(f"{path}: there is no such file")
    suffix = PurePath(path.removesuffix(".xz").removesuffix(".gz")).suffix.lower()
    for name, format_ in FORMATS.items():
        if suffix in format_.suffixes:
            return name
    raise UsageError(f"{path}: the suffix {suffix or '(none)'} says no format; name a profile")

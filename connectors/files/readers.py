"""The readers of file formats, and the registry that a new format adds its line to.

A reader turns a file into items, one for each record of the file. An item with a problem is a broken record: it is
reported and costs only itself. An item without events and without a problem was skipped on purpose.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path, PurePath
from typing import BinaryIO, NamedTuple, Protocol, cast

from pydantic import ValidationError

from connectors.files.lines import MAX_LINE_BYTES, Mark, read_lines, skip_to
from connectors.files.profile import FileProfile
from connectors.files.rejects import MARKER, RejectForm
from connectors.mapping.language import TimeColumns, check_profile, checked_time, read_toml
from connectors.ports import Identifiers, UntranslatedReason
from engine.core.errors import UsageError


class Item(NamedTuple):
    """A record of a file: the number of its line, the position after it, and its events as JSON lines.

    A record without events has a `problem`, or the reason why it was `skipped`. `open_quote` is true if the file ends
    within a quote, which more lines may close. `record` holds the exact bytes of the record, so that one that is not
    taken can be set aside, mended and read again; `reason` says whether only a mapping of an identifier is missing.
    `number` is the line of the file that the record was in first; 0 means that it is `line`.
    """

    line: int
    mark: Mark
    events: tuple[bytes, ...] = ()
    problem: str | None = None
    skipped: str | None = None
    open_quote: bool = False
    record: bytes = b""
    reason: UntranslatedReason = "untranslatable"
    number: int = 0

    @property
    def unfinished(self) -> str | None:
        """Why the last record of a file may be incomplete, as it still is written to; None for a whole record."""
        if self.open_quote:
            return "its quote is not closed yet"
        return None if self.mark.ended else "it has no line end yet"


class BadFile(UsageError):
    """A file as a whole is not what its format says: no record of it can be read, or none of the rest."""


class Reader(Protocol):
    """The port of a file format: it turns bytes into items, and keeps no position itself.

    A reader may have a property `reject_form`, a `RejectForm`, which says how its records are set aside.
    """

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


def reject_form(reader: Reader) -> RejectForm:
    """How a reader's records are set aside."""
    form = getattr(reader, "reject_form", None)
    return form if isinstance(form, RejectForm) else RejectForm()


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
                yield Item(line.number, mark, problem="a carriage return inside the line", record=line.text)
            elif line.text.strip() and not line.text.startswith(MARKER.encode()):
                yield Item(line.number, mark, (line.text,), record=line.text)


@dataclass(frozen=True)
class Format:
    """A line of the registry: module and class of a reader, imported when it is chosen, and the suffixes of its files.

    `profile` is the class of its profiles in TOML, in the same module, a `FileProfile`. A reader that has one is built
    from such a profile and the identifiers, `Reader(profile, identifiers)`, any other from nothing. A profile without
    a required key makes the format usable by its name or suffix alone.
    """

    module: str
    reader: str
    suffixes: tuple[str, ...] = ()
    profile: str | None = None


FORMATS: dict[str, Format] = {
    "csv": Format("connectors.files.csv_reader", "CsvReader", profile="Profile"),
    "edi": Format("connectors.edi.reader", "EdiReader", (".edi", ".x12", ".edifact"), profile="PartnerProfile"),
    "ndjson": Format("connectors.files.readers", "NdjsonReader", (".ndjson", ".jsonl", ".json")),
    "epcis": Format("connectors.epcis.reader", "EpcisReader", (".jsonld", ".epcis"), profile="EpcisProfile"),
    "online-retail": Format("connectors.retail.mapping", "InvoiceReader"),
    "xlsx": Format("connectors.files.xlsx_reader", "XlsxReader", (".xlsx", ".xlsm"), profile="SheetProfile"),
}
"""The formats by the name that `--profile` and the key `format` of a profile take. A new format adds its line here."""


def choose_reader(
    path: str,
    profile: str | Path | FileProfile | None = None,
    identifiers: Identifiers | None = None,
    time: str | None = None,
) -> Reader:
    """The reader of a profile (an object, a TOML file or the name of a format); without one, the reader of the suffix.

    Standard input without a profile is NDJSON. `identifiers` are for profiles that say what is a partner's name, `time`
    replaces a constant time. Raises `UsageError`.
    """
    if isinstance(profile, FileProfile):
        return _build(profile.format, _timed(profile, time), identifiers)
    if profile is not None and str(profile).endswith(".toml"):
        loaded = load_profile(Path(profile), format_of_suffix(path))
        return _build(loaded.format, _timed(loaded, time), identifiers)
    if profile is not None and str(profile) not in FORMATS:
        raise UsageError(f"no format is called {profile!s}; known: {', '.join(sorted(FORMATS))}, or a .toml file")
    name = _name_by_suffix(path) if profile is None else str(profile)
    return _build(name, _timed(_default_profile(name), time), identifiers)


def _timed(profile: FileProfile, time: str | None) -> FileProfile:
    """The profile with another constant time. Raises `UsageError` for one that takes the time from its records."""
    if time is None:
        return profile
    declared = getattr(profile, "time", None)
    if not isinstance(declared, TimeColumns) or declared.constant is None:
        raise UsageError("a time is given, and the profile has no constant one: it is for `time = { constant = ... }`")
    try:
        return profile.model_copy(update={"time": TimeColumns(constant=checked_time(time))})
    except ValueError as error:
        raise UsageError(f"the time {error}") from None


def load_profile(path: Path, default_format: str | None = None) -> FileProfile:
    """Read a profile of a format from TOML; without the key `format` it is that of the file, or one of CSV.

    Raises `UsageError`, which names every fault by its path within the profile.
    """
    content = read_toml(path)
    default = default_format if default_format and FORMATS[default_format].profile else "csv"
    name = str(content.get("format", default))
    if name not in FORMATS:
        raise UsageError(f"the profile {path}: no format is called {name}; known: {', '.join(sorted(FORMATS))}")
    kind = _profile_class(name) or FileProfile
    return check_profile(path, kind, {"name": path.stem, "format": name, **content})


def _default_profile(name: str) -> FileProfile:
    """What a format is read by where no profile is named. Raises `UsageError` if its profiles have required keys."""
    kind = _profile_class(name) or FileProfile
    try:
        return kind(name=name, format=name)
    except ValidationError:
        raise UsageError(
            f"a file of the format {name} is read by a profile: name a .toml file with --profile"
        ) from None


def _profile_class(name: str) -> type[FileProfile] | None:
    format_ = FORMATS[name]
    if format_.profile is None:
        return None
    return cast(type[FileProfile], getattr(import_module(format_.module), format_.profile))


def _build(name: str, profile: FileProfile, identifiers: Identifiers | None) -> Reader:
    format_ = FORMATS[name]
    reader = getattr(import_module(format_.module), format_.reader)
    return cast(Reader, reader() if format_.profile is None else reader(profile, identifiers))


def _name_by_suffix(path: str) -> str:
    if path == "-":
        return "ndjson"
    if not Path(path).exists() or Path(path).is_dir():
        raise UsageError(f"{path}: there is no such file")
    if (name := format_of_suffix(path)) is not None:
        return name
    suffix = PurePath(path.removesuffix(".xz").removesuffix(".gz")).suffix
    raise UsageError(
        f"{path}: the suffix {suffix or '(none)'} says no format; name a profile with --profile, or draft one: "
        f"stockline profile new {path}"
    )


def format_of_suffix(path: str) -> str | None:
    """The format that the suffix of a file says, if it says one; `.gz` and `.xz` only say how it is packed."""
    suffix = PurePath(path.removesuffix(".xz").removesuffix(".gz")).suffix.lower()
    return next((name for name, format_ in FORMATS.items() if suffix in format_.suffixes), None)

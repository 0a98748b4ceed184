"""How far a file is acknowledged, by log: a small state file, written after every batch that was made durable."""

import hashlib
import os
import time
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import msgspec

from connectors.files.digest import DigestedSource
from connectors.files.lines import STANDARD_INPUT, Mark, open_input
from engine.core.errors import EnvironmentFailure, UsageError

SUFFIX = ".stockline-sent"
DUPLICATE_DAYS = 7
"""So long at least a log knows an event again."""
DAY_SECONDS = 24 * 3600
MAX_LOGS = 16
"""The state of a file names so many logs, those written last."""


class Target(NamedTuple):
    """What an acknowledgement is worth for: the log's id (None where the engine tells none), the format's meaning."""

    log: str | None
    format: str


class _Place(msgspec.Struct):
    """A place in a file, the digest of all bytes before it, the format that they were read in, and since when.

    `began` is when the first line was sent, in seconds of the wall clock.
    """

    offset: int
    lines: int
    ended: bool
    digest: str
    format: str
    began: float


class _State(msgspec.Struct):
    """The content of a state file: the place reached, by log; the one written last is the last."""

    logs: dict[str, _Place]


class Start(NamedTuple):
    """Where to begin, and why a file of which something was sent before begins at its first line."""

    mark: Mark = Mark()
    anew: str | None = None


class Progress:
    """One file on its way to one log: its bytes, and the place up to which they are acknowledged.

    The state holds the digest of all bytes up to that place: a file that has grown since goes on where it stopped, and
    one that differs anywhere before it is sent anew, while the log knows its events again. Standard input is never
    resumed, nor what goes to an engine that does not name its log.
    """

    def __init__(self, path: str, target: Target, state_dir: Path | None = None) -> None:
        resumable = path != STANDARD_INPUT and target.log is not None
        self._path = path
        self._began = time.time()
        self._target = target
        self._state = _state_file(path, state_dir) if resumable else None
        self._kept = _kept(self._state)
        opened = open_input(path)
        self._digested = DigestedSource(opened) if resumable else None
        self.source = opened if self._digested is None else cast(BinaryIO, self._digested)
        """What a reader reads."""

    @property
    def log(self) -> str | None:
        """The id of the log that the file goes to."""
        return self._target.log

    def restore(self) -> Start:
        """Where to go on; reads the file up to there, and leaves the source at its beginning.

        Raises `UsageError` for a file that is to begin anew after the log may have forgotten its events.
        """
        if self._state is None or self._digested is None or not self._state.exists():
            return Start()
        place = self._kept.get(str(self._target.log))
        if place is None:
            return Start(anew="what was sent of it before is not known to be in this log")
        if place.format != self._target.format:
            return self._anew(place, "what was sent of it before was read in another way")
        if self._digested.read_up_to(place.offset) != place.digest:
            self._digested.rewind()
            return self._anew(place, f"it differs from what was sent before, within the first {place.lines} lines")
        self._digested.seek(0)
        self._began = place.began
        return Start(Mark(place.offset, place.lines, place.ended))

    def _anew(self, place: _Place, why: str) -> Start:
        """Begin at the first line, unless the log may have forgotten what it has of the file and counts it twice."""
        days = (self._began - place.began) / DAY_SECONDS
        if days < DUPLICATE_DAYS:
            return Start(anew=why)
        raise UsageError(
            f"{self._path}: {why}. Its first lines were sent {days:.0f} days ago; a log knows events again for "
            f"{DUPLICATE_DAYS} days unless set otherwise, then they count twice: put what is new into a file of its "
            "own, or --restart sends all"
        )

    def save(self, mark: Mark) -> None:
        """Keep a place whose events are all acknowledged. Raises `EnvironmentFailure`."""
        if self._digested is None or (digest := self._digested.up_to(mark.offset)) is None:
            return
        log = str(self._target.log)
        self._kept.pop(log, None)
        self._kept[log] = _Place(*mark, digest, self._target.format, self._began)
        self._write()

    def forget(self) -> None:
        """Begin at the first line, now and the next time."""
        if self._state is None:
            return
        self._kept.pop(str(self._target.log), None)
        if self._kept:
            self._write()
        else:
            self._state.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if self._path != STANDARD_INPUT:
            self.source.close()

    def _write(self) -> None:
        if self._state is None:
            return
        draft = self._state.with_name(self._state.name + ".new")
        try:
            self._state.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(msgspec.json.encode(_State(dict(list(self._kept.items())[-MAX_LOGS:]))))
            os.replace(draft, self._state)
        except OSError as error:
            raise EnvironmentFailure(f"cannot keep the progress in {self._state}: {error.strerror}") from error


def _state_file(path: str, state_dir: Path | None) -> Path:
    file = Path(path)
    if state_dir is None:
        return file.with_name(file.name + SUFFIX)
    name = hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:16]
    return state_dir / f"{file.name}.{name}{SUFFIX}"


def _kept(state: Path | None) -> dict[str, _Place]:
    """The places in a state file; none where it is missing, damaged or of an older form."""
    try:
        return {} if state is None else msgspec.json.decode(state.read_bytes(), type=_State).logs
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return {}

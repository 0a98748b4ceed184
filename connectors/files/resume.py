"""The position up to which a log has a file durably: a small state file, written after every acknowledged batch."""

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
"""A log recognises duplicates for at least so many days, whatever its settings."""
DAY_SECONDS = 24 * 3600
MAX_LOGS = 16
"""A state file holds the positions of so many logs, those written last."""


class Target(NamedTuple):
    """The two things that a position is valid for: the log (its id; None if unknown) and the format with its digest."""

    log: str | None
    format: str


class _Position(msgspec.Struct):
    """A position in a file, the digest of all bytes before it, and the format that they were read in.

    `began` is the time when the first line was sent, in seconds of the Unix epoch. `rejects` counts bytes of rejects.
    """

    offset: int
    lines: int
    ended: bool
    digest: str
    format: str
    began: float
    rejects: int = 0


class _State(msgspec.Struct):
    """The content of a state file: a position for each log, in the order in which they were written."""

    logs: dict[str, _Position]


class Start(NamedTuple):
    """The position to begin at; `anew` says why a file that was partly sent before begins at its first line.

    `rejects` is the number of bytes of the reject file that belong to what was sent before.
    """

    mark: Mark = Mark()
    anew: str | None = None
    rejects: int = 0


class Progress:
    """The progress of one file towards one log: its bytes, and the position up to which they are acknowledged.

    The state file holds the digest of all bytes before that position. A file that has grown continues there. A file
    that differs before it is sent from its first line, as long as the log still recognises duplicates. Standard input
    is never resumed, and neither is a file that goes to an engine which does not report the id of its log.
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
        """The bytes of the file, for a reader."""

    @property
    def log(self) -> str | None:
        """The id of the log that the file goes to."""
        return self._target.log

    def restore(self) -> Start:
        """The position to continue at. Reads the file up to there, and leaves the source at its beginning.

        Raises `UsageError` if the file must begin at its first line, but the log may have forgotten its event marks.
        """
        if self._state is None or self._digested is None or not self._state.exists():
            return Start()
        position = self._kept.get(str(self._target.log))
        if position is None:
            return Start(anew="what was sent of it before is not known to be in this log")
        if position.format != self._target.format:
            return self._anew(position, "what was sent of it before was read in another way")
        if self._digested.read_up_to(position.offset) != position.digest:
            self._digested.rewind()
            return self._anew(
                position, f"it differs from what was sent before, within the first {position.lines} lines"
            )
        self._digested.seek(0)
        self._began = position.began
        return Start(Mark(position.offset, position.lines, position.ended), rejects=position.rejects)

    def _anew(self, position: _Position, why: str) -> Start:
        """Begin at the first line, unless the log may have forgotten the event marks: it would count the file twice."""
        days = (self._began - position.began) / DAY_SECONDS
        if days < DUPLICATE_DAYS:
            return Start(anew=why)
        raise UsageError(
            f"{self._path}: {why}. Its first lines were sent {days:.0f} days ago; a log knows events again for "
            f"{DUPLICATE_DAYS} days unless set otherwise, then they count twice: put what is new into a file of its "
            "own, or --restart sends all"
        )

    def save(self, mark: Mark, rejects: int = 0) -> None:
        """Save a position; the events before it are all acknowledged, and so many bytes of rejects are durable.

        Raises `EnvironmentFailure`.
        """
        if self._digested is None or (digest := self._digested.up_to(mark.offset)) is None:
            return
        log = str(self._target.log)
        self._kept.pop(log, None)
        self._kept[log] = _Position(*mark, digest, self._target.format, self._began, rejects)
        self._write()

    def forget(self) -> None:
        """Delete the saved position, so that the file begins at its first line."""
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


def _kept(state: Path | None) -> dict[str, _Position]:
    """The positions in a state file; none if it is missing, damaged or of an older form."""
    try:
        return {} if state is None else msgspec.json.decode(state.read_bytes(), type=_State).logs
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return {}

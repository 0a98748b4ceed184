"""How far a file is acknowledged: a small state file, written after every batch that the engine made durable."""

import hashlib
import json
import os
from pathlib import Path
from typing import NamedTuple

from connectors.files.lines import STANDARD_INPUT, Mark, open_input
from engine.core.errors import EnvironmentFailure

_HEAD = 64 * 1024
SUFFIX = ".stockline-sent"


class Target(NamedTuple):
    """What an acknowledgement is worth for: the engine's address and the meaning of the format."""

    url: str
    format: str


class Progress:
    """The acknowledged place of one file for one target.

    A file is recognised by its first bytes up to that place, so one that has grown since goes on where it stopped, and
    one that was replaced starts anew. Standard input is never resumed.
    """

    def __init__(self, path: str, target: Target, state_dir: Path | None = None) -> None:
        self._path = path
        self._target = target
        self._state = None if path == STANDARD_INPUT else _state_file(path, target, state_dir)

    def restore(self) -> Mark:
        """The place to go on from; the start where there is none or the file is another one."""
        if self._state is None or not self._state.exists():
            return Mark()
        try:
            kept = json.loads(self._state.read_bytes())
            mark = Mark(int(kept["offset"]), int(kept["lines"]))
            same = kept["target"] == list(self._target) and kept["head"] == self._head(mark.offset)
        except (OSError, ValueError, KeyError, TypeError):
            return Mark()
        return mark if same and self._reaches(mark) else Mark()

    def save(self, mark: Mark) -> None:
        """Keep a place whose events are all acknowledged. Raises `EnvironmentFailure`."""
        if self._state is None:
            return
        place = {"offset": mark.offset, "lines": mark.lines, "head": self._head(mark.offset)}
        draft = self._state.with_name(self._state.name + ".new")
        try:
            self._state.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps({"target": list(self._target), **place}))
            os.replace(draft, self._state)
        except OSError as error:
            raise EnvironmentFailure(f"cannot keep the progress in {self._state}: {error.strerror}") from error

    def forget(self) -> None:
        """Start anew the next time."""
        if self._state is not None:
            self._state.unlink(missing_ok=True)

    def _head(self, offset: int) -> str:
        with open_input(self._path) as source:
            return hashlib.sha256(source.read(min(offset, _HEAD))).hexdigest()

    def _reaches(self, mark: Mark) -> bool:
        if self._path.endswith((".xz", ".gz")):
            return True
        return Path(self._path).stat().st_size >= mark.offset


def _state_file(path: str, target: Target, state_dir: Path | None) -> Path:
    file = Path(path)
    if state_dir is None:
        return file.with_name(file.name + SUFFIX)
    name = hashlib.sha256(f"{file.resolve()}\n{target.url}".encode()).hexdigest()[:16]
    return state_dir / f"{file.name}.{name}{SUFFIX}"

"""When each token was last used, in a file beside that of the tokens, which may be mounted for reading only."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from engine.access.tokens import replace_file

log = logging.getLogger("stockline")


class LastUsed:
    """The instant (seconds of the Unix epoch) at which each token was last used; it is written now and then."""

    def __init__(self, tokens: Path, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock = tokens.with_name(tokens.name + ".used"), clock
        self._fresh: dict[str, int] = {}

    def note(self, token: str) -> None:
        """A call came with this token."""
        self._fresh[token] = int(self._clock())

    def write(self) -> None:
        """Merge what was noted into the file; a place that cannot be written costs the knowledge, and no call."""
        noted, self._fresh = self._fresh, {}
        if not noted:
            return
        kept = self.read()
        merged = kept | {token: max(at, kept.get(token, 0)) for token, at in noted.items()}
        try:
            replace_file(self._path, msgspec.json.encode(merged))
        except OSError as error:
            log.warning("when tokens were last used is not kept: %s: %s", self._path, error.strerror)

    def read(self) -> dict[str, int]:
        """What the file says; nothing where there is none, or none that can be read."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, int])
        except (OSError, msgspec.MsgspecError):
            return {}

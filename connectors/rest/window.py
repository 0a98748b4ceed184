"""Whether a list that moves while it is read was read whole. Pure.

A record that changes goes to another place, so the next page may begin behind one that nobody has seen; a page may come
twice in the place of another. So the list is read again, until two passes agree on what had changed by the latest time
that the first pass saw. What changed later does not matter: the next pull reads it.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from connectors.base import Json
from connectors.rest.pages import digest

MOST_PASSES = 6
"""After so many passes it is enough that the last one found nothing new: on a busy list no two passes agree."""


class Window:
    """The passes over one list; `changed` tells when a record has changed, None where it does not say."""

    def __init__(self, changed: Callable[[Json], datetime | None]) -> None:
        self.reached: datetime | None = None
        self.passes = 0
        self._changed = changed
        self._seen: set[bytes] = set()
        self._former: set[bytes] | None = None
        self.begin()

    def begin(self) -> None:
        """Begin a pass."""
        self._here: set[bytes] = set()
        self._pages, self._repeats, self._has_news = 0, False, False
        self._latest = self.reached

    def fresh(self, records: Sequence[Json]) -> list[Json]:
        """The records of a page that no pass has seen before."""
        found = []
        self._pages += 1 if records else 0
        for record in records:
            mark, time = digest(record), self._changed(record)
            if self.reached is None or time is None or time <= self.reached:
                self._repeats |= mark in self._here
                self._has_news |= mark not in self._seen
                self._here.add(mark)
            if mark not in self._seen:
                self._seen.add(mark)
                found.append(record)
            if time is not None and (self._latest is None or time > self._latest):
                self._latest = time
        return found

    def is_whole(self) -> bool:
        """End a pass; whether the list was read whole."""
        agrees = self._former == self._here and not self._repeats
        self.passes += 1
        self._former = self._here
        if self.passes == 1:
            self.reached = self._latest
            # One page is read at one moment.
            return self._pages <= 1
        return agrees or (self.passes >= MOST_PASSES and not self._has_news)

    @property
    def is_given_up(self) -> bool:
        """Whether the list has not come to rest; the next round begins from the same place."""
        return self.passes >= MOST_PASSES

"""Which files of a folder are complete, in which order. Pure, but for the time of a look that is handed in."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from connectors.folder.places import Entry
from connectors.folder.profile import Pattern, Profile

UNFINISHED = (".part", ".tmp", ".temp", ".filepart", ".crdownload", ".swp", "~")
"""How programs name a file while they write it."""


class Arrivals:
    """The files that wait in a folder, by a profile; it remembers since when each has been as it is."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._since: dict[Entry, float] = {}

    def pattern_of(self, name: str) -> Pattern | None:
        """The first pattern that a name fits."""
        return next((each for each in self._profile.files if fnmatchcase(name, each.pattern)), None)

    def wanted(self, entries: Sequence[Entry]) -> list[Entry]:
        """The files to read, in order, without those that are announced as unfinished or not announced as finished."""
        profile, names = self._profile, {entry.name for entry in entries}
        found = [entry for entry in entries if self.pattern_of(entry.name) and not _is_unfinished(entry.name)]
        if profile.ready == "marker":
            found = [entry for entry in found if entry.name + profile.marker in names]
            found = [entry for entry in found if not entry.name.endswith(profile.marker)]
        return sorted(found, key=lambda entry: (entry.changed if profile.order == "time" else 0, entry.name))

    def look(self, wanted: Sequence[Entry], now: float) -> float:
        """Note what is there at `now`, in seconds of any clock; returns the seconds until all of it may be stable."""
        self._since = {entry: self._since.get(entry, now) for entry in wanted}
        if self._profile.ready != "stable" or not wanted:
            return 0.0
        return max(0.0, max(self._since.values()) + self._profile.stable_seconds - now)

    def stable(self, wanted: Sequence[Entry], now: float) -> list[Entry]:
        """Those that have not changed for long enough; all where the profile knows another sign."""
        if self._profile.ready != "stable":
            return list(wanted)
        return [entry for entry in wanted if now - self._since.get(entry, now) >= self._profile.stable_seconds]


def _is_unfinished(name: str) -> bool:
    return name.startswith(".") or name.lower().endswith(UNFINISHED)

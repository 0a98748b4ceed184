"""How far a partition has been folded, and by which rules.

The rules of the fold are part of the log: the same records folded by other rules give other rows. So each marker holds
them, and a process with other rules raises UsageError before it folds anything.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec
from msgspec import Struct

from engine.bus.single import Kept
from engine.core.errors import UsageError
from engine.core.rules import Rules

SETTINGS = {
    "clock": "--clock {}",
    "movement_window_hours": "STOCKLINE_MOVEMENT_WINDOW_HOURS={}",
    "duplicate_days": "STOCKLINE_DUPLICATE_DAYS={}",
}
"""Rule -> how a person sets it."""
THE_VERSION = "the version of Stockline that wrote it"
"""All other rules are fixed by the version."""


class Marker(Struct, array_like=True):
    """The next offset to fold, the partition's clock in microseconds, its counters, and the rules of its fold."""

    next_offset: int = 0
    now: int = 0
    counters: dict[str, int] = {}
    rules: Rules | None = None


class FormerMarker(Struct, array_like=True):
    """The marker of the version before markers held the rules: the clock is the only rule in it."""

    next_offset: int
    now: int
    clock: Literal["wall", "log"]
    counters: dict[str, int]


_decoder = msgspec.msgpack.Decoder(Marker)
_former_decoder = msgspec.msgpack.Decoder(FormerMarker)


def read_marker(value: bytes | None) -> Marker:
    """The marker of a partition; a fresh one if `value` is None, before the first commit.

    Raises:
        UsageError: another version of Stockline wrote it.
    """
    try:
        return Marker() if value is None else _decoder.decode(value)
    except msgspec.DecodeError:
        raise UsageError(
            "the rows in stockline.state are of another version of Stockline, and this one does not read them. "
            "Go on with that version; or, to fold the log again from its beginning (signals come out again with the "
            "same ids), stop all workers, delete all topics but stockline.events, the group, and the data directories "
            "of workers and web. Where the log no longer has its beginning, delete stockline.events, too, and start "
            "from a count of all stock"
        ) from None


def former_clock(markers: Iterable[bytes | None]) -> Literal["wall", "log"] | None:
    """The clock of a log by its markers of the former version; None if nothing was folded yet."""
    found = [marker for marker in markers if marker is not None]
    return _former_decoder.decode(found[0]).clock if found else None


def resume(value: bytes | None, rules: Rules) -> Marker:
    """The marker from which the fold of a partition goes on by `rules`.

    Raises:
        UsageError: it was folded by other rules so far.
    """
    marker = read_marker(value)
    if marker.rules is None or marker.rules == rules:
        marker.rules = rules
        return marker
    kept = msgspec.structs.asdict(marker.rules)
    asked = msgspec.structs.asdict(rules)
    differing = [name for name in kept if kept[name] != asked[name]]
    said = ", ".join(f"{name} {kept[name]} (now {asked[name]})" for name in differing)
    ways = ", ".join(dict.fromkeys(SETTINGS.get(name, THE_VERSION).format(kept[name]) for name in differing))
    raise UsageError(
        f"the log was folded with {said}, and other rules would give other rows from the same events: start with "
        f"{ways}, or with an empty data directory or new topics"
    )


def rules_of_log(bus: Kept) -> Rules:
    """The rules by which a log was folded; the defaults if nothing was folded yet."""
    for partition in range(bus.partitions):
        rules = read_marker(bus.marker(partition)).rules
        if rules is not None:
            return rules
    return Rules()

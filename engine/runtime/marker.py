"""How far a partition has been folded, and by which rules.

The rules of the fold are part of the log: the same records folded by other rules give other rows. So each marker holds
them, and a process with other rules raises UsageError before it folds anything. A marker also holds the format of the
rows that the fold went on from: earlier versions kept less in them.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec
from msgspec import Struct

from engine.bus.single import Kept
from engine.core.errors import UsageError
from engine.core.events import EVENT_TYPES
from engine.core.outputs import Alert, Signal
from engine.core.rules import Rules
from tables.catalogue import FORMER_ROWS, ROWS

SETTINGS = {
    "clock": "--clock {}",
    "movement_window_hours": "STOCKLINE_MOVEMENT_WINDOW_HOURS={}",
    "duplicate_days": "STOCKLINE_DUPLICATE_DAYS={}",
}
"""Rule -> how a person sets it."""
THE_VERSION = "the version of Stockline that wrote it"
"""All other rules are fixed by the version."""

FOLD_ANEW = (
    "to fold the log again from its beginning (signals come out again with the same ids), stop all workers, delete all "
    "topics but stockline.events, the group, and the data directories of workers and web"
)
EARLIER_ROWS = (
    "its rows go on from those of an earlier version: the business figures count from now on, and where the rows are "
    f"of format {FORMER_ROWS}, which did not keep receipts, one from then cannot be reversed. Go on with them; or, "
    f"{FOLD_ANEW}"
)


COUNTERS = {kind: f"events:{name}" for name, kind in EVENT_TYPES.items()}
"""The counter of each event type."""


def effect_counter(effect: str, data: Signal | Alert, ref: str) -> str | None:
    """The counter of a revision of a signal or alert, which the event `ref` caused; None where nothing counts it."""
    if isinstance(data, Alert):
        return f"{effect}:{data.kind}"
    # A revision that proposes nothing new, as it only records an answer, is counted as the event of the answer.
    is_news = effect != "signal.amended" or (data.status == "open" and data.explanation.get("cause") == ref)
    return f"{effect}:{data.disposition}" if is_news else None


class Marker(Struct, array_like=True):
    """The next offset to fold, the partition's clock in microseconds, its counters, and the rules of its fold.

    `rows` is the format of the oldest rows that the fold went on from. That of format 2 did not note it.
    """

    next_offset: int = 0
    now: int = 0
    counters: dict[str, int] = {}
    rules: Rules | None = None
    rows: int = FORMER_ROWS


class FirstMarker(Struct, array_like=True):
    """The marker of format 1, before markers held the rules: the clock is the only rule in it."""

    next_offset: int
    now: int
    clock: Literal["wall", "log"]
    counters: dict[str, int]


_decoder = msgspec.msgpack.Decoder(Marker)
_first_decoder = msgspec.msgpack.Decoder(FirstMarker)


def read_marker(value: bytes | None) -> Marker:
    """The marker of a partition; a fresh one if `value` is None, before the first commit.

    Raises:
        UsageError: another version of Stockline wrote it.
    """
    try:
        return Marker(rows=ROWS) if value is None else _decoder.decode(value)
    except msgspec.DecodeError:
        raise UsageError(
            "the rows in stockline.state are of another version of Stockline, and this one does not read them. "
            f"Go on with that version; or, {FOLD_ANEW}. Where the log no longer has its beginning, delete "
            "stockline.events, too, and start from a count of all stock"
        ) from None


def former_rules(markers: Iterable[bytes | None], asked: Rules) -> Rules:
    """The rules by which this version folds a log of an earlier one, whose markers are given.

    The settings in it are the log's as far as its markers hold them, else those of `asked`.
    """
    found = next((marker for marker in markers if marker is not None), None)
    if found is None:
        return asked
    try:
        kept = _decoder.decode(found).rules or asked
    except msgspec.DecodeError:
        return msgspec.structs.replace(asked, clock=_first_decoder.decode(found).clock)
    return msgspec.structs.replace(asked, **{name: getattr(kept, name) for name in SETTINGS})


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

"""What to write, and what to say, by the signals and the lines that were found. Pure.

    signal                     | line found           | what is done
    wanted                     | none                 | placed, in the draft of its supplier and location
    wanted                     | draft of another key | changed
    stands, or is ordered so   | draft                | stays
    over, or ordered elsewhere | draft                | removed
    any                        | several              | those but the lowest are removed, as far as they are drafts
    drafted by another system  | none                 | nothing
    drafted by this one        | none                 | nothing: a person has deleted it, which `signal.draft_gone` says

A signal is over when it is withdrawn, rejected or expired.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from connectors.orders.signals import PushedSignal
from connectors.orders.system import OrderLine, WantedLine, natural


@dataclass(frozen=True)
class Remove:
    """Remove a draft line."""

    line: OrderLine


@dataclass(frozen=True)
class Change:
    """Bring a draft line in line with its amended signal."""

    line: OrderLine
    wanted: WantedLine


@dataclass(frozen=True)
class Place:
    """Write lines of one supplier and location: into the draft `document`, or a new one where there is none."""

    document: str | None
    lines: tuple[WantedLine, ...]


Action = Remove | Change | Place
Lines = Mapping[str, Sequence[OrderLine]]


def by_signal(lines: Iterable[OrderLine]) -> Lines:
    """The lines of each signal, each once, the one to keep first."""
    found: defaultdict[str, dict[tuple[str, str], OrderLine]] = defaultdict(dict)
    for line in lines:
        found[line.key.signal][line.document, line.line] = line
    return {signal: sorted(own.values(), key=lambda line: line.rank) for signal, own in found.items()}


def kept(lines: Lines, signal: str) -> OrderLine | None:
    """The line that a signal has; None where it has none, or only one that was cancelled."""
    own = lines.get(signal, ())
    return own[0] if own and own[0].state != "gone" else None


def surplus(signals: Mapping[str, PushedSignal], lines: Lines) -> Iterator[Remove]:
    """The drafts to remove. A line whose signal the engine does not know is left alone: it may be another engine's."""
    for ident, own in lines.items():
        if ident in signals:
            first = own[0]
            spare = own if first.state == "draft" and _is_over(signals[ident], first) else own[1:]
            yield from (Remove(line) for line in spare if line.state == "draft")


def _is_over(signal: PushedSignal, line: OrderLine) -> bool:
    if signal.status == "ordered":
        return signal.order not in (None, line.document, line.order)
    return not signal.stands


def changes(signals: Mapping[str, PushedSignal], lines: Lines) -> Iterator[Change]:
    """The lines whose signal was amended since they were written."""
    for signal in signals.values():
        line = kept(lines, signal.id)
        if line is not None and line.state == "draft" and signal.is_wanted and line.key != signal.key:
            yield Change(line, WantedLine(signal.key, signal.sku, signal.location, line.supplier))


def missing(signals: Iterable[PushedSignal], lines: Lines, let_go: Collection[str]) -> list[PushedSignal]:
    """The wanted signals that have no line and should get one; not those in `let_go`, whose line a person deleted."""
    return [
        signal
        for signal in signals
        if signal.is_wanted and signal.draft is None and signal.id not in let_go and kept(lines, signal.id) is None
    ]


def placements(wanted: Iterable[PushedSignal], lines: Lines) -> Iterator[Place]:
    """The lines to write, joined by supplier and location; the lowest draft of ours for them takes them."""
    drafts: dict[tuple[str, str], str] = {}
    for line in sorted((line for own in lines.values() for line in own), key=lambda line: natural(line.document)):
        if line.state == "draft":
            drafts.setdefault((line.supplier, line.location), line.document)
    groups: defaultdict[tuple[str, str], list[WantedLine]] = defaultdict(list)
    for signal in wanted:
        groups[signal.line.supplier, signal.location].append(signal.line)
    for group, together in groups.items():
        yield Place(drafts.get(group), tuple(together))


def is_done(signal: PushedSignal, lines: Lines) -> bool:
    """Whether nothing is left to write for a signal."""
    line = kept(lines, signal.id)
    if line is None:
        return not signal.is_wanted
    return line.state == "ordered" or (signal.stands and (line.key == signal.key or not signal.is_wanted))


def has_draft(signal: PushedSignal, lines: Lines) -> bool:
    """Whether the engine or the other system knows of a draft of a signal."""
    line = kept(lines, signal.id)
    return signal.draft is not None or (line is not None and line.state == "draft")


@dataclass(frozen=True)
class Drafted:
    """Say `signal.drafted`: the line is there."""

    signal: PushedSignal
    line: OrderLine


@dataclass(frozen=True)
class Ordered:
    """Say `signal.ordered`: the other system has confirmed it."""

    signal: PushedSignal
    line: OrderLine


@dataclass(frozen=True)
class DraftGone:
    """Say `signal.draft_gone`: the line that the engine knows is not there any more."""

    signal: PushedSignal


News = Drafted | Ordered | DraftGone


def news(signals: Iterable[PushedSignal], lines: Lines, system: str) -> Iterator[News]:
    """Where the engine knows something else than what was found."""
    for signal in signals:
        line, draft = kept(lines, signal.id), signal.draft
        if draft is not None and draft.system != system:
            continue
        if line is None:
            if draft is not None and signal.status != "ordered":
                yield DraftGone(signal)
        elif line.state == "ordered":
            # A rejected signal has no such end, unless its draft was there already.
            if signal.status != "ordered" and (signal.status != "rejected" or draft is not None):
                yield Ordered(signal, line)
        elif signal.stands and (draft is None or (draft.document, draft.line) != (line.document, line.line)):
            yield Drafted(signal, line)

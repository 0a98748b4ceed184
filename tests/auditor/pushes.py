"""What the contract says of a signal in other systems: its draft, and whether the last push of it has failed.

As in `tests.auditor.model` everything is told anew from the whole list of events each time.
"""

from __future__ import annotations

from collections.abc import Iterable

from tests.auditor.model import Event, distinct, instant, tie_break

DRAFTS = ("signal.drafted", "signal.draft_gone")
REMEMBERED = 10

Moment = tuple[int, bytes]
Draft = tuple[str, str, str | None]  # (system, document, line)


def when(event: Event) -> Moment:
    return instant(event["time"]), tie_break(event)


def about(events: Iterable[Event], signal: str, *types: str) -> list[Event]:
    """What was said of a signal, in the order in which it happened."""
    said = [event for event in distinct(events) if event["type"] in types and event["data"]["signal"] == signal]
    return sorted(said, key=when)


def draft_of(events: Iterable[Event], signal: str) -> Draft | None:
    """The latest draft that is there, unless the signal was ordered: of one document its latest statement counts."""
    events = list(events)
    if about(events, signal, "signal.ordered"):
        return None
    documents: dict[tuple[str, str], Event] = {}
    for event in about(events, signal, *DRAFTS):
        documents[event["data"]["system"], event["data"]["document"]] = event
    remembered = sorted(documents.values(), key=when)[-REMEMBERED:]
    there = [event["data"] for event in remembered if event["type"] == "signal.drafted"]
    if not there:
        return None
    line = there[-1].get("line")
    return there[-1]["system"], there[-1]["document"], None if line is None else str(line)


def push_has_failed(events: Iterable[Event], signal: str) -> bool:
    """Whether the last that was said of the pushes of a signal is that one has failed."""
    said = about(events, signal, *DRAFTS, "signal.push_failed")
    return bool(said) and said[-1]["type"] == "signal.push_failed"

"""`stockline connectors replay`: the records in a connector's dead letters are translated again, by today's profile."""

import base64
import hashlib
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from connectors.base import JsonObject
from connectors.client import EngineClient
from connectors.host.loading import Loaded
from connectors.host.names import opened_names
from connectors.host.refused import Refused, read_back
from connectors.mapping.values import Unreadable
from connectors.ports import Connector, Tools
from connectors.redaction import redacted

AT_ONCE = 500
"""So many records are translated before their events are posted."""
SHOWN = 20


@dataclass(frozen=True)
class ReplayOptions:
    """Which records: of one reason or all, at most `limit`; with `dry_run` nothing is posted."""

    reason: str | None = None
    limit: int | None = None
    dry_run: bool = False


@dataclass
class Replayed:
    """What became of the records: `known` events were in the log before; `remaining` records are as they were."""

    records: int = 0
    translated: int = 0
    events: int = 0
    known: int = 0
    rejected: int = 0
    remaining: Counter[str] = field(default_factory=Counter)

    @property
    def exit_code(self) -> int:
        """0 where every record became events that were taken, else 1."""
        return int(bool(self.remaining or self.rejected))

    def report(self) -> JsonObject:
        """The counts as JSON."""
        return {
            "records": self.records,
            "translated": self.translated,
            "accepted": self.events,
            "duplicates": self.known,
            "rejected": self.rejected,
            "untranslatable": self.remaining.total(),
            "reasons": dict(self.remaining.most_common(SHOWN)),
        }


async def replay(loaded: Loaded, options: ReplayOptions) -> Replayed:
    """Translate again what a connector could not translate, oldest first, and post the events.

    Safe to repeat: the ids of the events follow from the records, so the log knows those that it has. It may run beside
    the connector itself. Raises `EngineUnreachable`, and what the connector raises when it is opened.
    """
    counts = Replayed()
    with tempfile.TemporaryDirectory() as folder:
        async with loaded.profile.client() as engine, opened_names(loaded.profile) as names:
            tools = Tools(names, Path(folder), engine)
            async with loaded.kind.connect(loaded.profile, tools) as connector:
                events: list[bytes] = []
                async for refused in _records(engine, loaded, options):
                    events += await _translated(connector, refused, counts)
                    if len(events) >= AT_ONCE:
                        await _post(engine, events, options, counts)
                        events = []
                await _post(engine, events, options, counts)
    return counts


async def _records(engine: EngineClient, loaded: Loaded, options: ReplayOptions) -> AsyncIterator[Refused]:
    """The records in the connector's dead letters, oldest first, each once."""
    profile, seen = loaded.profile, set[bytes]()
    async for letter in engine.dead_letters(event_source=profile.event_source, sort="arrived"):
        raw = letter["raw"].encode() if "raw" in letter else base64.b64decode(letter.get("raw_base64", ""))
        refused = read_back(raw, profile.name)
        if refused is None or options.reason not in (None, refused.reason):
            continue
        digest = hashlib.sha256(f"{refused.part} ".encode() + (refused.record or raw)).digest()
        if digest not in seen:
            seen.add(digest)
            yield refused
        if options.limit is not None and len(seen) >= options.limit:
            return


async def _translated(connector: Connector, refused: Refused, counts: Replayed) -> Sequence[bytes]:
    counts.records += 1
    source = connector.sources.get(refused.part)
    try:
        if refused.record is None:
            raise Unreadable("the record was too long for its dead letter: let the other system send it again")
        if source is None:
            raise Unreadable(f"the connector has no source {refused.part!r} any more")
        events = await source.replay(refused.record)
    except Unreadable as error:
        counts.remaining[redacted(str(error))] += 1
        return ()
    counts.translated += 1
    return events


async def _post(engine: EngineClient, events: Sequence[bytes], options: ReplayOptions, counts: Replayed) -> None:
    if options.dry_run:
        counts.events += len(events)
        return
    answer = await engine.post_events(events)
    counts.events += answer.accepted
    counts.known += answer.duplicates or 0
    counts.rejected += len(answer.refused)

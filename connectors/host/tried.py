"""`stockline connectors check`: a connector is tried, and nothing is written anywhere."""

import json
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from connectors.base import JsonObject, Submission
from connectors.client import EngineDenied
from connectors.host.loading import Loaded
from connectors.host.names import opened_names
from connectors.identifiers import Names
from connectors.ports import Batch, Connector, Finding, Source, Tools
from connectors.profiles import ConnectorProfile
from connectors.redaction import redacted
from engine.core.errors import UsageError
from engine.core.events import decode, type_name
from engine.core.outcomes import Rejection

SHOWN = 3


class NothingWritten:
    """The `EventSink` of a connector that is only tried."""

    async def log_id(self) -> str | None:
        """No log is behind it."""
        return None

    async def post_events(self, events: Sequence[bytes]) -> Submission:
        """Raises `UsageError`: a trial writes nothing."""
        raise UsageError(f"the connector wanted to post {len(events)} events although it is only tried")


@dataclass
class SourceTrial:
    """The first batch of a source: events by type, records that are none by reason, and the first of each."""

    types: Counter[str] = field(default_factory=Counter)
    invalid: Counter[str] = field(default_factory=Counter)
    untranslated: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    first: list[JsonObject] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def add(self, batch: Batch) -> None:
        """Count a batch."""
        for raw in batch.events:
            event = decode(raw)
            if isinstance(event, Rejection):
                self.invalid[event.reason] += 1
                self._say(f"an event that the engine would refuse: {event.detail}")
            else:
                self.types[type_name(event)] += 1
            if len(self.first) < SHOWN:
                self.first.append(json.loads(redacted(raw.decode())))
        for record in batch.untranslated:
            self.untranslated[record.reason] += 1
            self._say(f"{record.place}: {record.detail}")
        self.skipped.update(batch.skipped)

    def _say(self, problem: str) -> None:
        if len(self.problems) < SHOWN:
            self.problems.append(redacted(problem))


@dataclass(frozen=True)
class Trial:
    """What a trial found: findings, and the first batch of every source."""

    findings: Sequence[Finding]
    sources: dict[str, SourceTrial]

    @property
    def exit_code(self) -> int:
        """0 where everything works, else 1."""
        works = all(each.works for each in self.findings)
        return int(not works or any(each.invalid or each.untranslated for each in self.sources.values()))


async def try_out(loaded: Loaded) -> Trial:
    """Open a connector, let it check itself, and read the first batch of every source from the beginning.

    No source goes on behind its first batch: what it does there, it does because the batch is durable, which this one
    will not be. Raises what the connector raises.
    """
    engine = await _engine(loaded.profile)
    with tempfile.TemporaryDirectory() as folder:
        async with opened_names(loaded.profile) as names, _connected(loaded, names, folder) as connector:
            findings = [engine, *await connector.check()]
            sources = {name: await _first_batch(source) for name, source in connector.sources.items()}
    return Trial([Finding(each.what, each.works, redacted(each.detail)) for each in findings], sources)


def _connected(loaded: Loaded, names: Names, folder: str) -> Connector:
    return loaded.kind.connect(loaded.profile, Tools(names, Path(folder), NothingWritten()))


async def _engine(profile: ConnectorProfile) -> Finding:
    what = f"the engine at {profile.engine}"
    async with profile.client() as client:
        if not await client.ready():
            return Finding(what, False, "it is not ready: `stockline run` starts one")
        try:
            await client.log_id()
        except EngineDenied as error:
            return Finding(what, False, f"it does not let this connector in: {error}")
    return Finding(what, True, "it is ready")


async def _first_batch(source: Source) -> SourceTrial:
    trial = SourceTrial()
    stream = source.pull(None)
    try:
        async for batch in stream:
            trial.add(batch)
            break
    finally:
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()
    return trial

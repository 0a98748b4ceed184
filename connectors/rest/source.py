"""A resource as a source: what has changed since the last pull, by the other system's own clock or cursor.

A list is read until it was read whole (`window`); only then the watermark moves on. The watermark is the latest change
that was seen, never later than this machine's clock (a record of the year 2999 must not hide what follows), less the
overlap of the profile: a transaction that commits late bears an earlier time than what was read meanwhile.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from connectors.base import Json, JsonObject
from connectors.mapping.values import Unreadable
from connectors.ports import Batch, Identifiers, UntranslatedRecord
from connectors.rest.client import RestClient
from connectors.rest.pages import Page, own_values, pages
from connectors.rest.profile import Changes, Resource
from connectors.rest.translation import Skipped, Translation
from connectors.rest.window import Window


def _now() -> datetime:
    return datetime.now(UTC)


class ResourceSource:
    """A `Source`: the records of one resource. `clock` is for tests."""

    def __init__(
        self,
        client: RestClient,
        resource: Resource,
        values: Mapping[str, object],
        identifiers: Identifiers,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._client, self._resource, self._values = client, resource, values
        self._translation = Translation(resource, identifiers)
        self._clock = clock

    async def pull(self, position: JsonObject | None) -> AsyncIterator[Batch]:
        """See the module, and `Source.pull`."""
        changes = self._resource.changes
        if changes is not None and changes.kind == "cursor":
            cursor = None if position is None else position["cursor"]
            async for page in pages(self._client, self._resource, own_values(self._values), cursor):
                yield self._batch(page.records, {"cursor": page.cursor} if page.cursor else None)
            return
        async for batch in self._window(position, changes):
            yield batch

    async def replay(self, record: bytes) -> Sequence[bytes]:
        """See `Source.replay`."""
        return self._translation.again(record)

    async def first_page(self) -> Page:
        """The first page of the whole resource, for a check."""
        async for page in pages(self._client, self._resource, self._since(None, self._resource.changes)):
            return page
        return Page((), None)

    async def _window(self, position: JsonObject | None, changes: Changes | None) -> AsyncIterator[Batch]:
        values, started = self._since(position, changes), self._clock()
        window = Window(self._translation.changed)
        while True:
            window.begin()
            async for page in pages(self._client, self._resource, values):
                yield self._batch(window.fresh(page.records), None)
            if window.is_whole():
                break
            if window.is_given_up:
                return
        if window.reached is not None:
            yield Batch(position=_position(min(window.reached, started), position))

    def _since(self, position: JsonObject | None, changes: Changes | None) -> Mapping[str, object]:
        if changes is None:
            return own_values(self._values)
        since = datetime.fromisoformat(changes.start)
        if position is not None:
            since = max(since, datetime.fromisoformat(position["changed"]) - timedelta(seconds=changes.overlap_seconds))
        return own_values({**self._values, "since": since.astimezone(UTC).strftime(changes.written)})

    def _batch(self, records: Sequence[Json], position: JsonObject | None) -> Batch:
        events: list[bytes] = []
        untranslated: list[UntranslatedRecord] = []
        skipped: Counter[str] = Counter()
        for record in records:
            try:
                found = self._translation(record)
            except Unreadable as error:
                untranslated.append(self._translation.untranslated(record, error))
                continue
            if isinstance(found, Skipped):
                skipped[found] += 1
            else:
                events.append(found)
        return Batch(events, untranslated, position, skipped)


def _position(reached: datetime, former: JsonObject | None) -> JsonObject:
    """The watermark, which never goes back."""
    changed = reached.isoformat()
    return {"changed": changed if former is None else max(changed, former["changed"], key=datetime.fromisoformat)}

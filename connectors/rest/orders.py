"""Purchase orders of the other system by the templates of a profile: an `OrderSystem`.

A line is read again just before it is changed or removed, because some systems let anyone change what is ordered; where
they give an entity tag, a template sends it (`If-Match = "{etag}"`) and closes the moment that is left in between.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import NamedTuple

from connectors.base import Json
from connectors.mapping.values import Unreadable
from connectors.orders import Key, OrderLine, PushRefused, WantedLine
from connectors.ports import Identifiers, Unmapped
from connectors.profiles import IdentifierKind, Unreachable
from connectors.rest.answers import at_path
from connectors.rest.client import RestClient
from connectors.rest.pages import asked, own_values, pages
from connectors.rest.profile import Listing, Push, Request
from connectors.rest.templates import Values


class _Found(NamedTuple):
    line: OrderLine
    etag: str | None


class RestOrders:
    """See the module; `values` are those of the profile, for the templates."""

    def __init__(self, client: RestClient, push: Push, values: Values, identifiers: Identifiers) -> None:
        self._client, self._push, self._values, self._identifiers = client, push, values, identifiers

    @property
    def name(self) -> str:
        """The system's name in the events."""
        return self._push.system

    async def find(self, signals: Collection[str]) -> Sequence[OrderLine]:
        """The drafts that bear our key, and what a search finds of each signal that is not among them."""
        found = [each.line for each in await self._lines(self._push.drafts, {})]
        drafted = {line.key.signal for line in found if line.state == "draft"}
        for signal in sorted(set(signals) - drafted):
            found += [each.line for each in await self._of_signal(signal)]
        return found

    async def create_draft(self, lines: Sequence[WantedLine]) -> None:
        """See `OrderSystem.create_draft`."""
        await self._write(self._push.create, {}, lines)

    async def add_lines(self, document: str, lines: Sequence[WantedLine]) -> None:
        """See `OrderSystem.add_lines`.

        Where lines are added one by one, and one after the first is refused, `Unreachable` ends the round: the next one
        finds those that are there, and begins with the one that was refused.
        """
        portions = [[line] for line in lines] if self._push.add_each else [lines]
        for number, portion in enumerate(portions):
            try:
                await self._write(self._push.add, {"document": document}, portion)
            except PushRefused as refused:
                if number == 0:
                    raise
                raise Unreachable(f"{number} of {len(lines)} lines were added, then: {refused}") from None

    async def change_line(self, line: OrderLine, wanted: WantedLine) -> None:
        """See `OrderSystem.change_line`."""
        if (found := await self._draft(line)) is None:
            raise PushRefused(f"the line {line.line} of {line.document} is no draft any more")
        await self._write(self._push.change, _place(found), [wanted])

    async def remove_line(self, line: OrderLine) -> None:
        """See `OrderSystem.remove_line`."""
        if (found := await self._draft(line)) is None:
            return
        place = _place(found)
        await self._write(self._push.remove, place, [])
        if self._push.left is None or self._push.remove_document is None:
            return
        left = [page.records async for page in pages(self._client, self._push.left, self._with(place))]
        if not any(left):
            await self._write(self._push.remove_document, place, [])

    async def _draft(self, line: OrderLine) -> _Found | None:
        """The line as it is now; None where it is gone, or no draft any more."""
        for found in await self._of_signal(line.key.signal):
            if (found.line.document, found.line.line, found.line.state) == (line.document, line.line, "draft"):
                return found
        return None

    async def _of_signal(self, signal: str) -> Sequence[_Found]:
        found = await self._lines(self._push.search, {"signal": signal})
        return [each for each in found if each.line.key.signal == signal]

    async def _lines(self, listing: Listing, own: Values) -> Sequence[_Found]:
        return [
            line
            async for page in pages(self._client, listing, self._with(own))
            for record in page.records
            if (line := self._line(record)) is not None
        ]

    def _line(self, record: Json) -> _Found | None:
        columns, texts = self._push.columns, {}
        for name, path in columns:
            texts[name] = None if path is None else at_path(record, path)
        if (key := Key.found_in(str(texts["text"]))) is None:
            return None
        state = self._push.states.get(str(texts["state"]))
        if state is None:
            raise Unreachable(f"a line of {self.name} is in the state {texts['state']!r}, which `states` does not know")
        line = OrderLine(
            key,
            _text(texts["document"]),
            _text(texts["line"]),
            state,
            self._ours("supplier", texts["supplier"]),
            self._ours("location", texts["location"]),
            _text(texts["order"] or texts["document"]),
            _text(texts["order_line"] or texts["line"]),
            _quantity(texts["qty"]),
        )
        return _Found(line, None if texts["etag"] is None else str(texts["etag"]))

    def _ours(self, kind: IdentifierKind, theirs: Json) -> str:
        """Our name of a supplier or location; the other system's where nothing maps it: such a draft is not joined."""
        if self._push.partner is None or theirs is None:
            return _text(theirs)
        try:
            return self._identifiers.ours(kind, self._push.partner, str(theirs))
        except Unmapped:
            return str(theirs)

    def _theirs(self, kind: IdentifierKind, ours: str) -> str:
        return ours if self._push.partner is None else self._identifiers.theirs(kind, self._push.partner, ours)

    def _of_line(self, line: WantedLine) -> Values:
        return {
            "sku": self._theirs("item", line.sku),
            "supplier": self._theirs("supplier", line.supplier),
            "location": self._theirs("location", line.location),
            "qty": line.key.qty,
            "due": None if line.key.due is None else line.key.due.isoformat(),
            "text": str(line.key),
            "signal": line.key.signal,
        }

    def _with(self, own: Values) -> Values:
        return own_values({**self._values, **own})

    async def _write(self, request: Request, own: Values, lines: Sequence[WantedLine]) -> None:
        each = [self._of_line(line) for line in lines]
        call = asked(self._client, request, self._with({**own, **(each[0] if each else {})}), each)
        headers, header = dict(call.headers), self._push.idempotency_header
        if header is not None:
            headers[header] = str(uuid.uuid4())
        await self._client.ask(replace(call, headers=headers, writes=True, may_repeat=header is not None))


def _place(found: _Found) -> Values:
    return {"document": found.line.document, "line": found.line.line, "etag": found.etag}


def _text(value: Json) -> str:
    return "" if value is None else str(value)


def _quantity(value: Json) -> int | None:
    """A quantity in base units; None for one that is not whole, as the events of orders say it by their own rules."""
    try:
        whole, _, fraction = str(value).partition(".")
        return int(whole) if not fraction.strip("0") else None
    except (ValueError, Unreadable):
        return None

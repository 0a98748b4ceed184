"""A window that a page follows, and what was last shown of it."""

from collections.abc import Hashable
from urllib.parse import parse_qsl

import msgspec
from multidict import MultiDict

from engine.core.values import NUL
from engine.web import query
from engine.web.live.messages import Follow, Frame
from engine.web.live.windows import State, Window, Windows
from engine.web.ports import Lists
from engine.web.query import invalid

MAX_FILTERS = 200

_encoder = msgspec.json.Encoder()


class View:
    """A window of a list under the name that its page gave it.

    Attributes:
        asked: what the page asked for.
    """

    def __init__(self, asked: Follow) -> None:
        """Read what was asked; raises Problem where the list has no such table, field or value."""
        self.asked = asked
        if asked.table not in query.FIELDS:
            raise invalid(f"`table` is one of {', '.join(query.FIELDS)}")
        try:
            parameters = parse_qsl(asked.query, keep_blank_values=True, max_num_fields=MAX_FILTERS)
        except ValueError:
            raise invalid(f"`query` has at most {MAX_FILTERS} parameters") from None
        # The window stands in the message, so `limit`, `offset` and `cursor` of a list's URL are passed over.
        kept = MultiDict(pair for pair in parameters if pair[0] not in ("limit", "offset", "cursor"))
        self._query = query.parse(asked.table, kept).query
        self._window: Window | None = None
        self._seq = 0
        self._shown: tuple[int, int, bytes] | None = None

    async def frame(self, lists: Lists, scope: Hashable, windows: Windows) -> bytes | None:
        """The next frame; None where the page has it already. Raises what the lists raise."""
        if self._window is None:
            self._window = await self._fixed(lists, windows)
        state = await windows.state(lists, scope, self._window)
        shown = (state.total, state.moved, bytes(state.items))
        if shown == self._shown:
            return None
        self._shown = shown
        self._seq += 1
        return self._encoded(state)

    async def _fixed(self, lists: Lists, windows: Windows) -> Window:
        """The window, with the rows that it has from now on where it is frozen."""
        asked, names = self.asked, None
        if asked.mode == "frozen" and asked.rows is not None:
            names = tuple(NUL.join(row) for row in asked.rows)
        elif asked.mode == "frozen":
            names = await windows.names(lists, self._query, asked.offset, asked.limit)
        return Window(self._query, asked.offset, asked.limit, names)

    def _encoded(self, state: State) -> bytes:
        asked, fresh = self.asked, state.freshness
        frame = Frame(
            view=asked.view,
            seq=self._seq,
            as_of=fresh.as_of,
            lag_seconds=fresh.lag_seconds,
            total=state.total,
            offset=asked.offset,
            moved=state.moved,
            items=state.items,
        )
        return _encoder.encode(frame)

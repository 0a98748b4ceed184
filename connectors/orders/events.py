"""The events that follow from pushing, as JSON lines.

Their ids and times come from the revision of the signal that was seen and from what was found, not from the clock:
whoever says the same again, after a crash or beside another writer, says a duplicate. What the engine is told of one
revision is ordered by time, as the latest counts: each failed attempt a microsecond later, what came of it after them.
An order that was confirmed days after that revision says when, where the other system tells: the engine waits for its
`order.placed` from then on.
"""

import json
from datetime import datetime, timedelta

from connectors.base import JsonObject
from connectors.orders.decisions import Drafted, News, Ordered
from connectors.orders.memory import Failure
from connectors.orders.signals import PushedSignal
from engine.core.values import stable_id

MICROSECOND = timedelta(microseconds=1)
OUTCOME = timedelta(milliseconds=1)


class Events:
    """Makes the events of one system under one CloudEvents `source`."""

    def __init__(self, source: str, system: str) -> None:
        self._source = source
        self._system = system

    def of(self, news: News) -> bytes:
        """`signal.drafted`, `signal.ordered` or `signal.draft_gone`."""
        if isinstance(news, Drafted):
            data = {"system": self._system, "document": news.line.document, "line": news.line.line}
            return self._event("signal.drafted", news.signal, data, OUTCOME)
        if isinstance(news, Ordered):
            line = news.line
            data = {"by": self._system, "order": line.order or line.document, "line": line.order_line or line.line}
            qty = {"qty": line.qty} if line.qty else {}
            return self._event("signal.ordered", news.signal, data | qty, OUTCOME, line.ordered_at)
        draft = news.signal.draft
        assert draft is not None
        data = {"system": self._system, "document": draft.document} | ({"line": draft.line} if draft.line else {})
        return self._event("signal.draft_gone", news.signal, data, OUTCOME)

    def push_failed(self, signal: PushedSignal, failure: Failure) -> bytes:
        """`signal.push_failed`, with the words of the other system."""
        data = {"system": self._system, "attempts": failure.attempts, "detail": failure.detail}
        return self._event(
            "signal.push_failed", signal, data, min(MICROSECOND * failure.attempts, OUTCOME - MICROSECOND)
        )

    def _event(
        self, kind: str, signal: PushedSignal, data: JsonObject, later: timedelta, known: datetime | None = None
    ) -> bytes:
        data = {"signal": signal.id, "sku": signal.sku, "location": signal.location, **data}
        said = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        at = datetime.fromisoformat(signal.updated) + later
        if known is not None and known > at:
            # Two writers may see two moments; under one id the second would be refused.
            at, said = known, f"{said} {known.isoformat()}"
        event = {
            "specversion": "1.0",
            "id": stable_id(kind, str(signal.revision), said),
            "source": self._source,
            "type": kind,
            "time": at.isoformat(),
            "data": data,
        }
        return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()

"""An EPCIS event to events of Stockline: the first rule that fits says which. Pure; one EPCIS event is one whole.

Each trade item of an EPCIS event becomes one event, whose id is the `eventID` (or the event hash of CBV 2.0) and the
item. A declaration of an error takes those events back, at the time at which they were said to have happened.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connectors.base import JsonObject
from connectors.epcis.documents import MAX_EVENT_BYTES, RawEvent
from connectors.epcis.reading import MAX_NAME, EpcisReading, Seen, seen
from connectors.epcis.reversal import opposite
from connectors.epcis.rules import Rule
from connectors.epcis.telling import Names, Told, tell
from connectors.mapping.documents import parsed_object
from connectors.mapping.values import Unreadable
from connectors.ports import Identifiers, SameNames, Unmapped

OTHERS_PLACE: Final = "it happened at a place that is not ours"
EARLIER: Final = "it is from before the time of the profile"
NO_GOODS: Final = "it names no trade items"
NOTHING_BACK: Final = "what it takes back has changed no balance"
UNKNOWN: Final = "it names only identifiers such as {}, which say no trade item: a quantity list has to name the class"
CONTAINERS: Final = "it names only containers such as {}: what is in them must be named in the event itself"


@dataclass(frozen=True)
class Translated:
    """The events of one EPCIS event as JSON lines; none where it is `skipped`, for that reason."""

    events: tuple[bytes, ...] = ()
    skipped: str | None = None


class EpcisTranslation:
    """Translates EPCIS events as a profile says. Raises `Unreadable`, or `Unmapped`, for one that cannot be."""

    def __init__(self, reading: EpcisReading, identifiers: Identifiers | None = None) -> None:
        self._reading = reading
        self._identifiers: Identifiers = identifiers or SameNames()
        self._maps = identifiers is not None
        self._names = Names(reading, self._identifiers)

    def __call__(self, raw: RawEvent) -> Translated:
        """Translate one event of a document."""
        try:
            return self._translated(raw)
        except UnicodeEncodeError:
            # JSON can escape one half of a surrogate pair, which is no character and has no bytes in UTF-8.
            raise Unreadable("it holds an escape of half a character") from None

    def _translated(self, raw: RawEvent) -> Translated:
        if len(raw.text) > MAX_EVENT_BYTES:
            raise Unreadable(f"an event of {len(raw.text)} bytes, where {MAX_EVENT_BYTES} may be read")
        event = seen(raw, parsed_object(raw.text), self._reading)
        since = self._reading.since
        if since is not None and datetime.fromisoformat(event.time) < since:
            return Translated(skipped=EARLIER)
        rule = self._rule(event)
        if rule.type is None:
            return Translated(skipped=rule.skip)
        if fault := event.goods.fault or event.inputs.fault:
            raise Unreadable(fault)
        if not event.goods.goods and not event.inputs.goods:
            if event.goods.containers:
                raise Unreadable(CONTAINERS.format(event.goods.containers[0]))
            if unknown := event.goods.unknown or event.inputs.unknown:
                raise Unreadable(UNKNOWN.format(unknown[0][:200]))
            return Translated(skipped=NO_GOODS)
        told = tell(event, rule, self._reading, self._names)
        if not told:
            return Translated(skipped=OTHERS_PLACE)
        if event.declared_wrong != rule.undo:
            told = [each for one in told for each in opposite(one)]
            if not told:
                return Translated(skipped=NOTHING_BACK)
        return Translated(tuple(self._encoded(each, event) for each in told))

    def _rule(self, event: Seen) -> Rule:
        for rule in self._reading.table:
            if self._fits(rule, event):
                return rule
        raise AssertionError("the last rule of the table fits everything")

    def _fits(self, rule: Rule, event: Seen) -> bool:
        return (
            (not rule.event or event.kind in rule.event)
            and (not rule.action or event.action in rule.action)
            and (not rule.step or event.step in rule.step)
            and (not rule.disposition or event.disposition in rule.disposition)
            and (rule.origin is None or self._is_own(event.origin if event.step == "receiving" else event.left_from))
            and (rule.destination is None or self._is_own(event.destination))
        )

    def _is_own(self, gln: str | None) -> bool:
        """Whether a place of the other side is ours; without `own` and a mapping nothing says so."""
        if gln is None:
            return False
        if self._reading.own:
            return gln.startswith(self._reading.own)
        try:
            return self._maps and bool(self._identifiers.ours("location", self._reading.partner, gln))
        except Unmapped:
            return False

    def _encoded(self, told: Told, event: Seen) -> bytes:
        name = event.name if len(event.name) <= MAX_NAME else hashlib.sha256(event.name.encode()).hexdigest()
        whole: JsonObject = {
            "specversion": "1.0",
            "id": f"{name}/{told.part}" + ("/error" if event.declared_wrong else ""),
            "source": self._reading.source,
            "type": told.type,
            "time": event.time,
            "data": told.data,
        }
        return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()

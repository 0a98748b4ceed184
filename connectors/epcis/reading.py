"""How EPCIS events are read: what a profile says, and what of an event the translation needs."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, get_args

from pydantic import Field, field_validator

from connectors.base import Json, JsonObject
from connectors.epcis.documents import RawEvent
from connectors.epcis.goods import INPUTS, OUTPUTS, SEEN, Listed, listed
from connectors.epcis.hashing import event_hash
from connectors.epcis.keys import parse
from connectors.epcis.rules import DAMAGED, HELD, RULES, EventKind, Rule, Status
from connectors.epcis.vocabulary import BIZ_STEP, BIZ_TRANSACTION, DISPOSITION, SOURCE_DEST, document_number
from connectors.mapping.language import Declared
from connectors.mapping.values import Unreadable

MAX_NAME: Final = 128
"""A longer `eventID` is replaced by its digest in the ids of events."""
_KINDS: Final = frozenset(get_args(EventKind))
_OLD_TYPES: Final = ("@type", "isA")
"""Where the type stands in JSON-LD without aliases, and in the drafts of EPCIS 2.0."""
_TYPE_PREFIX = re.compile(r"(?:epcis:|https://ref\.gs1\.org/epcis/)")


class EpcisReading(Declared):
    """What a profile says of the meaning of EPCIS events.

    `own` holds GLNs or their beginnings, such as company prefixes, of the places that are ours; without it the places
    that the identifiers map are ours. `packages` gives the unit of a GTIN that is not the base unit, `units` the item's
    unit or a whole factor for a code of UN/CEFACT. A pattern of `documents` finds the groups `order` and perhaps `line`
    in the identifier of a business transaction of its type.
    """

    source: Annotated[str, Field(min_length=1, max_length=256)] = "epcis"
    partner: Annotated[str, Field(min_length=1)] = "epcis"
    own: tuple[Annotated[str, Field(pattern=r"^[0-9]{1,13}$")], ...] = ()
    extensions: bool = False
    since: datetime | None = None
    rules: tuple[Rule, ...] = ()
    held: frozenset[str] = HELD
    damaged: frozenset[str] = DAMAGED
    packages: dict[str, str] = Field(default_factory=dict)
    units: dict[str, str | int] = Field(default_factory=dict)
    documents: dict[str, str] = Field(default_factory=dict)
    transfer: tuple[str, ...] = ("desadv", "bol", "inv", "po")
    line: str | None = None

    @field_validator("documents")
    @classmethod
    def _patterns(cls, patterns: dict[str, str]) -> dict[str, str]:
        for pattern in patterns.values():
            try:
                groups = re.compile(pattern).groupindex
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from error
            if "order" not in groups:
                raise ValueError(f"{pattern!r} has no group `(?P<order>...)`")
        return patterns

    @field_validator("units")
    @classmethod
    def _factors(cls, units: dict[str, str | int]) -> dict[str, str | int]:
        if any(isinstance(unit, int) and unit < 1 for unit in units.values()):
            raise ValueError("a factor is a whole number of at least 1")
        return units

    @field_validator("since")
    @classmethod
    def _zoned(cls, since: datetime | None) -> datetime | None:
        if since is not None and since.tzinfo is None:
            raise ValueError("a time has an offset")
        return since

    @property
    def table(self) -> Sequence[Rule]:
        """The rules in the order in which they are tried."""
        return (*self.rules, *RULES)

    def status(self, disposition: str) -> Status:
        """Where goods of a disposition belong."""
        return "damaged" if disposition in self.damaged else "held" if disposition in self.held else "available"


@dataclass(frozen=True)
class Document:
    """A business transaction: the number of the document, and its line where the identifier names one."""

    number: str
    line: str | None = None


@dataclass(frozen=True)
class Seen:
    """An EPCIS event as the translation needs it. Places are GLNs, `time` is ISO 8601 with its offset.

    `declared_wrong` is true for a declaration that the event never happened.
    """

    name: str
    kind: str
    action: str
    step: str
    disposition: str
    time: str
    location: str | None
    read_point: str | None
    origin: str | None
    destination: str | None
    documents: Mapping[str, Document]
    goods: Listed
    inputs: Listed
    declared_wrong: bool

    @property
    def here(self) -> str | None:
        """Where it happened."""
        return self.location or self.read_point or self.destination

    @property
    def came_to(self) -> str | None:
        """Where goods are after they were received."""
        return self.location or self.destination or self.read_point

    @property
    def left_from(self) -> str | None:
        """Where goods were before they were shipped; `location` is where they are after it."""
        return self.origin or self.read_point or self.location


def seen(raw: RawEvent, event: JsonObject, reading: EpcisReading) -> Seen:
    """What an event says; raises `Unreadable` for one that is no event of the standard."""
    if "type" not in event:
        old = next((name for key in _OLD_TYPES if (name := _text(event, key))), "")
        event = {name: value for name, value in event.items() if name not in _OLD_TYPES} | {"type": old}
    kind = _TYPE_PREFIX.sub("", _text(event, "type"))
    if kind not in _KINDS:
        raise Unreadable(f"{kind[:100] or 'nothing'!r} is not a type of EPCIS events")
    action = _text(event, "action")
    if action not in ("ADD", "OBSERVE", "DELETE") and kind != "TransformationEvent":
        raise Unreadable(f"{action[:100]!r} is not an action of an {kind}")
    transforms = kind == "TransformationEvent"
    return Seen(
        name=_name(event, raw.namespaces),
        kind=kind,
        action=action,
        step=BIZ_STEP.short(_text(event, "bizStep")),
        disposition=DISPOSITION.short(_text(event, "disposition")),
        time=_moment(_text(event, "eventTime")),
        location=_place(event.get("bizLocation"), reading),
        read_point=_place(event.get("readPoint"), reading),
        origin=_party(event, "source", reading),
        destination=_party(event, "destination", reading),
        documents=_documents(event, reading.documents),
        goods=listed(event, OUTPUTS if transforms else SEEN),
        inputs=listed(event, INPUTS if transforms else ()),
        declared_wrong=event.get("errorDeclaration") is not None,
    )


def _name(event: JsonObject, namespaces: Mapping[str, str]) -> str:
    given = event.get("eventID")
    return given if isinstance(given, str) and given else event_hash(event, namespaces)


def _text(event: JsonObject, name: str) -> str:
    value = event.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unreadable(f"{name} is not a text")
    return value


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Unreadable(f"eventTime: {text[:100]!r} is not a time") from None
    if moment.tzinfo is None:
        raise Unreadable(f"eventTime: {text[:100]!r} has no offset")
    return moment.isoformat()


def _place(value: Json, reading: EpcisReading) -> str | None:
    """The GLN of a place, with its extension where the profile asks for it; the URI of a place that has none."""
    uri = value.get("id", value.get("@id")) if isinstance(value, dict) else value
    if not isinstance(uri, str) or not uri:
        return None
    key = parse(uri)
    if key is None or key.role != "place":
        return uri
    return f"{key.key}.{key.detail}" if reading.extensions and key.detail else key.key


def _party(event: JsonObject, side: str, reading: EpcisReading) -> str | None:
    """The place of the type `location` in a list of sources or destinations."""
    for element in _elements(event.get(f"{side}List")):
        if SOURCE_DEST.short(str(element.get("type"))) == "location":
            return _place(element.get(side), reading)
    return None


def _documents(event: JsonObject, patterns: Mapping[str, str]) -> dict[str, Document]:
    """The business transactions by type; of several of one type the first counts."""
    found: dict[str, Document] = {}
    for element in _elements(event.get("bizTransactionList")):
        uri, kind = element.get("bizTransaction"), BIZ_TRANSACTION.short(str(element.get("type") or ""))
        if isinstance(uri, str) and uri and kind not in found:
            found[kind] = _document(uri, patterns.get(kind))
    return found


def _document(uri: str, pattern: str | None) -> Document:
    if pattern is None:
        return Document(document_number(uri))
    match = re.search(pattern, uri)
    if match is None:
        raise Unreadable(f"the business transaction {uri[:200]!r} does not fit the pattern of the profile")
    return Document(match["order"], match.groupdict().get("line"))


def _elements(value: Json) -> Iterable[JsonObject]:
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else ()

"""The event hash of CBV 2.0: the name of an event that has no `eventID`, the same however the event was written.

The event's properties are joined in the order of the standard, with times in UTC, words and identifiers in their web
form and lists sorted; what the standard does not know comes last, with its namespace. The SHA-256 of that text is the
name, `ni:///sha-256;...?ver=CBV2.0`. `eventID`, `recordTime`, `errorDeclaration` and `certificationInfo` are left out,
so a declaration of an error has the name of the event that it takes back.
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from connectors.base import Json, JsonObject
from connectors.epcis.keys import parse
from connectors.epcis.vocabulary import BIZ_STEP, BIZ_TRANSACTION, DISPOSITION, SOURCE_DEST, Vocabulary

_QUANTITY: Final = ("epcClass", "quantity", "uom")
_METADATA: Final = (
    "time", "startTime", "endTime", "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules",
)  # fmt: skip
_REPORT: Final = (
    "type", "exception", "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "time", "microorganism",
    "chemicalSubstance", "value", "component", "stringValue", "booleanValue", "hexBinaryValue", "uriValue", "minValue",
    "maxValue", "meanValue", "sDev", "percRank", "percValue", "uom", "coordinateReferenceSystem",
)  # fmt: skip
_EPC_LISTS: Final = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")
_QUANTITY_LISTS: Final = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
_TYPED: Final = {
    "bizTransactionList": ("bizTransaction", BIZ_TRANSACTION),
    "sourceList": ("source", SOURCE_DEST),
    "destinationList": ("destination", SOURCE_DEST),
}
_WORDS: Final = {"bizStep": BIZ_STEP, "disposition": DISPOSITION}
_ORDER: Final = (
    "eventTime", "eventTimeZoneOffset", "epcList", "parentID", "inputEPCList", "childEPCs", "quantityList",
    "childQuantityList", "inputQuantityList", "outputEPCList", "outputQuantityList", "action", "transformationID",
    "bizStep", "disposition", "persistentDisposition", "readPoint", "bizLocation", "bizTransactionList", "sourceList",
    "destinationList", "sensorElementList",
)  # fmt: skip
_LEFT_OUT: Final = {
    "type", "eventID", "recordTime", "errorDeclaration", "certificationInfo", "@context", "rdfs:comment", "comment",
}  # fmt: skip
_SENSOR_WORDS: Final = ("type", "exception")

Namespaces = Mapping[str, str]


def event_hash(event: JsonObject, namespaces: Namespaces) -> str:
    """The name of an event; `namespaces` are the prefixes of its document's `@context`."""
    text = pre_hash(event, namespaces)
    return f"ni:///sha-256;{hashlib.sha256(text.encode()).hexdigest()}?ver=CBV2.0"


def pre_hash(event: JsonObject, namespaces: Namespaces) -> str:
    """The text that is hashed."""
    known = "".join(_property(name, event[name], namespaces) for name in _ORDER if event.get(name) is not None)
    others = {name: value for name, value in event.items() if name not in _ORDER and name not in _LEFT_OUT}
    return f"eventType={event.get('type', '')}{known}{''.join(sorted(_extensions(others, namespaces)))}"


def _property(name: str, value: Json, namespaces: Namespaces) -> str:
    if name in _EPC_LISTS:
        return name + "".join(sorted(f"epc={_canonical(epc)}" for epc in _listed(value)))
    if name in _QUANTITY_LISTS:
        return name + "".join(sorted("quantityElement" + _fields(each, _QUANTITY) for each in _listed(value)))
    if name in _TYPED:
        return name + "".join(sorted(_typed(each, *_TYPED[name]) for each in _listed(value)))
    if name == "sensorElementList":
        return "".join(sorted(_sensor(each, namespaces) for each in _listed(value)))
    if name in ("readPoint", "bizLocation"):
        place = value if isinstance(value, dict) else {"id": value}
        more = {key: each for key, each in place.items() if key != "id"}
        return f"{name}id={_canonical(place.get('id'))}" + "".join(sorted(_extensions(more, namespaces)))
    if name == "persistentDisposition":
        words = value if isinstance(value, dict) else {}
        return name + "".join(
            "".join(sorted(f"{kind}={DISPOSITION.full(str(word))}" for word in _listed(words.get(kind))))
            for kind in ("set", "unset")
        )
    return f"{name}={_WORDS[name].full(str(value)) if name in _WORDS else _text(name, value)}"


def _typed(element: Json, name: str, words: Vocabulary) -> str:
    if not isinstance(element, dict):
        return f"{name}={_canonical(element)}"
    kind = element.get("type")
    return (f"type={words.full(str(kind))}" if kind else "") + f"{name}={_canonical(element.get(name))}"


def _sensor(element: Json, namespaces: Namespaces) -> str:
    if not isinstance(element, dict):
        return "sensorElement"
    metadata = element.get("sensorMetadata")
    text = "sensorElement"
    if isinstance(metadata, dict):
        text += "sensorMetadata" + _fields(metadata, _METADATA, namespaces)
    reports = (each for each in _listed(element.get("sensorReport")) if isinstance(each, dict))
    text += "".join(sorted("sensorReport" + _fields(each, _REPORT, namespaces) for each in reports))
    more = {name: each for name, each in element.items() if name not in ("sensorMetadata", "sensorReport")}
    return text + "".join(sorted(_extensions(more, namespaces)))


def _fields(element: Json, order: tuple[str, ...], namespaces: Namespaces | None = None) -> str:
    if not isinstance(element, dict):
        return ""
    known = "".join(f"{name}={_text(name, element[name])}" for name in order if element.get(name) is not None)
    more = {name: value for name, value in element.items() if name not in order}
    return known + "".join(sorted(_extensions(more, namespaces or {})))


def _extensions(properties: Mapping[str, Json], namespaces: Namespaces) -> Iterator[str]:
    """What the standard does not know: `{namespace}name=value`, and within it the same again."""
    for name, value in properties.items():
        prefix, colon, local = name.partition(":")
        full = f"{{{namespaces[prefix]}}}{local}" if colon and prefix in namespaces else name
        for each in _listed(value):
            if isinstance(each, dict):
                yield full + "".join(sorted(_extensions(each, namespaces)))
            elif isinstance(each, list):
                yield full
            else:
                yield f"{full}={_text(name, each)}"


def _text(name: str, value: Json) -> str:
    """The canonical text of one value: a time in UTC, a plain number, the web form of a key."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value).strip()
    if ("time" in name.lower()[1:] and "offset" not in name.lower()) or name == "time":
        return _moment(text)
    if name in _SENSOR_WORDS and ":" not in text:
        return f"https://ref.gs1.org/voc/{text}"
    return _number(text) or _canonical(text)


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return text
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _number(text: str) -> str | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) > 30:
        return None
    return format(number.normalize(), "f") if number else "0"


def _canonical(value: Json) -> str:
    text = str(value).strip()
    key = parse(text)
    return text if key is None else key.canonical


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [] if value is None else [value]

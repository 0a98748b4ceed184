"""EPCIS events for tests, and what each becomes, as the engine takes it."""

import json
from collections.abc import Mapping
from typing import Any

from connectors.epcis.documents import RawEvent
from connectors.epcis.reading import EpcisReading
from connectors.epcis.translation import EpcisTranslation
from engine.core.events import Event, decode

OURS, OTHER_OURS, SUPPLIER = (
    "urn:epc:id:sgln:0614141.00777.0",
    "urn:epc:id:sgln:0614141.00888.0",
    "urn:epc:id:sgln:4012345.00001.0",
)
LEEDS, YORK = "0614141007776", "0614141008889"
SERIALS = ["urn:epc:id:sgtin:0614141.107346.2017", "urn:epc:id:sgtin:0614141.107346.2018"]
GTIN = "10614141073464"
READING = EpcisReading(own=("0614141",), line="1")
PO = {"type": "po", "bizTransaction": "urn:epcglobal:cbv:bt:0614141073467:PO-7"}
ADVICE = {"type": "desadv", "bizTransaction": "urn:epcglobal:cbv:bt:0614141073467:A-1"}


def event(step: str, action: str = "OBSERVE", **fields: Any) -> dict[str, Any]:
    """An object event at a place of ours with two serial numbers and both documents, changed as asked."""
    base = {
        "type": "ObjectEvent", "eventID": "urn:uuid:1", "action": action, "bizStep": step,
        "eventTime": "2026-03-02T09:14:05Z", "epcList": SERIALS, "readPoint": {"id": OURS},
        "bizTransactionList": [PO, ADVICE],
    }  # fmt: skip
    return {name: value for name, value in (base | fields).items() if value is not None}


def at(side: str, place: str) -> dict[str, Any]:
    return {f"{side}List": [{"type": "location", side: place}]}


def translated(told: Mapping[str, Any], reading: EpcisReading = READING, identifiers: Any = None) -> list[Any]:
    """The events that an EPCIS event becomes, each checked by the engine, or the reason why it is skipped."""
    outcome = EpcisTranslation(reading, identifiers)(RawEvent(json.dumps(told).encode(), {}))
    events = [json.loads(line) for line in outcome.events]
    for each in events:
        if each["type"] not in ("receipt.reversed", "shipment.cancelled", "stock.returned_to_supplier"):
            assert isinstance(decode(json.dumps(each).encode()), Event), each
    return events if outcome.skipped is None else [outcome.skipped]


def said(told: Mapping[str, Any], reading: EpcisReading = READING) -> list[tuple[str, dict[str, Any]]]:
    return [(each["type"], each["data"]) for each in translated(told, reading)]

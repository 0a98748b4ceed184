"""`record.refused`: the event that makes a dead letter of a record that a connector could not translate."""

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Final

from connectors.base import JsonObject
from connectors.ports import UntranslatedRecord
from connectors.redaction import redacted
from engine.core.events import MAX_EVENT_BYTES

TYPE: Final = "record.refused"
MAX_DETAIL, MAX_PLACE, MAX_ID = 2000, 500, 128
ROOM = 4096
"""Bytes that are left for whatever carries the event."""
TIME: Final = "1970-01-01T00:00:00Z"
"""Its event time: what is read again must give the same event, and a record that cannot be read tells no time. When the
dead letter came is said by its `arrived`."""


@dataclass(frozen=True)
class Refused:
    """A `record.refused` that was read back: the source that read the record, and why it was not translated.

    `record` is None if it was too long to be carried.
    """

    part: str
    reason: str
    detail: str
    record: bytes | None


def event_of(untranslated: UntranslatedRecord, connector: str, source: str, part: str) -> bytes:
    """The event of a record that the source `part` of a connector could not translate.

    The idempotency key begins with the record's own and ends with a digest of what is said of it: the same record with
    another detail, after its profile was changed, is another dead letter and no conflict.
    """
    data: JsonObject = {
        "connector": connector,
        "reason": untranslated.reason,
        "detail": redacted(untranslated.detail)[:MAX_DETAIL],
        "place": redacted(untranslated.place)[:MAX_PLACE],
    }
    whole = _encoded(data | _carried(untranslated.record), untranslated.id, source, part)
    if len(whole) <= MAX_EVENT_BYTES - ROOM:
        return whole
    digest = hashlib.sha256(untranslated.record).hexdigest()
    named = {"record_bytes": len(untranslated.record), "record_sha256": digest}
    return _encoded(data | named, untranslated.id, source, part)


def read_back(raw: bytes, connector: str | None = None) -> Refused | None:
    """The record within the bytes of a dead letter; None if it is no `record.refused`, or of another connector."""
    try:
        event = json.loads(raw)
        data = event["data"]
        if event["type"] != TYPE or connector not in (None, data["connector"]):
            return None
        part = str(event["id"]).partition("/")[0]
        return Refused(part, str(data["reason"]), str(data["detail"]), _record(data))
    except (ValueError, KeyError, TypeError):
        return None


def _carried(record: bytes) -> JsonObject:
    try:
        return {"record": record.decode()}
    except UnicodeDecodeError:
        return {"record_base64": base64.b64encode(record).decode()}


def _record(data: JsonObject) -> bytes | None:
    if "record" in data:
        return str(data["record"]).encode()
    if "record_base64" in data:
        return base64.b64decode(data["record_base64"])
    return None


def _encoded(data: JsonObject, record_id: str, source: str, part: str) -> bytes:
    said = json.dumps(data, sort_keys=True).encode()
    sound = record_id.isprintable() and len(record_id) <= MAX_ID
    short = record_id if sound else hashlib.sha256(record_id.encode(errors="surrogatepass")).hexdigest()
    name = f"{part}/{short}/{hashlib.sha256(said).hexdigest()[:12]}"
    event = {"specversion": "1.0", "id": name, "source": source, "type": TYPE, "time": TIME, "data": data}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()

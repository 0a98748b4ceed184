"""Change events of a database in Debezium's JSON, with the schema in each record or without it.

A record says what happened to one row: `op` (c created, u updated, d deleted, r read by a snapshot), the row `before`
and `after`, and its `source` (table, transaction, log position). With a schema, decimals and times are written as
numbers that mean nothing without it: here they become the text that rules read. Without one they stay as they are, and
a connector that is set to `decimal.handling.mode=string` and `time.precision.mode=isostring` needs none.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from connectors.mapping.documents import parsed_object
from connectors.mapping.values import Unreadable

OPERATIONS: Final = frozenset("cudr")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MAX_SCALE: Final = 100


def change_document(value: bytes) -> dict[str, Any]:
    """The change of a record, with decimals and times as text where the record has its schema. Raises `Unreadable`."""
    record = parsed_object(value)
    schema = record.get("schema")
    change: Any = record["payload"] if "payload" in record and ("op" not in record) else record
    if not isinstance(change, dict) or str(change.get("op")) not in OPERATIONS:
        raise Unreadable("no change event of Debezium: it has no `op` that is one of c, u, d, r")
    if not isinstance(schema, dict):
        return dict(change)
    try:
        read: dict[str, Any] = _read(change, schema)
    except (KeyError, TypeError, ValueError, ArithmeticError, Base64Error, AttributeError, RecursionError) as error:
        raise Unreadable(f"its values are not what its schema says: {error}") from None
    return read


def _read(value: Any, schema: Mapping[str, Any]) -> Any:
    """A value by its part of the schema."""
    if value is None:
        return None
    if (read := _LOGICAL.get(schema.get("name", ""))) is not None:
        return read(value, schema)
    if schema["type"] == "struct":
        fields = {field["field"]: field for field in schema["fields"]}
        return {name: _read(part, fields[name]) if name in fields else part for name, part in value.items()}
    if schema["type"] == "array":
        return [_read(part, schema["items"]) for part in value]
    return value


def _decimal(value: str, schema: Mapping[str, Any]) -> str:
    return _scaled(value, int(schema["parameters"]["scale"]))


def _decimal_of_its_own_scale(value: Mapping[str, str], _schema: Mapping[str, Any]) -> str:
    return _scaled(value["value"], int(value["scale"]))


def _scaled(digits: str, scale: int) -> str:
    """Connect writes a decimal as its digits in two's complement, and the scale apart."""
    if abs(scale) > MAX_SCALE:
        raise ValueError(f"a scale of {scale}")
    whole = int.from_bytes(b64decode(digits, validate=True), "big", signed=True)
    return f"{Decimal(whole).scaleb(-scale):f}"


def _day(value: str, _schema: Mapping[str, Any]) -> str:
    return (date(1970, 1, 1) + timedelta(days=int(value))).isoformat()


def _moment(parts_of_a_second: int) -> Callable[[str, Mapping[str, Any]], str]:
    """A time of day and date without a zone; the profile says whose it is."""

    def read(value: str, _schema: Mapping[str, Any]) -> str:
        moment = _EPOCH + timedelta(microseconds=int(value) * 10**6 // parts_of_a_second)
        return moment.replace(tzinfo=None).isoformat()

    return read


_LOGICAL: Final[Mapping[str, Callable[[Any, Mapping[str, Any]], str]]] = {
    "org.apache.kafka.connect.data.Decimal": _decimal,
    "io.debezium.data.VariableScaleDecimal": _decimal_of_its_own_scale,
    "org.apache.kafka.connect.data.Date": _day,
    "io.debezium.time.Date": _day,
    "org.apache.kafka.connect.data.Timestamp": _moment(10**3),
    "io.debezium.time.Timestamp": _moment(10**3),
    "io.debezium.time.MicroTimestamp": _moment(10**6),
    "io.debezium.time.NanoTimestamp": _moment(10**9),
}

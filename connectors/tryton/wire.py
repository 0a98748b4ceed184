"""Tryton's JSON: what its special objects mean, and which error a reply holds. Nothing here does I/O.

Numbers with a fraction are read as `Decimal`: Tryton's quantities are plain JSON numbers, and none may pass through a
float. Its moments are naive and of UTC; here they have the zone. Its texts are translated, so an error is known by its
class alone, and an error may hold a whole model's definition, so its text is cut.
"""

import json
from base64 import b64decode
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from connectors.base import Json, JsonObject
from engine.core.errors import StocklineError

MAX_DETAIL = 300
"""Characters of an error's text that are kept."""


class TrytonRefused(StocklineError):
    """Tryton refused a call; `kind` is the class of its error, `detail` its text, in the user's language and cut."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"Tryton refused the call: {kind}: {detail}")
        self.kind, self.detail = kind, detail


class TrytonAsks(TrytonRefused):
    """Tryton asks whether it shall go on (`UserWarning`); `warning` is the name by which the question is answered."""

    def __init__(self, warning: str, detail: str) -> None:
        super().__init__("UserWarning", detail)
        self.warning = warning


class TrytonChanged(TrytonRefused):
    """The record has been changed since it was read (`ConcurrencyException`)."""


def decode(body: bytes) -> Json:
    """The value of a reply. Raises `ValueError` where it is no JSON."""
    return json.loads(body, object_hook=_decoded, parse_float=Decimal)


def encode(value: Json) -> bytes:
    """A request's body. A `Decimal` becomes Tryton's Numeric; what is a Float there is given as `int` or `float`."""
    return json.dumps(value, default=_encoded, separators=(",", ":")).encode()


def error_of(error: Json) -> TrytonRefused:
    """The error that the `error` of a reply stands for."""
    kind, *rest = error if isinstance(error, list) and error else [error]
    words = rest[0] if rest else ""
    if kind == "UserWarning" and isinstance(words, list) and words:
        return TrytonAsks(str(words[0]), _cut(words[1:]))
    if kind == "ConcurrencyException":
        return TrytonChanged(str(kind), _cut(words))
    return TrytonRefused(_cut(kind), _cut(words))


def moment(text: str) -> datetime:
    """A moment as `stamp` writes it."""
    return datetime.fromisoformat(text)


def stamp(at: datetime) -> str:
    """A moment of UTC to the microsecond, in a form that sorts as text."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")


def reference(text: str | None) -> tuple[str, int]:
    """The model and the id of a reference ("purchase.line,7"); an empty model and 0 for none."""
    model, _, number = (text or "").partition(",")
    return (model, int(number)) if number.isdigit() else (model, 0)


def _cut(words: Json) -> str:
    text = " - ".join(str(word) for word in words if isinstance(word, str)) if isinstance(words, list) else str(words)
    line = " ".join(text.split())
    return line if len(line) <= MAX_DETAIL else f"{line[: MAX_DETAIL - 3]}..."


def _decoded(value: JsonObject) -> Json:
    kind = value.get("__class__")
    if kind is None:
        return value
    if kind == "Decimal":
        return Decimal(value["decimal"])
    if kind == "timedelta":
        return timedelta(seconds=float(value["seconds"]))
    if kind in ("bytes", "bytearray"):
        return b64decode(value["base64"])
    parts = {name: part for name, part in value.items() if name != "__class__"}
    if kind == "date":
        return date(**parts)
    if kind == "datetime":
        return datetime(**parts, tzinfo=UTC)
    return value


def _encoded(value: object) -> Json:
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, datetime):
        at = value.astimezone(UTC)
        names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
        return {"__class__": "datetime", **{name: getattr(at, name) for name in names}}
    if isinstance(value, date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    if isinstance(value, timedelta):
        return {"__class__": "timedelta", "seconds": value.total_seconds()}
    raise TypeError(f"a {type(value).__name__} is no value of Tryton's JSON")

"""Events for tables: one short call each, of row A at X, timed in hours after midnight of 2 March 2026."""

from __future__ import annotations

from zlib import crc32

from tests.auditor.model import HOUR, Event, instant
from tests.auditor.teller import iso

ROW = ("A", "X")
T0 = instant("2026-03-02T00:00:00Z")


def event(kind: str, hour: float, **data: object) -> Event:
    """An event named by its kind, its hour and its data."""
    source, name = data.pop("source", "t"), data.pop("id", None)
    place = {"sku": "A"} if kind.startswith(("transfer.", "item.")) else {"sku": "A", "location": "X"}
    if kind in ("location.defined", "supplier.defined", "feed.declared"):
        place = {}
    data = place | {key.rstrip("_"): value for key, value in data.items()}
    return {
        "specversion": "1.0",
        "id": name or f"{kind}@{hour}:{crc32(repr(sorted(data.items())).encode())}",
        "source": source,
        "type": kind,
        "time": iso(T0 + int(hour * HOUR)),
        "data": data,
    }


def placed(hour: float = 0, qty: int = 100, line: int = 1, due: str = "2026-03-10", **data: object) -> Event:
    return event("order.placed", hour, order="P", line=line, supplier="S", qty=qty, due=due, **data)


def received(hour: float, qty: int, **data: object) -> Event:
    return event("goods.received", hour, receipt="R", qty=qty, **data)


def line_received(hour: float, qty: int, line: int = 1, **data: object) -> Event:
    return received(hour, qty, order="P", line=line, **data)


def acknowledged(hour: float, *schedule: tuple[object, ...], line: int = 1) -> Event:
    entries = [dict(zip(("status", "qty", "due"), entry, strict=False)) for entry in schedule]
    return event("order.acknowledged", hour, order="P", line=line, schedule=entries)


def shipped(hour: float, qty: int, line: int = 1, shipment: str = "N", eta: str = "2026-03-05") -> Event:
    return event("shipment.notified", hour, shipment=shipment, order="P", line=line, qty=qty, eta=eta)


def counted(hour: float, qty: int, **data: object) -> Event:
    return event("stock.counted", hour, qty=qty, **data)


def issued(hour: float, qty: int, **data: object) -> Event:
    return event("stock.issued", hour, qty=qty, **data)


def reserved(hour: float, qty: int, expires: float | None = None, **data: object) -> Event:
    until = {} if expires is None else {"expires": iso(T0 + int(expires * HOUR))}
    return event("stock.reserved", hour, reservation="V", qty=qty, **until, **data)


def released(hour: float, **data: object) -> Event:
    return event("reservation.released", hour, reservation="V", **data)


def sent(hour: float, qty: int, **data: object) -> Event:
    return event("transfer.shipped", hour, transfer="T", from_="X", to="Y", qty=qty, **data)


def arrived(hour: float, qty: int, **data: object) -> Event:
    return event("transfer.received", hour, transfer="T", to="Y", qty=qty, **data)


def defined(**units: int) -> Event:
    return event("item.defined", 0, base_unit="each", units=units)


def forecast(hour: float, version: str, *buckets: tuple[str, int, int], base: str | None = None) -> Event:
    entries = [dict(zip(("start", "days", "qty"), bucket, strict=True)) for bucket in buckets]
    mode = {"mode": "replace"} if base is None else {"mode": "delta", "base_version": base}
    return event("forecast.revised", hour, version=version, buckets=entries, **mode)

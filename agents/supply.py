"""Temporary."""

from typing import Any


def add(turn: Any, row: bytes, day: int | None, qty: int) -> None: ...
def transit(turn: Any, row: bytes, name: str, old: int, new: int) -> None: ...
def in_flight(turn: Any, row: bytes, stock: Any, qty: int) -> bool:
    return qty == stock.in_transit

"""The pages of lists, as they are answered."""

from datetime import datetime

from msgspec import Raw, Struct

from engine.columns.aggregates import Group


class Page(Struct):
    """One page of a list; `next` is the cursor of the page that follows, `total` counts all things that match."""

    items: list[Raw]
    next: str | None
    total: int | None


class FreshPage(Struct):
    """One page of a list from the read model in columns, with how fresh it is.

    `as_of` is the engine's clock at the newest commit in it, null before the first; `lag_seconds` is for how long that
    clock had gone on beyond it.
    """

    items: list[Raw]
    next: str | None
    total: int
    as_of: datetime | None
    lag_seconds: float


class Aggregates(Struct):
    """The first groups of an aggregation; `total` says how many there are, the others as in a page."""

    items: list[Group]
    total: int
    as_of: datetime | None
    lag_seconds: float

"""The port of a system that takes orders: it keeps drafts of purchases, whose lines bear the signal they came from.

    pusher                        OrderSystem
      find(signals)          ->   every line of these signals, and every draft line of ours
      create_draft(lines)    ->   a draft of one supplier and location
      add_lines(document, …) ->   more lines of the same supplier and location
      change_line, remove_line

No call answers with what it made: its answer may be lost, and another writer may be at work. The pusher asks `find`.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, NamedTuple, Protocol

from engine.core.errors import StocklineError

LineState = Literal["draft", "ordered", "gone"]

_KEY: Final = re.compile(r"\[stockline ([^\s\[\]]{1,128}) (\d{1,13}) (\d{4}-\d{2}-\d{2}|-)\]")


class PushRefused(StocklineError):
    """The other system understood and does not want it; the message holds its words. It is tried again, with back-off.

    What may pass without anybody's doing is `connectors.profiles.Unreachable`.
    """


class Key(NamedTuple):
    """What a line must bear in a text field that survives: the signal, and which quantity and day it was written for.

    Whether a line is up to date is told from here, not from its own quantity: a buyer may change a draft, and the next
    round must not undo it. Only an amended signal does.
    """

    signal: str
    qty: int
    due: date | None

    def __str__(self) -> str:
        return f"[stockline {self.signal} {self.qty} {self.due or '-'}]"

    @classmethod
    def found_in(cls, text: str) -> "Key | None":
        """The key within a text that a person may have added to; None where there is none."""
        if not (match := _KEY.search(text)):
            return None
        signal, qty, due = match.groups()
        try:
            return cls(signal, int(qty), None if due == "-" else date.fromisoformat(due))
        except ValueError:
            return None


@dataclass(frozen=True)
class WantedLine:
    """A line to write: our names, the quantity in base units. `key` is to be kept with it."""

    key: Key
    sku: str
    location: str
    supplier: str


@dataclass(frozen=True)
class OrderLine:
    """A line of the other system that bears a key of ours.

    `document` and `line` are its own ids there. `supplier` and `location` are our names, by which further lines join
    its document. `order` and `order_line` are the names by which the events of orders know it, once it is ordered;
    `qty` is its quantity in base units where that is known, and `ordered_at` a moment by which it was ordered. A line
    that was cancelled but is still there is `gone`.
    """

    key: Key
    document: str
    line: str
    state: LineState
    supplier: str
    location: str
    order: str | None = None
    order_line: str | None = None
    qty: int | None = None
    ordered_at: datetime | None = None

    @property
    def rank(self) -> tuple[object, ...]:
        """By which one of several lines of a signal is kept: ordered before draft before gone, then the lowest id."""
        return ("ordered", "draft", "gone").index(self.state), natural(self.document), natural(self.line)


def natural(identifier: str) -> tuple[int, str]:
    """Ranks identifiers so that 9 is lower than 10; the same for every writer."""
    return len(identifier), identifier


class OrderSystem(Protocol):
    """Where orders are placed. Every call raises `Unreachable` for what may pass; the writing ones `PushRefused` too.

    A call that raised `Unreachable` may have taken effect. Only drafts may be changed or removed: where a person has
    ordered one in the meantime, the other system must refuse.
    """

    @property
    def name(self) -> str:
        """The `system` of the events; it stays for ever."""
        ...

    async def find(self, signals: Collection[str]) -> Sequence[OrderLine]:
        """Every line of `signals`, whatever its state, and every draft line that bears a key of ours."""
        ...

    async def create_draft(self, lines: Sequence[WantedLine]) -> None:
        """Make a draft of `lines`, which are of one supplier and location: all of them, or none."""
        ...

    async def add_lines(self, document: str, lines: Sequence[WantedLine]) -> None:
        """Add `lines` to a draft: all of them, or none."""
        ...

    async def change_line(self, line: OrderLine, wanted: WantedLine) -> None:
        """Give a draft line the quantity, day and key of `wanted`."""
        ...

    async def remove_line(self, line: OrderLine) -> None:
        """Remove a draft line, and its document where that is left empty; one that is not there is removed already."""
        ...

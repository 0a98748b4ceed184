"""What is open: the signals and alerts that stand, each beside the master data of its row."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from msgspec import UNSET, Struct
from msgspec.msgpack import Decoder

from agents.alerts import alert_of
from agents.calendar import Calendar
from agents.reader import Context, RowReader
from agents.signal_life import signal_of
from engine.bus.single import StateReader
from engine.core.outputs import Alert, Signal
from engine.core.payloads import PolicySetData
from engine.core.rules import Rules
from engine.core.values import row_key
from tables import keys
from tables.alerts import ALERT, AlertRow
from tables.directory import ITEM, Item, item_key
from tables.feeds import Feeds
from tables.planning import PLAN
from tables.signals import SIGNAL, SignalRow
from tables.table import Key
from tables.workspace import Workspace, decode, home

READ_MEMORY_BYTES = 4 << 20


class Master(Struct, frozen=True):
    """The master data of a row that a decision about it needs; None for what nobody has stated."""

    description: str | None = None
    abc: str | None = None
    supplier: str | None = None
    unit_cost: Decimal | None = None
    currency: str | None = None
    moq: int | None = None


NO_MASTER = Master()


class OpenThing(Struct, frozen=True):
    """A signal that is open, or an alert that is not resolved, with the master data of its row."""

    data: Signal | Alert
    master: Master

    @property
    def row(self) -> str:
        """The name of its row; that of a feed has the feed where the sku is."""
        return row_key(self.data.sku, self.data.location)

    @property
    def snoozed_until(self) -> datetime | None:
        """Until when nobody need look at it; None where it is not snoozed."""
        return None if self.data.snoozed_until is UNSET else self.data.snoozed_until


class _Head(Struct, array_like=True):
    """The beginning of the rows of signals and of alerts, enough to leave out what is over."""

    id: str
    status: str


class _Policy(Struct, array_like=True):
    """The beginning of a plan: what comes after the policy is not decoded."""

    policy: PolicySetData | None = None


_head = Decoder(_Head).decode
_policy = Decoder(_Policy).decode


def open_things(state: StateReader, now: int) -> list[OpenThing]:
    """Every open signal and every alert that is not resolved.

    Args:
        state: the committed rows of an engine.
        now: the engine's clock in microseconds.
    """
    reader = RowReader(Context(Workspace(state, READ_MEMORY_BYTES), Rules(), Calendar(), Feeds(), 0), now)
    found: list[Signal | Alert] = [*_signals(reader, state), *_alerts(reader, state)]
    rows = list(dict.fromkeys((data.sku, data.location) for data in found))
    masters = dict(zip(rows, _masters(state, rows), strict=True))
    return [OpenThing(data, masters[data.sku, data.location]) for data in found]


def _signals(reader: RowReader, state: StateReader) -> Iterator[Signal]:
    for key, value in state.scan(*SIGNAL.range()):
        if _head(value).status == "open":
            row: SignalRow = decode(Key(key), value)
            yield signal_of(reader, key[1:], row)


def _alerts(reader: RowReader, state: StateReader) -> Iterator[Alert]:
    for key, value in state.scan(*ALERT.range()):
        if _head(value).status != "resolved":
            row: AlertRow = decode(Key(key), value)
            yield alert_of(reader, home(key)[1:], Key(key), row)


def _masters(state: StateReader, rows: list[tuple[str, str]]) -> Iterator[Master]:
    """The master data of rows, in their order."""
    skus = list(dict.fromkeys(sku for sku, _ in rows))
    items = dict(zip(skus, state.get_many([item_key(sku) for sku in skus]), strict=True))
    plans = state.get_many([PLAN + keys.row(*row) for row in rows])
    known = {sku: decode(Key[Item](ITEM), value) for sku, value in items.items() if value is not None}
    for (sku, _), plan in zip(rows, plans, strict=True):
        yield _master(known.get(sku), None if plan is None else _policy(plan).policy)


def _master(item: Item | None, policy: PolicySetData | None) -> Master:
    description, abc = (None, None) if item is None else (item.description, item.abc)
    if policy is None:
        return Master(description, abc)
    return Master(description, abc, policy.supplier, policy.unit_cost, policy.currency, policy.moq)

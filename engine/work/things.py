"""What is open: the signals and alerts that stand, each beside the master data of its row."""

import threading
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec import Struct
from msgspec.msgpack import Decoder
from msgspec.structs import replace

from agents.alerts import alert_of
from agents.calendar import Calendar
from agents.reader import Context, RowReader
from agents.signal_life import signal_of
from engine.bus.single import Commit, Kept, Output, StateReader
from engine.core.outputs import Alert, Signal
from engine.core.payloads import PolicySetData
from engine.core.rules import Rules
from engine.core.topics import ALERTS, SIGNALS, Topic
from engine.core.values import row_key
from engine.work.items import Master, OpenThing, open_thing
from tables.alerts import ALERT, AlertRow
from tables.directory import ITEM, SUPPLIER, Item, Supplier, item_key, supplier_key
from tables.feeds import Feeds
from tables.planning import PLAN
from tables.signals import SIGNAL, SignalRow
from tables.table import Key
from tables.workspace import Workspace, decode, home

READ_MEMORY_BYTES = 4 << 20
MOST_NOTED = 50_000
"""With more changes than this that nobody has asked for, everything is read again at the next question."""


class OpenThings:
    """The open signals and alerts of an engine, with their master data, kept up to date by what is committed.

    It reads all of them from the committed rows when it is asked first. From then on the thread that commits leaves the
    latest of what changed, and whoever asks takes it over: so the engine is not held up, and an answer holds everything
    that was committed before the question.
    """

    def __init__(self, bus: Kept) -> None:
        """Make an index of a bus, which is to tell it of every commit."""
        self._bus = bus
        self._reading, self._noting = threading.Lock(), threading.Lock()
        self._noted: _Noted | None = None
        """What has changed since the last question; None before the first."""
        self._open: dict[str, Signal | Alert] = {}
        self._masters: dict[str, Master] = {}
        """By row, of rows that have had something open."""
        self._things: dict[str, OpenThing] = {}
        """By id, as far as neither the thing nor the master data of its row has changed."""

    def committed(self, commits: Sequence[Commit]) -> None:
        """Note what was committed; the thread that commits calls it."""
        with self._noting:
            if self._noted is not None:
                self._noted.add(commits)
                if len(self._noted.outputs) > MOST_NOTED:
                    self._noted = None

    def deleted(self, topic: Topic, names: Sequence[str]) -> None:
        """Retention deletes only what has ended: nothing of it is here."""

    def discarded(self) -> None:
        """The bus begins empty, so that everything must be read again."""
        with self._noting:
            self._noted = None

    def all(self) -> list[OpenThing]:
        """Every open signal and every alert that is not resolved."""
        with self._reading:
            with self._noting:
                noted, self._noted = self._noted, _Noted()
            if noted is None:
                self._open = {data.id: data for data in _read(self._bus.state)}
                self._masters, self._things = {}, {}
            else:
                self._take(noted)
            self._complete()
            return list(self._things.values())

    def suppliers(self, names: Iterable[str]) -> dict[str, Supplier]:
        """What is known of suppliers by name, read from the first partition, as every partition has its own copy."""
        asked = list(names)
        found = self._bus.state.get_many([supplier_key(0, name) for name in asked])
        known = zip(asked, found, strict=True)
        return {name: decode(Key[Supplier](SUPPLIER), value) for name, value in known if value is not None}

    def _take(self, noted: "_Noted") -> None:
        for output in noted.outputs.values():
            decode_output = _signals.decode if output.topic == "signals" else _alerts.decode
            data: Signal | Alert = decode_output(output.value).data
            self._things.pop(data.id, None)
            if data.status in _STANDING[output.topic]:
                self._open[data.id] = data
            else:
                self._open.pop(data.id, None)
        stale = {row for row in self._masters if row in noted.plans or row.split("\0")[0] in noted.skus}
        for row in stale:
            del self._masters[row]
        if stale:
            self._things = {name: thing for name, thing in self._things.items() if thing.row not in stale}

    def _complete(self) -> None:
        """Read the master data of rows that have become known, and make the things that are not made yet."""
        fresh = {name: data for name, data in self._open.items() if name not in self._things}
        rows = dict.fromkeys(row_key(data.sku, data.location) for data in fresh.values())
        new = [row for row in rows if row not in self._masters]
        self._masters.update(zip(new, _masters_of(self._bus.state, new), strict=True))
        for name, data in fresh.items():
            self._things[name] = open_thing(data, self._masters[row_key(data.sku, data.location)])


class _Noted:
    """The latest output of each signal and alert that has changed, and the rows and skus whose master data did."""

    def __init__(self) -> None:
        self.outputs: dict[str, Output] = {}
        self.plans: set[str] = set()
        self.skus: set[str] = set()

    def add(self, commits: Sequence[Commit]) -> None:
        plan, item = PLAN[0], ITEM[0]
        for commit in commits:
            for output in commit.outputs:
                if output.topic in _STANDING:
                    self.outputs[output.id] = output
            for key, _ in commit.changes:
                if key[0] == plan:
                    self.plans.add(key[1:].decode())
                elif key[0] == item:
                    self.skus.add(key[1:].decode())


_STANDING = {SIGNALS.name: ("open",), ALERTS.name: ("open", "acknowledged")}
"""In these statuses a signal or an alert is open."""


class _PublishedSignal(Struct):
    data: Signal


class _PublishedAlert(Struct):
    data: Alert


_signals, _alerts = msgspec.json.Decoder(_PublishedSignal), msgspec.json.Decoder(_PublishedAlert)


# committed rows -------------------------------------------------------------------------------------------------------


class _Head(Struct, array_like=True):
    """The beginning of the rows of signals and of alerts, enough to leave out what is over."""

    id: str
    status: str


class _Policy(Struct, array_like=True):
    """The beginning of a plan: what comes after the policy is not decoded."""

    policy: PolicySetData | None = None


_head = Decoder(_Head).decode
_policy = Decoder(_Policy).decode


def _read(state: StateReader) -> Iterator[Signal | Alert]:
    """Everything that is open, from the committed rows: what was published long ago may be deleted on Kafka."""
    reader = RowReader(Context(Workspace(state, READ_MEMORY_BYTES), Rules(), Calendar(), Feeds(), 0), 0)
    for key, value in state.scan(*SIGNAL.range()):
        if _head(value).status in _STANDING["signals"]:
            signal: SignalRow = decode(Key(key), value)
            yield signal_of(reader, key[1:], signal)
    for key, value in state.scan(*ALERT.range()):
        if _head(value).status in _STANDING["alerts"]:
            alert: AlertRow = decode(Key(key), value)
            yield alert_of(reader, home(key)[1:], Key(key), alert)


def _masters_of(state: StateReader, rows: Sequence[str]) -> Iterator[Master]:
    """The master data of rows, in their order."""
    skus = list(dict.fromkeys(row.split("\0")[0] for row in rows))
    items = dict(zip(skus, state.get_many([item_key(sku) for sku in skus]), strict=True))
    plans = state.get_many([PLAN + row.encode() for row in rows])
    known = {sku: decode(Key[Item](ITEM), value) for sku, value in items.items() if value is not None}
    for row, plan in zip(rows, plans, strict=True):
        yield _master(known.get(row.split("\0")[0]), None if plan is None else _policy(plan).policy)


def _master(item: Item | None, policy: PolicySetData | None) -> Master:
    known = Master()
    if item is not None:
        known = Master(item.description, item.abc, base_unit=item.base_unit, units=item.units)
    if policy is None:
        return known
    return replace(
        known,
        supplier=policy.supplier,
        unit_cost=policy.unit_cost,
        currency=policy.currency,
        moq=policy.moq,
        unit_margin=policy.unit_margin,
    )

"""What is published, written into the columns."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date as Day
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
import numpy as np

from agents.alert_units import units_of
from agents.signal_life import STANDING
from engine.columns.column import Slots, Stored
from engine.columns.feed import Noted
from engine.columns.fields import Decode, decoder, getter
from engine.columns.kinds import Scalar
from engine.columns.planning import Planning
from engine.columns.rows import RowWriter
from engine.columns.table import ColumnTable
from engine.columns.tables import LEFT_OUT, ROW, Tables
from engine.core.topics import OUTPUT_TOPICS, POSITIONS, Topic
from engine.core.values import NUL, row_key

log = logging.getLogger(__name__)

SHOWN_OF_SIGNAL = {
    "signal_id": "id",
    "signal_status": "status",
    "signal_disposition": "disposition",
    "signal_qty": "qty",
    "signal_due": "due",
}
"""Column of a position -> field of its standing signal."""

SHOWN_OF_ANSWER = {"status": "status", "answered": "answered", "by": "by", "note": "note", "replayed_as": "event"}
"""Column of a dead letter -> field of the answer to it."""

NAMING: Mapping[Topic, tuple[str, ...]] = {"positions": ("sku", "location")}
"""Fields whose values are the parts of a thing's name, so that they are written when it is listed, and not read from
what is published: nearly every event changes a position."""


class Written(NamedTuple):
    """The slots of things that were written, and their fields; the types of fields are made at run time."""

    slots: list[int]
    fields: list[Any]


class _OfRow(NamedTuple):
    """A signal or an alert that was written: the slot of its row, its own slot, and its fields."""

    row: int
    slot: int
    fields: Any


class _TopicWriter:
    """Writes the outputs of a topic into its table."""

    def __init__(self, topic: Topic, table: ColumnTable) -> None:
        names = {field.name for field in msgspec.structs.fields(OUTPUT_TOPICS[topic].data)}.difference(LEFT_OUT)
        own = {name: column for name, column in table.stored.items() if name.split(".")[0] in names}
        self._table = table
        self._naming = [own.pop(name) for name in NAMING.get(topic, ())]
        fields: dict[str, Scalar] = {name: column.kind.scalar for name, column in own.items()}
        plain = {name: column for name, column in own.items() if "." not in name}
        self._plain, self._values = list(plain.values()), attrgetter(*plain)
        self._inner = [(column, getter(name)) for name, column in own.items() if name not in plain]
        self._decode: Decode = decoder(fields, ("evidence",) if topic == "alerts" else ())

    def write(self, outputs: Mapping[str, bytes | None]) -> Written:
        """Write the latest output of some things; those without one are listed no more."""
        if not outputs:
            return Written([], [])
        self._table.unlist([name for name, value in outputs.items() if value is None])
        names, fields = self._read({name: value for name, value in outputs.items() if value is not None})
        slots = self._table.slots(names)
        # An index that is an array need not be made into one for each column.
        at = np.array(slots, np.int32)
        self._write_names(names, at)
        # One call reads all fields of a thing.
        for column, values in zip(self._plain, zip(*map(self._values, fields), strict=True), strict=bool(fields)):
            column.write(at, values)
        for column, get in self._inner:
            column.write(at, list(map(get, fields)))
        self._table.enlist(at)
        return Written(slots, fields)

    def _write_names(self, names: Sequence[str], at: Slots) -> None:
        """Write the parts of the names of things that are not listed yet."""
        if not self._naming:
            return
        new = self._table.unlisted(at)
        parts = zip(*[names[index].partition(NUL)[::2] for index in new.tolist()], strict=True)
        for column, values in zip(self._naming, parts, strict=bool(len(new))):
            column.write(at[new], values)

    def _read(self, outputs: Mapping[str, bytes]) -> tuple[list[str], list[Any]]:
        """The names of things and their fields; what nobody can read is left out."""
        decode = self._decode
        try:
            return list(outputs), [decode(value).data for value in outputs.values()]
        except msgspec.DecodeError:
            found = {name: output for name, value in outputs.items() if (output := self._readable(name, value))}
            return list(found), [output.data for output in found.values()]

    def _readable(self, name: str, value: bytes) -> Any:
        """The fields of an output; None where another program has written something else."""
        try:
            return self._decode(value)
        except msgspec.DecodeError as error:
            log.warning("%r is published as no version of Stockline does, and is not listed: %s", name, error)
            return None


def _stockout_date(evidence: Mapping[str, Any]) -> Day | None:
    try:
        return Day.fromisoformat(evidence["date"])
    except (KeyError, TypeError, ValueError):
        return None


class Writers:
    """Writes what was noted into all tables, and into positions what they show of signals and alerts.

    Attributes:
        rows: writes the rows of state.
    """

    def __init__(self, tables: Tables, planning: Planning) -> None:
        self._by_name = tables.by_name
        self._positions = tables.positions
        self._alerts = tables.by_name["alerts"]
        self._letters = tables.by_name["dead-letters"]
        self._by_topic = {topic: _TopicWriter(topic, tables.by_name[topic]) for topic in OUTPUT_TOPICS}
        self.rows = RowWriter(tables, planning)

    def write(self, noted: Noted) -> None:
        """Write the latest of all that has changed."""
        self.rows.write(noted.changes)
        for topic, writer in self._by_topic.items():
            outputs = noted.outputs[topic]
            # A change of a position was counted when it was noted.
            self._by_name[topic].version += bool(outputs) and topic != POSITIONS.name
            if topic == "alerts":
                before = self._open_alerts(list(outputs))
                self._show_alerts(self._joined(topic, writer.write(outputs)), before)
            elif topic == "signals":
                self._show_signals(self._joined(topic, writer.write(outputs)))
            elif topic == "dead-letter-answers":
                self._show_answers(writer.write(outputs))
            else:
                writer.write(outputs)

    def _show_answers(self, written: Written) -> None:
        """Let dead letters show what somebody did about them, also those that are read after their answers."""
        for answer in written.fields:
            [at] = self._letters.slots([answer.id])
            self._letters.version += 1
            for name, field in SHOWN_OF_ANSWER.items():
                self._letters.stored[name].write_one(at, getattr(answer, field))

    def _open_alerts(self, names: list[str]) -> set[int]:
        """The slots of those alerts that counted as open so far."""
        status = self._alerts.stored["status"]
        slots = [slot for slot in self._alerts.found(names) if slot is not None]
        return {slot for slot in slots if status.read_one(slot) != "resolved"}

    def _joined(self, topic: Topic, written: Written) -> list[_OfRow]:
        """Let signals or alerts lead to their rows, from which they show something."""
        if not written.slots:
            return []
        rows = self._positions.slots([row_key(thing.sku, thing.location) for thing in written.fields])
        self._by_name[topic].stored[ROW].write(written.slots, rows)
        self._positions.version += 1
        return list(map(_OfRow, rows, written.slots, written.fields))

    def _show_alerts(self, written: list[_OfRow], before: set[int]) -> None:
        """Let positions count their open alerts, and show when they are projected to be out of stock."""
        columns, units = self._positions.stored, self._alerts.stored["qty"]
        for at, slot, alert in written:
            is_open = alert.status != "resolved"
            units.write_one(slot, units_of(alert.kind, alert.evidence))
            columns["open_alerts"].add(at, is_open - (slot in before))
            if alert.kind == "projected_stockout":
                columns["stockout_date"].write_one(at, _stockout_date(alert.evidence) if is_open else None)

    def _show_signals(self, written: list[_OfRow]) -> None:
        """Let positions show the signal that stands."""
        columns = self._positions.stored
        shown: list[tuple[Stored, Callable[[Any], object]]] = [
            (columns[name], getter(field)) for name, field in SHOWN_OF_SIGNAL.items()
        ]
        for at, _, signal in written:
            stands = signal.status in STANDING
            if stands or columns["signal_id"].read_one(at) == signal.id:
                for column, get in shown:
                    column.write_one(at, get(signal) if stands else None)

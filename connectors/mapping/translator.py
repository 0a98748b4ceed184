"""A record to one event, by the first rule that fits."""

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import pairwise

from connectors.mapping.language import Cell, Condition, Reading, Rule, Value, template_fields
from connectors.mapping.values import ONE, Scalar, Unreadable, ValueReader
from connectors.ports import Identifiers
from engine.core.errors import UsageError

Record = Mapping[str, str]
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
Field = Scalar | list["Field"] | dict[str, "Field"]


class Translator:
    """Turns a record into one event as a JSON line, or into the reason why a rule skips it. Raises `Unreadable`."""

    def __init__(self, reading: Reading, identifiers: Identifiers | None = None) -> None:
        """`identifiers` are the partner's names. Raises `UsageError` if the profile reads such and none are given."""
        if identifiers is None and reading.uses_identifiers():
            raise UsageError(f"the profile reads names of {reading.partner}, and no identifiers say what they mean")
        self._reading = reading
        self._identifiers = identifiers
        self._empty = frozenset(("", *reading.empty))
        self._values = ValueReader(reading)
        self._cases = [(rule, _tests(rule, self._values.number)) for rule in reading.rules]
        self._units = {
            word: unit if isinstance(unit, str) else Decimal(str(unit)) for word, unit in reading.units.items()
        }
        self._id_fields = template_fields(reading.id)
        self._constant = self._constant_time()

    def __call__(self, record: Record, number: int) -> bytes | str:
        """Translate one record; `number` is its line in a file or its offset in a topic."""
        rule = self._rule(record)
        if rule.type is None:
            return rule.skip or "skipped"
        event = {
            "specversion": "1.0",
            "id": self._id(record, number),
            "source": self._reading.source,
            "type": rule.type,
            "time": self._constant or self._time(record),
            "data": self._data(rule, record),
        }
        return _encode(event).encode()

    def _constant_time(self) -> str | None:
        """The time of every record, where the profile has one. Raises `UsageError` for one that its zone leaves out."""
        constant = self._reading.time.constant
        try:
            return None if constant is None else self._values.moment(constant, ())
        except Unreadable as error:
            raise UsageError(f"time.constant: {error}") from None

    def _time(self, record: Record) -> str:
        time = self._reading.time
        return self._values.moment(" ".join(record[name].strip() for name in time.columns).strip(), time.formats)

    def _rule(self, record: Record) -> Rule:
        for rule, tests in self._cases:
            if all(test(record[column].strip()) for column, test in tests):
                return rule
        raise Unreadable("no rule fits")

    def _id(self, record: Record, number: int) -> str:
        event_id = self._reading.id
        for name in self._id_fields:
            event_id = event_id.replace("{" + name + "}", self._id_part(name, record, number))
        return event_id

    def _id_part(self, name: str, record: Record, number: int) -> str:
        if name == "row":
            return str(number)
        return self._constant if self._constant is not None and name == "time" else record[name].strip()

    def _data(self, rule: Rule, record: Record) -> dict[str, Field]:
        data: dict[str, Field] = {}
        for path, value in rule.data.items():
            unit = self._unit(path, value, record)
            found = self._value(path, value, record, unit if isinstance(unit, Decimal) else ONE)
            if found is not None:
                _put(data, path, found)
            if isinstance(unit, str) and data.setdefault("uom", unit) != unit:
                raise Unreadable(f"{path}: two units in one row")
        return data

    def _value(self, path: str, value: Value, record: Record, factor: Decimal) -> Scalar | None:
        """The value of a field; None for an optional one whose column is empty."""
        if not isinstance(value, Cell):
            return value
        text = record[value.column].strip()
        if text in self._empty:
            if value.optional:
                return None
            raise Unreadable(f"{path}: the column {value.column} is empty")
        if value.map is not None:
            if text not in value.map:
                raise Unreadable(f"{path}: {text!r} in the column {value.column} is not mapped")
            return value.map[text]
        if value.identifier is not None and self._identifiers is not None:
            return self._identifiers.ours(value.identifier, self._reading.partner or "", text)
        try:
            return self._values.read(value, text.upper() if value.upper else text, factor)
        except Unreadable as error:
            raise Unreadable(f"{path}: {error}") from None

    def _unit(self, path: str, value: Value, record: Record) -> str | Decimal | None:
        """The item's unit that a quantity is given in, or the number that it is multiplied by; empty is none."""
        if not isinstance(value, Cell) or value.unit_column is None:
            return None
        word = record[value.unit_column].strip()
        if word in self._empty:
            return None
        unit = self._units.get(word)
        if unit is None:
            raise Unreadable(f"{path}: the unit {word!r} is not declared")
        return unit


def _tests(rule: Rule, number: Callable[[str], Decimal]) -> list[tuple[str, Callable[[str], bool]]]:
    return [(column, _test(condition, number)) for column, condition in rule.when.items()]


def _test(condition: Condition, number: Callable[[str], Decimal]) -> Callable[[str], bool]:
    pattern = None if condition.matches is None else re.compile(condition.matches)

    def holds(text: str) -> bool:
        if condition.empty is not None and (text == "") != condition.empty:
            return False
        if condition.equals is not None and text != condition.equals:
            return False
        if condition.one_of is not None and text not in condition.one_of:
            return False
        if pattern is not None and not pattern.search(text):
            return False
        if condition.below is not None and not number(text) < Decimal(str(condition.below)):
            return False
        return condition.above is None or number(text) > Decimal(str(condition.above))

    return holds


def _put(data: dict[str, Field], path: str, value: Scalar) -> None:
    """Set `a.b` as a field of an object, and `a.0.b` as a field of an object in a list."""
    names = path.split(".")
    parent: Field = data
    for name, following in pairwise(names):
        parent = _child(parent, name, [] if following.isdigit() else {}, path)
    _child(parent, names[-1], value, path)


def _child(parent: Field, name: str, fresh: Field, path: str) -> Field:
    """The part of `parent` that is called `name`; `fresh` is put there if it has none."""
    if isinstance(parent, dict):
        return parent.setdefault(name, fresh)
    if not isinstance(parent, list):
        raise Unreadable(f"{path}: a rule sets the same field to a value and to an object")
    if int(name) == len(parent):
        parent.append(fresh)
    return parent[int(name)]

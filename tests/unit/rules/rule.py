"""One case: what is given, one event, and what follows. What a case does not name must not happen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from agents.turn import Effect
from engine.core.outcomes import Reason, Rejection
from engine.core.outputs import Alert, Signal
from engine.core.rules import Rules
from tables.catalogue import BY_TAG
from tables.directory import FEED, ITEM, LOCATION, SUPPLIER
from tables.drift import REPORTED
from tables.planning import PLAN
from tables.purchasing import LINE, PIECE, SHIPMENT
from tables.stock import RESERVATION, STOCK, TRANSFER, Stock
from tables.table import Key
from tables.workspace import decode
from tests.unit.rules import sound
from tests.unit.rules.given import Row, stock
from tests.unit.rules.world import RULES, Happening, Outcome, World

BALANCES = ("available", "held", "reserved", "on_order", "in_transit")
DOCUMENTS = {
    table[0] for table in (RESERVATION, TRANSFER, LINE, PIECE, SHIPMENT, PLAN, REPORTED, ITEM, LOCATION, SUPPLIER, FEED)
}
"""Tables of which a case names each row that changes. Signals and alerts are named by what is published of them; the
other tables are sums and indexes of these, and `sound` compares them."""


ABSENT = ("snoozed_until", "snoozed_by", "owner")
"""Fields that are not published where they have no value; a rule calls that None."""
OF_TERMS = {"terms": "value", "units": "unit", "sources": "source"}


class Said(NamedTuple):
    """A signal or an alert that is published: the type of its event, and the fields that matter."""

    kind: str
    fields: dict[str, Any]


def signal(what: str, /, **fields: Any) -> Said:
    """`signal.<what>` is published; `terms` names figures of its explanation."""
    return Said(f"signal.{what}", fields)


def alert(what: str, kind: str, /, **fields: Any) -> Said:
    """`alert.<what>` of a kind is published; fields that the alert has not are those of its evidence."""
    return Said(f"alert.{what}", {"kind": kind, **fields})


class Gone(NamedTuple):
    """A row that is deleted."""

    key: bytes


def gone(row: Row) -> Gone:
    return Gone(row.key)


Given = Row | Happening
Expected = Row | Said | Gone


class Then(NamedTuple):
    """What follows: rows and outputs, or the reason of a rejection."""

    expected: tuple[Expected, ...]
    reason: Reason | None


def given(*facts: Given) -> tuple[Given, ...]:
    """What the partition holds: rows, and events that came before. A stock row of zeros stands for none at all."""
    if any(isinstance(fact, Row) and fact.kind is Stock for fact in facts):
        return facts
    return (stock(), *facts)


def then(*expected: Expected) -> Then:
    return Then(expected, None)


def rejected(reason: Reason) -> Then:
    return Then((), reason)


class Rule(NamedTuple):
    """A rule of the trade, whose name is a sentence, as an example that can be checked."""

    name: str
    given: tuple[Given, ...]
    event: Happening
    then: Then
    rules: Rules = RULES

    def world(self) -> World:
        """The partition as it is before the event."""
        world = World(self.rules)
        for fact in self.given:
            if isinstance(fact, Row):
                world.put(fact.key, fact.whole)
                for key, row in fact.beside:
                    world.put(key, row)
            else:
                outcome = world.fold(fact)
                assert outcome.rejection is None, f"what is given is rejected: {fact} {outcome.rejection}"
        return world

    def check(self) -> None:
        """Raise AssertionError unless the event does what the rule says, and nothing else."""
        world = self.world()
        outcome = world.fold(self.event)
        reason = None if outcome.rejection is None else outcome.rejection.reason
        assert reason == self.then.reason, f"{outcome.rejection}"
        if isinstance(outcome.rejection, Rejection):
            assert outcome.rejection.detail
            return
        sound.check(world)
        _compare_effects(outcome.effects, [said for said in self.then.expected if isinstance(said, Said)])
        _compare_rows(outcome, self.then.expected)


class Figure(NamedTuple):
    """A rule that is a formula: a call, and what it gives."""

    name: str
    call: Callable[[], object]
    expected: object

    def check(self) -> None:
        found = self.call()
        assert found == self.expected, f"{found!r} is not {self.expected!r}"


def _compare_effects(effects: list[Effect], expected: list[Said]) -> None:
    found = [(kind, shown.kind if isinstance(shown, Alert) else "") for kind, _, shown in effects]
    named = [(said.kind, said.fields.get("kind", "")) for said in expected]
    assert found == named, f"{found} is published, not {named}"
    for (_, revision, shown), said in zip(effects, expected, strict=True):
        for name, value in said.fields.items():
            was = revision if name == "revision" else field_of(shown, name)
            assert was == value, f"{said.kind} {said.fields.get('kind', '')}: {name} is {was!r}, not {value!r}"


def field_of(shown: Signal | Alert, name: str) -> object:
    """A field of what is published, or of its evidence or explanation.

    `terms` are the values of the explanation's figures by their names, `units` and `sources` what else is said of them;
    `drafted` is the draft of a signal as a tuple, or None.
    """
    if name == "drafted" and isinstance(shown, Signal):
        return msgspec.structs.astuple(shown.draft) if shown.draft else None
    if name in type(shown).__struct_fields__:
        return getattr(shown, name) or None if name in ABSENT else getattr(shown, name)
    said = shown.evidence if isinstance(shown, Alert) else shown.explanation
    if name in OF_TERMS:
        return {term["term"]: term[OF_TERMS[name]] for term in said["terms"]}
    return said.get(name)


def _compare_rows(outcome: Outcome, expected: tuple[Expected, ...]) -> None:
    rows = {row.key: row for row in expected if isinstance(row, Row)}
    ended = {row.key for row in expected if isinstance(row, Gone)}
    assert not ended & outcome.after.keys(), "a row is still there"
    for key, row in rows.items():
        assert key in outcome.after, f"{BY_TAG[key[0]]!r} has no row {key!r}"
        found: object = decode(Key(key), outcome.after[key])
        was = {name: getattr(found, name) for name in row.named}
        assert was == row.named, f"{BY_TAG[key[0]]!r}: {was} is not {row.named}"
    for key in {**outcome.before, **outcome.after}:
        before, after = outcome.before.get(key), outcome.after.get(key)
        if before != after and key not in ended:
            assert key in rows or key[0] not in DOCUMENTS, f"{BY_TAG[key[0]]!r}: {key!r} has changed"
            if key[0] == STOCK[0] and after is not None:
                _compare_balances(key, before, after, rows.get(key))


def _compare_balances(key: bytes, before: bytes | None, after: bytes, named: Row | None) -> None:
    """The balances of a stock row that a case does not name must stay as they are."""
    old: Stock = Stock() if before is None else decode(Key(key), before)
    new: Stock = decode(Key(key), after)
    others = [name for name in BALANCES if named is None or name not in named.named]
    changed = {name: getattr(new, name) for name in others if getattr(new, name) != getattr(old, name)}
    assert not changed, f"{key!r}: {changed} has changed as well"


AnyRule = Rule | Figure

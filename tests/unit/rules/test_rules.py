"""Each rule of the trade, called purely; and that the rules leave nothing out that the engine claims."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from types import FrameType
from typing import Any, get_args

import pytest

from agents import alerts, signal_life
from agents.pipeline import HANDLING, OTHERS
from engine.core.events import EVENT_TYPES
from engine.core.outcomes import Reason
from engine.core.outputs import AlertKind
from tests.unit.documents import FUNCTION, ROOT, text_of
from tests.unit.rules import alerts as alert_rules
from tests.unit.rules import signals as signal_rules
from tests.unit.rules.rule import AnyRule, Figure, Rule, Said
from tests.unit.rules.tables import RULES

CASES = [rule for rule in RULES if isinstance(rule, Rule)]
OF_THE_FOLD = {
    "conflict", "time_in_future", "reserved_type", "untranslatable", "unmapped_identifier", "undelivered",
    "wrong_key", "wrong_partition", "internal_error", "row_too_large",
}  # fmt: skip
"""Reasons that the fold, the bus or a connector gives; the agents and the decoding of an event give the others."""


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rule(rule: AnyRule) -> None:
    rule.check()


def test_the_names_of_the_rules_of_a_table_are_their_own() -> None:
    names = [rule.name for rule in RULES]
    assert len(names) == len(set(names))


def test_a_rule_that_does_not_hold_is_found() -> None:
    rule = CASES[0]
    with pytest.raises(AssertionError):
        rule._replace(then=rule.then._replace(expected=())).check()
    with pytest.raises(AssertionError):
        rule._replace(then=rule.then._replace(reason="unknown_unit")).check()


def said() -> Iterator[Said]:
    for rule in CASES:
        yield from (one for one in rule.then.expected if isinstance(one, Said))


def test_every_event_type_has_a_rule() -> None:
    assert {rule.event.kind for rule in CASES} == set(EVENT_TYPES)
    assert set(EVENT_TYPES.values()) == {*HANDLING, *OTHERS}


def test_every_kind_of_alert_opens_in_a_rule_and_resolves_in_another() -> None:
    for what in ("alert.opened", "alert.resolved"):
        assert {one.fields["kind"] for one in said() if one.kind == what} >= set(get_args(AlertKind))


def test_every_reason_of_a_rejection_has_a_rule() -> None:
    found: set[object] = {rule.then.reason for rule in CASES} | {
        rule.expected for rule in RULES if isinstance(rule, Figure) and isinstance(rule.expected, str)
    }
    assert set(get_args(Reason)) - OF_THE_FOLD <= found


def test_every_reason_for_a_review_has_a_rule() -> None:
    reasons = {reason.split(":")[0] for one in said() for reason in one.fields.get("reasons", ())}
    assert reasons == {
        "no_auto_limits", "quantity_over_limit", "unit_cost_unknown", "value_over_limit", "stock_unknown",
        "forecast_incomplete", "stale_feed", "negative_stock",
    }  # fmt: skip


def test_the_life_of_a_signal_is_that_of_the_rules() -> None:
    told = {(status, signal_rules.CAUSES[cause]): new for (status, cause), new in signal_rules.NEXT.items()}
    assert told == signal_life.LIFE


def test_the_life_of_an_alert_is_that_of_the_rules() -> None:
    assert alert_rules.NEXT == alerts.LIFE


@cache
def called() -> frozenset[tuple[str, str]]:
    """The (file, qualified name) of every function of the project that a rule calls."""
    codes: set[Any] = set()

    def note(frame: FrameType, happening: str, _: object) -> None:
        if happening == "call":
            codes.add(frame.f_code)

    sys.setprofile(note)
    try:
        for rule in RULES:
            rule.check()
    finally:
        sys.setprofile(None)
    return frozenset((code.co_filename, code.co_qualname) for code in codes)


@pytest.mark.parametrize(("file", "name"), sorted(set(FUNCTION.findall(text_of("domain.md")))))
def test_every_function_of_the_document_is_called_by_a_rule(file: str, name: str) -> None:
    path = str(ROOT / file)
    assert any(where == path and (what == name or what.startswith(f"{name}.")) for where, what in called())

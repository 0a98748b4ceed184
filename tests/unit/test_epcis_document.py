"""docs/connectors/epcis.md holds the table of rules, the dispositions and a profile's keys as the code has them."""

import re

from connectors.epcis.reading import EpcisReading
from connectors.epcis.rules import DAMAGED, HELD, RULES, Rule
from tests.unit.documents import rows, section, text_of

TEXT = text_of("connectors/epcis.md")


def words(found: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in found) or "any"


def line_of(rule: Rule) -> list[str]:
    sides = [f"{side} ours" for side, needed in (("from", rule.origin), ("to", rule.destination)) if needed]
    becomes = f"none: {rule.skip}" if rule.type is None else f"`{rule.type}`"
    becomes = f"the opposite of {becomes}" if rule.undo else becomes
    becomes += ", below 0" if rule.sign == -1 else ""
    kinds = words(tuple(kind.removesuffix("Event") for kind in rule.event))
    places = " ".join(sides) or "any"
    return [kinds, words(rule.action), words(rule.step), words(rule.disposition), places, becomes]


def lines_of_the_table() -> list[list[str]]:
    return [line_of(rule) for rule in RULES]


def test_the_table_of_the_document_is_that_of_the_code() -> None:
    assert rows(section(TEXT, "What becomes what")) == lines_of_the_table()


def test_the_dispositions_of_the_document_are_those_of_the_code() -> None:
    told = section(TEXT, "Dispositions")
    held, damaged = (set(re.findall(r"`([a-z_]+)`", line)) for line in told.splitlines() if line.startswith("- "))
    assert held == HELD
    assert damaged == DAMAGED


def test_every_key_of_a_profile_is_told() -> None:
    told = [key for cell, *_ in rows(section(TEXT, "The profile")) for key in re.findall(r"`(\w+)`", cell)]
    assert told == list(EpcisReading.model_fields)

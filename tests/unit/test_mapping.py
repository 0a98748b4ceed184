"""The mapping language apart from any transport: nested fields, units, and the digest that state files hold."""

import json
from typing import Any

import pytest

from connectors.files.profile import Profile
from connectors.mapping.language import Reading
from connectors.mapping.translator import Translator
from connectors.mapping.values import Unreadable
from connectors.ports import Unmapped
from connectors.profiles import IdentifierKind
from engine.core.errors import UsageError


def test_the_digest_of_a_profile_stays() -> None:
    """State files hold it: with another digest, a file that was sent is sent again from its beginning."""
    mapping = {"source": "wms/leeds", "id": "{document}-{position}", "units": {"KT": "case", "DZ": 12}}
    layout = {"name": "leeds", "delimiter": ";", "encoding": "cp1252", "time_zone": "Europe/London"}
    time = {"columns": ["date"], "formats": ["%d/%m/%Y"]}
    qty = {"column": "qty", "as": "integer", "sign": "absolute", "unit_column": "unit"}
    data = {"sku": {"column": "article", "upper": True}, "location": "LDS", "qty": qty}
    rule = {"when": {"kind": "OUT", "qty": {"below": 0.5}}, "type": "stock.issued", "data": data}
    profile = Profile.model_validate({**mapping, **layout, "time": time, "rules": [rule]})
    assert profile.digest() == "d42e5afdfd947e0c"


def test_a_quantity_within_an_object_is_multiplied_by_its_unit() -> None:
    rule = {"type": "x", "data": {"lines.0.qty": {"column": "qty", "as": "integer", "unit_column": "unit"}}}
    reading = Reading.model_validate(
        {"source": "s", "id": "{row}", "time": {"columns": ["at"]}, "units": {"DZ": 12}, "rules": [rule]}
    )
    event = Translator(reading)({"qty": "3", "unit": "DZ", "at": "2026-03-02"}, 1)
    assert isinstance(event, bytes)
    assert json.loads(event)["data"] == {"lines": [{"qty": 36}]}


def test_a_field_that_is_a_value_and_an_object_costs_only_its_row() -> None:
    rule = {"type": "x", "data": {"qty": 1, "qty.of": 2}}
    reading = Reading.model_validate({"source": "s", "id": "{row}", "time": {"columns": ["at"]}, "rules": [rule]})
    with pytest.raises(Unreadable, match=r"qty\.of: a rule sets the same field to a value and to an object"):
        Translator(reading)({"at": "2026-03-02"}, 1)


def quantity(text: str, unit: str = "", **change: Any) -> object:
    """The quantity that a record's text and unit become."""
    rule = {"type": "x", "data": {"qty": {"column": "qty", "as": "integer", "unit_column": "unit"}}}
    units = {"KG": 1000, "LB": 453.5, "CS": "case"}
    base = {"source": "s", "id": "{row}", "time": {"columns": ["at"]}, "units": units, "rules": [rule]}
    event = Translator(Reading.model_validate(base | change))({"qty": text, "unit": unit, "at": "2026-03-02"}, 1)
    assert isinstance(event, bytes)
    return json.loads(event)["data"]["qty"]


GERMAN = {"decimal": ",", "thousands": "."}
SWEDISH = {"decimal": ",", "thousands": " "}


@pytest.mark.parametrize(
    ("text", "unit", "change", "expected"),
    [
        ("5,5", "KG", GERMAN, 5500),
        ("0,001", "KG", GERMAN, 1),
        ("1.234,567", "KG", GERMAN, 1_234_567),
        ("2", "LB", {}, 907),
        ("12-", "", {}, -12),
        ("12 -", "", {}, -12),
        ("1,5-", "KG", GERMAN, -1500),
        ("\N{MINUS SIGN}12", "", {}, -12),
        ("(12)", "", {"parentheses": True}, -12),
        ("1 234", "", SWEDISH, 1234),
        ("1\N{NO-BREAK SPACE}234", "", SWEDISH, 1234),
        ("-1\N{NARROW NO-BREAK SPACE}234", "", SWEDISH, -1234),
        ("1,00,000", "", {"thousands": ","}, 100_000),
        ("7", "-", {"empty": ["-"]}, 7),
        ("7", "  ", {"empty": ["-"]}, 7),
    ],
)
def test_a_quantity_as_people_write_it(text: str, unit: str, change: dict[str, Any], expected: int) -> None:
    assert quantity(text, unit, **change) == expected


@pytest.mark.parametrize(
    ("text", "unit", "change", "reason"),
    [
        ("5,5555", "KG", GERMAN, "'5,5555' times 1000 is 5555.5, which is not a whole number"),
        ("1", "LB", {}, "'1' times 453.5 is 453.5, which is not a whole number"),
        ("2,5", "CS", GERMAN, "'2,5' is not a whole number"),
        ("5,5", "", {"thousands": ","}, "thousands are separated by ','"),
        ("1.5", "", {"decimal": ","}, "decimal mark is ','"),
        ("1_000", "", {}, "'1_000' is not a number"),
        ("1e-999999999", "KG", {}, "'1e-999999999' is not a number"),
        ("(12)", "", {}, "'(12)' is not a number"),
        ("--5", "", {}, "'--5' is not a number"),
        ("-5-", "", {}, "'-5-' is not a number"),
        ("9" * 40, "KG", {}, "at most 30 digits"),
    ],
)
def test_a_quantity_that_is_none_is_refused_in_words(text: str, unit: str, change: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unreadable) as refused:
        quantity(text, unit, **change)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("text", "formats", "expected"),
    [
        ("02.03.2026 24:00", ["%d.%m.%Y %H:%M"], "2026-03-03T00:00:00+00:00"),
        ("2026-12-31T24:00:00", [], "2027-01-01T00:00:00+00:00"),
        ("2026-03-02", ["%d.%m.%Y", "iso"], "2026-03-02T00:00:00+00:00"),
    ],
)
def test_a_time_as_people_write_it(text: str, formats: list[str], expected: str) -> None:
    reading = Reading.model_validate(
        {
            "source": "s",
            "id": "{row}",
            "time": {"columns": ["at"], "formats": formats},
            "rules": [{"type": "x", "data": {"a": 1}}],
        }
    )
    event = Translator(reading)({"at": text}, 1)
    assert isinstance(event, bytes)
    assert json.loads(event)["time"] == expected


@pytest.mark.parametrize("text", ["02.03.2026 24:01", "02.03.2026 124:00", "31.12.9999 25:00"])
def test_only_midnight_is_twenty_four_hours(text: str) -> None:
    reading = {"source": "s", "id": "{row}", "time": {"columns": ["at"], "formats": ["%d.%m.%Y %H:%M"]}}
    with pytest.raises(Unreadable, match="has none of the forms"):
        Translator(Reading.model_validate({**reading, "rules": [{"type": "x", "data": {"a": 1}}]}))({"at": text}, 1)


class Names:
    """The names of one partner."""

    def ours(self, kind: IdentifierKind, partner: str, theirs: str) -> str:
        if (kind, partner, theirs) == ("item", "acme", "A-7"):
            return "85123A"
        raise Unmapped(kind, partner, theirs)

    def theirs(self, kind: IdentifierKind, partner: str, ours: str) -> str:
        raise Unmapped(kind, partner, ours)


def test_a_partner_s_name_becomes_ours_and_one_that_is_not_mapped_is_said() -> None:
    rule = {"type": "x", "data": {"sku": {"column": "article", "identifier": "item"}}}
    mapping = {"source": "s", "id": "{row}", "time": {"columns": ["at"]}, "partner": "acme", "rules": [rule]}
    reading = Reading.model_validate(mapping)
    event = Translator(reading, Names())({"article": " A-7", "at": "2026-03-02"}, 1)
    assert isinstance(event, bytes)
    assert json.loads(event)["data"] == {"sku": "85123A"}
    with pytest.raises(Unmapped, match="the item 'B' of the partner 'acme'"):
        Translator(reading, Names())({"article": "B", "at": "2026-03-02"}, 1)
    with pytest.raises(UsageError, match="no identifiers"):
        Translator(reading)

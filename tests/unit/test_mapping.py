"""The mapping language apart from any transport: nested fields, units, and the digest that state files hold."""

import json

import pytest

from connectors.files.profile import Profile
from connectors.mapping.language import Reading
from connectors.mapping.translator import Translator
from connectors.mapping.values import Unreadable


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

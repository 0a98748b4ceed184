"""Whatever was asked before, an answer holds everything that was committed, and a version tells of every change."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.columns.query import Query, Sort
from engine.core.outputs import Position
from engine.core.values import NUL, moment
from tests.property.test_columns import (
    SKUS,
    committed,
    expected,
    filled,
    followed,
    latest,
    position_output,
    positions,
)


@given(st.lists(positions, max_size=20), st.lists(positions, max_size=20))
@settings(max_examples=40)
def test_what_is_asked_for_by_name_is_the_latest(first: list[Position], second: list[Position]) -> None:
    outputs = [list(map(position_output, some)) for some in (first, second)]
    columns = filled(*outputs)
    things = latest([*outputs[0], *outputs[1]])
    rows = columns.rows("positions", [*things, f"none{NUL}L1"])
    assert {name: json.loads(bytes(row))["available"] for name, row in rows.items()} == {
        name: thing["available"] for name, thing in things.items()
    }


@given(
    first=st.lists(positions, max_size=15),
    steps=st.lists(
        st.tuples(st.lists(positions, max_size=8), st.sampled_from(["rows", "page", "version"])), max_size=6
    ),
    shown=st.lists(st.tuples(st.sampled_from(SKUS), st.sampled_from(["L1", "l2", "M"])), max_size=6),
)
@settings(max_examples=40)
def test_whatever_was_asked_before_an_answer_holds_everything_that_was_committed(
    first: list[Position], steps: list[tuple[list[Position], str]], shown: list[tuple[str, str]]
) -> None:
    bus, columns = followed(list(map(position_output, first)))
    window, query = [NUL.join(name) for name in shown], Query("positions", sorts=(Sort("available"),))
    things = latest(list(map(position_output, first)))
    for some, question in steps:
        outputs = list(map(position_output, some))
        before = columns.version("positions")
        bus.commit([committed(outputs)])
        things |= latest(outputs)
        if question == "rows":
            rows = columns.rows("positions", window)
            assert {name: json.loads(bytes(row))["version"] for name, row in rows.items()} == {
                name: things[name]["version"] for name in window if name in things
            }
        elif question == "page":
            assert columns.page(query, 0, 100).names == expected(things, query)
        assert (columns.version("positions") > before) == bool(outputs)
    assert columns.page(query, 0, 100).names == expected(things, query)


def test_what_is_left_to_a_later_question_is_forgotten_where_everything_is_discarded() -> None:
    columns = filled([])
    columns.feed.committed([committed([position_output(Position("A", "L", 1, 0, 1, 0, 1, 0, 0, 1, 1, moment(0)))])])
    assert columns.rows("positions", [f"B{NUL}L"]) == {}
    assert len(columns.feed) == 1  # nobody has asked for A
    columns.feed.discarded()
    assert columns.page(Query("positions"), 0, 9).names == []


def test_a_question_about_a_table_that_has_not_changed_serves_again() -> None:
    columns = filled([])
    columns.feed.committed([committed([position_output(Position("A", "L", 1, 0, 1, 0, 1, 0, 0, 1, 1, moment(0)))])])
    version = columns.version("positions")
    columns.rows("positions", [f"A{NUL}L"])
    columns.page(Query("positions"), 0, 9)
    assert columns.version("positions") == version


def test_the_version_of_a_table_grows_with_its_changes_only() -> None:
    columns = filled([])
    before = columns.version("positions"), columns.version("alerts")
    columns.feed.committed([committed([position_output(Position("A", "L", 1, 0, 1, 0, 1, 0, 0, 1, 1, moment(0)))])])
    assert columns.version("positions") > before[0]
    assert (columns.version("alerts"), columns.version("positions")) == (before[1], columns.version("positions"))


@pytest.mark.parametrize("age", [0.0, 60.0])
def test_an_order_may_be_asked_to_stay_while_values_change(age: float) -> None:
    columns = filled([position_output(Position(sku, "L", n, 0, n, 0, n, 0, 0, n, 1, moment(0))) for n, sku in
                      enumerate("AB")])  # fmt: skip
    query = Query("positions", sorts=(Sort("available"),))
    assert columns.page(query, 0, 2, age=age).names == [f"A{NUL}L", f"B{NUL}L"]
    columns.feed.committed([committed([position_output(Position("A", "L", 9, 0, 9, 0, 9, 0, 0, 9, 2, moment(0)))])])
    page = columns.page(query, 0, 2, age=age)
    assert page.names == ([f"A{NUL}L", f"B{NUL}L"] if age else [f"B{NUL}L", f"A{NUL}L"])
    assert {json.loads(bytes(item))["available"] for item in page.items} == {9, 1}

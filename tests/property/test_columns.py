"""The columns answer as a plain list of the same things would, whatever has changed and whatever is asked for."""

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import cmp_to_key
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bus.memory.bus import MemoryBus
from engine.bus.single import Commit, Output
from engine.columns import table
from engine.columns.aggregates import Aggregation
from engine.columns.columns import Columns, Page
from engine.columns.query import Condition, Query, Sort
from engine.core.outputs import Position, Signal, envelope
from engine.core.values import NUL, moment

SKUS = ["", "A", "a", "Ä", "ß", "SKU-1", "SKU-10", "SKU-2", "日本", "a=b"]
NUMBERS = [0, 1, -1, 5, 7, 100, 2**40, -(2**40), 2**63 - 1, -(2**63) + 1]
FIRST_DAY = date(2026, 3, 2)
TEXT_FIELDS, NUMBER_FIELDS = ("sku", "location"), ("available", "held", "position", "version")

Thing = dict[str, Any]

positions = st.builds(
    lambda sku, location, numbers, at: Position(
        sku, location, numbers[0], numbers[1], 0, 0, 0, 0, 0, numbers[2], numbers[3], moment(at)
    ),
    st.sampled_from(SKUS),
    st.sampled_from(["L1", "l2", "M"]),
    st.lists(st.sampled_from(NUMBERS), min_size=4, max_size=4),
    st.integers(-(10**15), 4 * 10**15),
)
signals = st.builds(
    lambda number, supplier, qty, days, order: Signal(
        id=f"sig-{number}", sku="A", location="L1", status="open", revision=1, disposition="review", reasons=[],
        qty=qty, due=FIRST_DAY + timedelta(days), supplier=supplier, opened=moment(0), updated=moment(days),
        explanation={}, order=order,
    ),
    st.integers(0, 12),
    st.sampled_from([None, "Acme", "acme", "Zeta"]),
    st.sampled_from([1, 5, 10**12]),
    st.integers(0, 4),
    st.sampled_from([None, "PO-1", "PO-2"]),
)  # fmt: skip
number_conditions = st.builds(
    lambda field, relation, values: Condition(field, relation, tuple(values if relation == "is" else values[:1])),
    st.sampled_from(NUMBER_FIELDS),
    st.sampled_from(["is", "min", "max"]),
    st.lists(st.sampled_from([*NUMBERS, 3]), min_size=1, max_size=3),
)
text_conditions = st.builds(
    lambda field, relation, values: Condition(field, relation, tuple(values if relation == "is" else values[:1])),
    st.sampled_from(TEXT_FIELDS),
    st.sampled_from(["is", "min", "max"]),
    st.lists(st.sampled_from([*SKUS, "L1", "zz"]), min_size=1, max_size=3),
)
sorts = st.lists(
    st.builds(Sort, st.sampled_from([*TEXT_FIELDS, *NUMBER_FIELDS, "updated"]), st.booleans()),
    max_size=4,
    unique_by=lambda sort: sort.field,
).map(tuple)
queries = st.builds(
    lambda conditions, text, order: Query("positions", tuple(conditions), text, order),
    st.lists(number_conditions | text_conditions, max_size=3),
    st.sampled_from([None, "a", "sku-1", "ss", "ä", "l", "none"]),
    sorts,
)


def filled(*outputs: Sequence[Output]) -> Columns:
    return followed(*outputs)[1]


def followed(*outputs: Sequence[Output]) -> tuple[MemoryBus, Columns]:
    """A bus, and columns that were loaded from the first outputs, and were told of the others, portion by portion."""
    bus = MemoryBus(1)
    bus.commit([committed(outputs[0])])
    columns = Columns(bus, lambda _marker: 0, lambda _as_of: 0.0)
    columns.load()
    bus.observers.append(columns.feed)
    for some in outputs[1:]:
        bus.commit([committed(some)])
        columns.take()
    return bus, columns


def committed(outputs: Sequence[Output]) -> Commit:
    return Commit(0, (), (), outputs, (), b"", 0)


def position_output(position: Position) -> Output:
    name = f"{position.sku}{NUL}{position.location}"
    return Output("positions", name, name, envelope("position.changed", name, 0, position), "position.changed")


def signal_output(signal: Signal) -> Output:
    return Output("signals", f"A{NUL}L1", signal.id, envelope("signal.opened", signal.id, 0, signal), "signal.opened")


def latest(outputs: Sequence[Output]) -> dict[str, Thing]:
    return {output.id: json.loads(output.value)["data"] for output in outputs}


def holds(condition: Condition, thing: Thing) -> bool:
    value = thing.get(condition.field)
    if value is None:
        return False
    if condition.relation == "is":
        return value in condition.values
    bound: Any = condition.values[0]
    return bool(value >= bound if condition.relation == "min" else value <= bound)


def compared(order: Sequence[Sort]) -> Callable[[tuple[str, Thing], tuple[str, Thing]], int]:
    def compare(one: tuple[str, Thing], other: tuple[str, Thing]) -> int:
        for field, descending in order:
            mine, yours = one[1].get(field), other[1].get(field)
            if mine != yours:
                less = mine is None or (yours is not None and instant(mine) < instant(yours))
                return -1 if less != descending else 1
        return (-1 if one[0] < other[0] else 1) * (-1 if order and order[-1].descending else 1)

    return compare


def instant(value: Any) -> Any:
    """The moment of a text that is one: as texts, those with a fraction of seconds are in no order."""
    return datetime.fromisoformat(value) if isinstance(value, str) and value.endswith("Z") else value


def expected(things: dict[str, Thing], query: Query) -> list[str]:
    kept = [
        (name, thing)
        for name, thing in things.items()
        if all(holds(condition, thing) for condition in query.conditions)
        and (query.text is None or any(query.text in str(thing[field]).casefold() for field in TEXT_FIELDS))
    ]
    return [name for name, _ in sorted(kept, key=cmp_to_key(compared(query.sorts)))]


def names_by_cursor(columns: Columns, query: Query, limit: int) -> list[str]:
    names: list[str] = []
    page: Page | None = None
    while page is None or page.following is not None:
        page = columns.page(query, 0, limit, after=page.following if page else None)
        names += page.names
    return names


@settings(max_examples=60)
@given(
    first=st.lists(positions, max_size=25),
    second=st.lists(positions, max_size=25),
    query=queries,
    limit=st.integers(1, 7),
    offset=st.integers(0, 30),
)
def test_a_list_has_what_a_plain_list_has_in_its_order(
    first: list[Position], second: list[Position], query: Query, limit: int, offset: int
) -> None:
    outputs = [list(map(position_output, some)) for some in (first, second)]
    columns = filled(*outputs)
    things = latest([*outputs[0], *outputs[1]])
    names = expected(things, query)
    page = columns.page(query, offset, limit)
    assert (page.names, page.total) == (names[offset : offset + limit], len(names))
    shown = [json.loads(bytes(item)) for item in page.items]
    assert [{field: thing[field] for field in things[name]} for name, thing in zip(page.names, shown, strict=True)] == [
        things[name] for name in page.names
    ]
    assert columns.page(query, offset, limit).names == page.names  # now from the sorted index
    assert names_by_cursor(columns, query, limit) == names
    exported = [f"{sku}{NUL}{at}" for portion in columns.export(query, ["sku", "location"]) for sku, at in portion]
    assert exported == names


@given(
    given=st.tuples(*[st.lists(signals, max_size=most) for most in (20, 20, 5)]),
    order=st.lists(
        st.builds(Sort, st.sampled_from(["supplier", "order", "qty", "due", "updated"]), st.booleans()),
        max_size=3,
        unique_by=lambda sort: sort.field,
    ).map(tuple),
    gone=st.sets(st.integers(0, 12)),
    most_unlisted=st.sampled_from([-20, 0, 10_000]),
)
@settings(max_examples=40)
def test_what_has_no_value_comes_before_the_least_and_what_retention_deletes_is_listed_no_more(
    given: tuple[list[Signal], ...], order: tuple[Sort, ...], gone: set[int], most_unlisted: int
) -> None:
    outputs = [list(map(signal_output, some)) for some in given]
    with pytest.MonkeyPatch.context() as patch:
        # With few, the slots of what is gone are given up.
        patch.setattr(table, "MOST_UNLISTED", most_unlisted)
        bus, columns = followed(*outputs[:2])
        columns.feed.deleted("signals", [f"sig-{number}" for number in gone])
        things = latest([*outputs[0], *outputs[1]])
        things = {name: thing for name, thing in things.items() if int(name.removeprefix("sig-")) not in gone}
        query = Query("signals", sorts=order)
        assert names_by_cursor(columns, query, 3) == expected(things, query)
        bus.commit([committed(outputs[2])])
        things |= latest(outputs[2])
        assert names_by_cursor(columns, query, 3) == expected(things, query)
        by_supplier = columns.aggregate(Aggregation(query, ("supplier",)), 10)
        assert sum(group.count for group in by_supplier.items) == len(things)


@given(
    given=st.lists(positions, max_size=40),
    query=queries,
    by=st.lists(st.sampled_from([*TEXT_FIELDS, "held"]), max_size=2, unique=True).map(tuple),
)
@settings(max_examples=40)
def test_an_aggregate_is_that_of_the_listed_things_to_the_unit(
    given: list[Position], query: Query, by: tuple[str, ...]
) -> None:
    outputs = list(map(position_output, given))
    columns = filled(outputs)
    things = latest(outputs)
    listed = [things[name] for name in expected(things, query)]
    groups = columns.aggregate(Aggregation(query, by, ("available",), ("position",), ("version",)), 1000)
    grouped: dict[tuple[Any, ...], list[Thing]] = {} if by else {(): []}
    for thing in listed:
        grouped.setdefault(tuple(thing[field] for field in by), []).append(thing)
    assert {tuple(group.group.values()): (group.count, group.sum, group.min, group.max) for group in groups.items} == {
        key: (
            len(some),
            {"available": sum(thing["available"] for thing in some) if some else None},
            {"position": min((thing["position"] for thing in some), default=None)},
            {"version": max((thing["version"] for thing in some), default=None)},
        )
        for key, some in grouped.items()
    }
    sums = [group.sum["available"] for group in groups.items if isinstance(group.sum, dict) and group.count]
    assert sums == sorted(sums, reverse=True)


def test_groups_of_equal_sums_come_by_their_values_in_whatever_order_they_were_read() -> None:
    told = [Position(sku, "L", 5, 0, 5, 0, 5, 0, 0, 5, 1, moment(0)) for sku in "BCA"]
    for some in (told, told[::-1]):
        asked = Aggregation(Query("positions"), ("sku",), ("available",))
        groups = filled([position_output(each) for each in some]).aggregate(asked, 2)
        assert [group.group["sku"] for group in groups.items] == ["A", "B"]
        assert groups.total == 3


def test_a_sum_beyond_64_bits_is_exact_and_first() -> None:
    told = [Position(f"S{n}", "L" if n else "M", 2**63 - 1 - n, 0, 0, 0, 0, 0, 0, 0, 1, moment(0)) for n in range(4)]
    groups = filled([position_output(each) for each in told]).aggregate(
        Aggregation(Query("positions"), ("location",), ("available",)), 9
    )
    assert [group.sum for group in groups.items] == [{"available": 3 * 2**63 - 9}, {"available": 2**63 - 1}]


def test_groups_of_the_greatest_number_of_64_bits_are_named_by_it() -> None:
    told = [Position(f"S{n}", "L", 0, 2**63 - 1 - n % 2, 0, 0, 0, 0, 0, 0, 1, moment(0)) for n in range(4)]
    groups = filled([position_output(each) for each in told]).aggregate(Aggregation(Query("positions"), ("held",)), 9)
    assert [(group.group, group.count) for group in groups.items] == [
        ({"held": 2**63 - 2}, 2),
        ({"held": 2**63 - 1}, 2),
    ]

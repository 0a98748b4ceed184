"""Orders against the minimum and the truck of their supplier, as the auditor reads the same events."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bus.memory.bus import MemoryBus
from engine.core.rules import Rules
from engine.runtime.single.engine import Engine
from engine.work.things import OpenThings
from engine.work.worklist import Asked, work_of
from tables.directory import supplier_key
from tests.auditor.events import event
from tests.auditor.model import Event, Model, instant
from tests.auditor.order_lines import last
from tests.auditor.supplier_orders import Proposed, close, minimum, supplier_of, truck
from tests.auditor.workload import encoded

ARRIVED = instant("2026-03-03T00:00:00Z")
SUPPLIERS = ("ACME", "ZULU")
PARTITIONS = 3

currencies = st.sampled_from([None, "GBP", "EUR"])
amounts = st.sampled_from(["0", "0.10", "12.5", "99.99", "1000"])
definitions = st.builds(
    lambda supplier, hour, least, truck: event("supplier.defined", hour, supplier=supplier, **least, **truck),
    st.sampled_from(SUPPLIERS),
    st.integers(0, 3),
    st.just({}) | st.builds(lambda value, unit: {"minimum_value": value, **unit}, amounts, currencies.map(
        lambda currency: {} if currency is None else {"currency": currency}
    )),
    st.just({}) | st.builds(
        lambda units, uom: {"truck_units": units, "truck_uom": uom},
        st.integers(1, 5), st.sampled_from(["pallet", "each"]),
    ),
)  # fmt: skip


@st.composite
def proposals(draw: st.DrawFn) -> list[Event]:
    """What makes the engine propose an order of each of a few items."""
    told = []
    for number in range(draw(st.integers(1, 5))):
        sku = f"SKU-{number}"
        units = draw(st.sampled_from([{}, {"pallet": 7}, {"pallet": 12}, {"pallet": 480}]))
        if draw(st.integers(0, 4)):
            told.append(event("item.defined", 0, sku=sku, base_unit=draw(st.sampled_from(["each", "kg"])), units=units))
        known = {"unit_cost": draw(st.none() | amounts), "currency": draw(currencies)}
        named = {name: value for name, value in known.items() if value is not None}
        levels = {"kind": "min_max", "min": 1, "max": draw(st.integers(1, 900))}
        told.append(event("stock.counted", 0, sku=sku, qty=0))
        told.append(event("policy.set", 1, sku=sku, policy=levels, supplier=draw(st.sampled_from(SUPPLIERS)), **named))
    return told


@given(proposals(), st.lists(definitions, max_size=5).flatmap(st.permutations), st.data())
@settings(max_examples=60)
def test_an_order_is_compared_with_what_its_supplier_stated_last(
    rows: list[Event], stated: list[Event], data: st.DataObject
) -> None:
    told = data.draw(st.permutations([*rows, *stated, *stated[:2]]))
    bus = MemoryBus(PARTITIONS)
    assert not Engine(bus, Rules(clock="log")).submit([encoded(each) for each in told], ARRIVED).refused
    things = OpenThings(bus)
    work: Any = msgspec.to_builtins(work_of(things.all(), Asked(), things.suppliers, None, 0.0))
    facts = Model(told, ARRIVED).facts
    orders = [group for group in work["groups"] if group["kind"] == "order"]
    assert sum(group["total"] for group in orders) == len({each["data"]["sku"] for each in rows})
    for group in orders:
        known = supplier_of(facts, group["supplier"])
        order = [proposed(facts, item) for item in group["items"]]
        assert group["uncosted"] == sum(each.cost is None for each in order)
        agrees(group["minimum"], minimum(known, group["currency"], order))
        agrees(group["truck"], truck(known, order))
    for name in SUPPLIERS:
        assert len({bus.state.get(supplier_key(partition, name)) for partition in range(PARTITIONS)}) == 1


def proposed(facts: list[dict[str, Any]], item: dict[str, Any]) -> Proposed:
    mine = [fact for fact in facts if fact.get("sku") == item["sku"]]
    return Proposed(
        item["qty"], *(last(f for f in mine if f["type"] == kind) for kind in ("item.defined", "policy.set"))
    )


def agrees(shown: dict[str, Any] | None, exact: dict[str, Any] | None) -> None:
    """Fails unless what is shown says what the auditor says; money to the last digit."""
    if shown is None or exact is None:
        assert shown is exact is None
        return
    assert shown.keys() == exact.keys()
    for name, value in exact.items():
        if name in ("load", "free"):
            assert close(shown[name], value), (name, shown[name], value)
        elif isinstance(value, Fraction):
            assert Fraction(Decimal(shown[name])) == value
        else:
            assert shown[name] == value

"""Whatever happens to an order, and however often a round comes in between, the partner ends with what the log says."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any, Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.edi import read
from tests.unit import edi_documents as edi
from tests.unit.edi_partner import Desk, events_of

Standard = Literal["x12", "edifact"]
TIMES = [f"2026-03-{day:02}T10:00:00+00:00" for day in range(2, 9)]
DAYS = ["2026-04-01", "2026-04-02"]

TIMED = st.fixed_dictionaries({
    "line": st.sampled_from([1, 2, 10]),
    "order": st.sampled_from(["PO-1", "PO-2"]),
    "sku": st.sampled_from(["LAMP-7", "A+B:C'D?"]),
    "time": st.sampled_from(TIMES),
    "revision": st.integers(0, 3),
})  # fmt: skip
PLACED = st.fixed_dictionaries({"qty": st.integers(1, 10**12), "due": st.sampled_from(DAYS),
                                "supplier": st.sampled_from(["NORDLICHT", "NORDLICHT", "ANOTHER"])})  # fmt: skip
CHANGED = st.fixed_dictionaries({}, optional={"qty": st.integers(0, 50), "due": st.sampled_from(DAYS)})
Step = tuple[str, dict[str, Any], dict[str, Any]]
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("order.placed"), TIMED, PLACED),
    st.tuples(st.just("order.changed"), TIMED, CHANGED),
    st.tuples(st.sampled_from(["order.cancelled", "round"]), TIMED, st.just({})),
)


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(STEPS, max_size=14), standard=st.sampled_from(["x12", "edifact"]))
def test_the_partner_has_what_the_log_says(steps: list[Step],
                                           standard: Standard) -> None:  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder), standard=standard)
        asyncio.run(travel(desk, steps))
        assert the_partner_has(desk) == the_log_says(desk)
        numbers = [int(name.split("-")[2]) for name in desk.files]
        assert numbers == list(range(1, len(numbers) + 1))


async def travel(desk: Desk, steps: list[Step]) -> None:
    for number, (kind, timed, data) in enumerate(steps):
        if kind == "round":
            await desk.round()
        else:
            named = dict(timed)
            desk.engine.say(kind, number, named.pop("time"), **named, **data)
    await desk.round()


def the_partner_has(desk: Desk) -> dict[tuple[str, str], int]:
    """The reservations of a seller that reads all files in the order of their numbers."""
    found: dict[tuple[str, str], int] = {}
    for text in desk.files.values():
        for event in edi.events(read(text, edi.profile("seller", items=("BP", "IN"), strict=True))):
            data = event["data"]
            key = (data["reservation"], data["sku"])
            if event["type"] == "reservation.released":
                del found[key]
            else:
                found[key] = data["qty"]
        events_of(text)
    return found


def the_log_says(desk: Desk) -> dict[tuple[str, str], int]:
    """What is ordered of the partner, by the rules of the contract, computed plainly."""
    found: dict[tuple[str, str], int] = {}
    lines: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for (sku, _), events in desk.engine.events.items():
        for event in events:
            name = f"{event['data']['order']}/{event['data']['line']}"
            lines.setdefault((name, sku), []).append(event)
    for key, events in lines.items():
        ranked = sorted(events, key=lambda each: (each["data"]["revision"], each["time"], f"erp {each['id']}"))
        placed = [each["data"]["supplier"] for each in ranked if each["type"] == "order.placed"]
        if not placed or placed[-1] != "NORDLICHT" or any(each["type"] == "order.cancelled" for each in events):
            continue
        qty = next(each["data"]["qty"] for each in reversed(ranked) if "qty" in each["data"])
        if qty > 0:
            found[key] = qty
    return found

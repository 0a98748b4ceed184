"""Which events a login may send, and in whose name people decide."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.access.denial import Forbidden, NotLoggedIn
from engine.access.principal import LOCAL, NOBODY, Principal
from engine.access.sending import own_source, require_decision, require_sources

ADAPTER = Principal("wms-leeds", frozenset({"adapter"}), "wms/leeds")
OPERATOR = Principal("olga", frozenset({"operator"}))
PLANNER = Principal("pia", frozenset({"planner"}))
BOTH = Principal("erp", frozenset({"adapter", "planner"}), "erp")
VIEWER = Principal("vic", frozenset({"viewer"}))
SUPPLIER = Principal("acme", frozenset({"supplier"}), supplier="ACME")


LINE = {"order": "PO-1", "line": 1, "sku": "A", "location": "L"}


def event(source: str, kind: str = "goods.received", **data: Any) -> bytes:
    bodies: dict[str, dict[str, Any]] = {
        "goods.received": {"receipt": "1", "sku": "A", "location": "L", "qty": 5},
        "policy.set": {"sku": "A", "location": "L", "policy": {"kind": "none"}},
        "order.acknowledged": {**LINE, "schedule": [{"status": "accepted", "qty": 1}]},
        "shipment.notified": {**LINE, "shipment": "S-1", "qty": 1},
        "order.placed": {**LINE, "supplier": "ACME", "qty": 1, "due": "2026-03-20"},
        "signal.accepted": {"signal": "s", "sku": "A", "location": "L", "by": "pia"},
    }
    body = {**bodies[kind], **data}
    told = {"specversion": "1.0", "id": "1", "source": source, "type": kind, "time": "2026-03-02T09:00:00Z"}
    return json.dumps({**told, "data": body}).encode()


TWICE = b'{"source":"wms/leeds","id":"1","source":"erp"}'
"""Two sources: the decoder takes the last one, and so must the rule."""


@pytest.mark.parametrize(
    ("principal", "items", "taken"),
    [
        (LOCAL, [event("any"), b"broken"], True),
        (ADAPTER, [event("wms/leeds")], True),
        (ADAPTER, [event("wms/leeds"), event("erp")], False),
        (ADAPTER, [event("wms/leeds", "policy.set")], True),
        (ADAPTER, [event("stockline/api")], False),
        (ADAPTER, [event("supplier/ACME", "order.acknowledged")], False),
        (ADAPTER, [TWICE], False),
        (ADAPTER, [b"broken"], True),
        (ADAPTER, [b'{"source":"erp", broken'], False),
        (OPERATOR, [event("any"), event("erp")], True),
        (OPERATOR, [event("stockline/api", "signal.accepted")], False),
        (OPERATOR, [event("supplier/ACME", "order.acknowledged")], True),
        (PLANNER, [event("supplier/ACME", "order.acknowledged")], True),
        (PLANNER, [event("supplier/ACME")], False),
        (PLANNER, [event("pia", "policy.set")], False),
        (PLANNER, [event("erp", "policy.set")], False),
        (PLANNER, [b"broken"], False),
        (BOTH, [event("erp"), event("supplier/ACME", "order.acknowledged")], True),
        (BOTH, [event("wms")], False),
        (VIEWER, [event("any")], False),
        (SUPPLIER, [event("any")], False),
        (SUPPLIER, [event("supplier/ACME", "order.acknowledged"), event("supplier/ACME", "shipment.notified")], True),
        (SUPPLIER, [event("supplier/ACME", "order.placed")], False),
        (SUPPLIER, [event("supplier/OTHER", "order.acknowledged")], False),
        (SUPPLIER, [event("supplier/ACME")], False),
    ],
)
def test_a_login_sends_events_of_its_own_source(principal: Principal, items: list[bytes], taken: bool) -> None:
    if taken:
        require_sources(principal, items)
        return
    with pytest.raises(Forbidden) as denied:
        require_sources(principal, items)
    # What the events say is not repeated: it may be another's.
    assert "qty" not in str(denied.value)


@pytest.mark.parametrize(
    ("principal", "item", "taken"),
    [
        (LOCAL, event("stockline/api", "signal.accepted", by="anyone"), True),
        (PLANNER, event("stockline/api", "signal.accepted"), True),
        (PLANNER, event("stockline/api", "signal.accepted", by="olga"), False),
        (PLANNER, event("erp"), False),
        (PLANNER, event("stockline/api", "policy.set").replace(b'"id"', b'"by":"pia","id"', 1), True),
        (PLANNER, event("stockline/api", "policy.set").replace(b'"id"', b'"by":"olga","id"', 1), False),
        (PLANNER, event("stockline/api", "policy.set"), False),
        (PLANNER, b"broken", False),
        (OPERATOR, event("erp"), True),
        (ADAPTER, event("wms/leeds"), False),
        (VIEWER, event("stockline/api", "signal.accepted", by="vic"), False),
    ],
)
def test_people_decide_in_their_own_name(principal: Principal, item: bytes, taken: bool) -> None:
    if taken:
        require_decision(principal, item)
        return
    with pytest.raises(Forbidden):
        require_decision(principal, item)


def test_nobody_sends_or_decides() -> None:
    with pytest.raises(NotLoggedIn):
        require_sources(NOBODY, [b"broken"])
    with pytest.raises(NotLoggedIn):
        require_decision(NOBODY, event("erp"))


@pytest.mark.parametrize(
    ("principal", "source"),
    [(LOCAL, None), (OPERATOR, None), (ADAPTER, "wms/leeds"), (BOTH, "erp"), (SUPPLIER, "supplier/ACME")],
)
def test_a_page_knows_under_which_source_it_writes(principal: Principal, source: str | None) -> None:
    assert own_source(principal) == source

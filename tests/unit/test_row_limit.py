"""A row that would outgrow a record of the changelog: its event is refused, and only that."""

import pytest

from tables import keys, rows, workspace
from tests.auditor.adapter import Rig
from tests.auditor.events import defined, event
from tests.auditor.model import instant
from tests.auditor.workload import encoded

ARRIVED = instant("2026-03-04T00:00:00+00:00")


def placed(number: int) -> bytes:
    data = {"order": f"PO-{number}", "line": 1, "sku": "A", "location": "X", "supplier": "S", "qty": 1,
            "due": "2026-03-09"}  # fmt: skip
    return encoded({**event("order.placed", 1), "id": f"order-{number}", "data": data})


def test_the_order_too_many_is_a_dead_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = rows.Documents(orders=tuple(f"PO-{n}" for n in range(20)))
    monkeypatch.setattr(workspace, "HEAVIEST_ROW_BYTES", workspace.weigh(documents))
    rig = Rig()
    refused = rig.send([encoded(defined()), *(placed(n) for n in range(25))], ARRIVED)
    assert refused == {index: "row_too_large" for index in range(21, 26)}
    assert len(rig.detail(("A", "X"), 1)["orders"]) == 20
    assert [reason for reason, _ in rig.dead_letters()] == ["row_too_large"] * 5


@pytest.mark.parametrize(
    ("key", "small", "large"),
    [
        (keys.ORDER, rows.Order(), rows.Order(lines={str(n): rows.Line(str(n)) for n in range(9_500)})),
        (keys.DOCUMENTS, rows.Documents(), rows.Documents(reservations=tuple(map(str, range(60_000))))),
    ],
)
def test_what_a_row_weighs_is_at_least_what_it_is_long(key: bytes, small: object, large: object) -> None:
    assert not workspace.too_heavy({key: small, keys.STOCK: large})
    assert workspace.too_heavy({key: large})
    encoded_row = workspace._encode(large)  # noqa: SLF001
    assert len(encoded_row) <= workspace.weigh(large)

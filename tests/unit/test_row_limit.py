"""A row that would outgrow a record of the changelog: its event is refused, and only that."""

import pytest

from tables import keys, rows, workspace
from tests.auditor.adapter import Rig
from tests.auditor.events import defined, event
from tests.auditor.model import instant
from tests.auditor.workload import encoded

ARRIVED = instant("2026-03-04T00:00:00+00:00")


def revised(number: int, buckets: int) -> bytes:
    days = [{"start": f"2026-03-{day:02}", "days": 1, "qty": 1} for day in range(1, buckets + 1)]
    data = {"sku": "A", "location": "X", "version": f"v{number}", "mode": "replace", "buckets": days}
    return encoded({**event("forecast.revised", 1), "id": f"forecast-{number}", "data": data})


def test_what_would_make_a_row_too_long_is_a_dead_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = rows.Plan(buckets=[(day, 1, 1) for day in range(12)], known_versions=["v1", "v2"])
    monkeypatch.setattr(workspace, "HEAVIEST_ROW_BYTES", workspace.weigh(plan))
    rig = Rig()
    refused = rig.send([encoded(defined()), revised(1, 7), revised(2, 25), revised(3, 7)], ARRIVED)
    assert refused == {2: "row_too_large"}
    assert rig.detail(("A", "X"), 1)["forecast"]["version"] == "v3"
    assert [reason for reason, _ in rig.dead_letters()] == ["row_too_large"]


@pytest.mark.parametrize(
    ("key", "small", "large"),
    [
        (keys.DOCUMENTS, rows.Documents(), rows.Documents(reservations=tuple(map(str, range(60_000))))),
        (keys.PLAN, rows.Plan(), rows.Plan(buckets=[(n, 1, 1) for n in range(30_000)])),
        (keys.PLAN, rows.Plan(), rows.Plan(known_versions=[str(n) for n in range(30_000)])),
    ],
)
def test_what_a_row_weighs_is_at_least_what_it_is_long(key: bytes, small: object, large: object) -> None:
    assert not workspace.too_heavy({key: small, keys.STOCK: large})
    assert workspace.too_heavy({key: large})
    encoded_row = workspace._encode(large)  # noqa: SLF001
    assert len(encoded_row) <= workspace.weigh(large)

"""A change has a name and an order that follow from the state alone, whether a list or the stream told it."""

from typing import Any

import pytest

from connectors.changes import Table, change_of
from engine.core.errors import EnvironmentFailure

OPENED = "2026-03-02T09:00:00Z"


def alert(status: str, updated: str) -> dict[str, Any]:
    return {"id": "al-1", "sku": "A", "location": "LDS", "status": status, "opened": OPENED, "updated": updated}


def signal(status: str, revision: int) -> dict[str, Any]:
    return {"id": "sig-1", "sku": "A", "location": "LDS", "status": status, "revision": revision}


@pytest.mark.parametrize(
    ("table", "data", "kind"),
    [
        ("positions", {"sku": "A", "location": "LDS", "version": 3}, "position.changed"),
        ("signals", signal("open", 1), "signal.opened"),
        ("signals", signal("open", 2), "signal.amended"),
        ("signals", signal("accepted", 2), "signal.amended"),
        ("signals", signal("withdrawn", 3), "signal.withdrawn"),
        ("signals", signal("ordered", 3), "signal.closed"),
        ("signals", signal("rejected", 2), "signal.closed"),
        ("signals", signal("expired", 2), "signal.closed"),
        ("alerts", alert("open", OPENED), "alert.opened"),
        ("alerts", alert("open", "2026-03-02T09:00:00.5Z"), "alert.updated"),
        ("alerts", alert("acknowledged", OPENED), "alert.updated"),
        ("alerts", alert("resolved", OPENED), "alert.resolved"),
    ],
)
def test_the_type_follows_from_the_state(table: Table, data: dict[str, Any], kind: str) -> None:
    assert change_of(table, data).type == kind


def test_the_states_of_an_alert_are_in_the_order_of_their_times_however_they_are_written() -> None:
    states = [
        alert("open", OPENED),
        alert("acknowledged", OPENED),
        alert("open", "2026-03-02T09:00:00.000001Z"),
        alert("open", "2026-03-02T09:00:00.999999Z"),
        alert("open", "2026-03-02T09:00:01Z"),
        alert("resolved", "2026-03-02T09:00:01Z"),
    ]
    versions = [change_of("alerts", state).version for state in states]
    assert versions == sorted(set(versions))


@pytest.mark.parametrize("data", [{}, {"sku": "A"}, {"sku": "A", "location": "LDS", "version": "x"}])
def test_what_is_no_row_is_said(data: dict[str, Any]) -> None:
    with pytest.raises(EnvironmentFailure, match="is this a Stockline engine"):
        change_of("positions", data)

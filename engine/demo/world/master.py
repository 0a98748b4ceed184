"""Master data: the events that the engine gets before the first movement."""

from engine.demo.world.calendar import MINUTE
from engine.demo.world.history import LOCATIONS, Item
from engine.demo.world.outlet import Emit
from engine.demo.world.plan import Plan, Rows

SOURCE = "master-data"
_NAMES = {"UK-WHS": "Wholesale warehouse", "UK-WEB": "Web shop"}
ERP_INTERVAL_SECONDS = 36 * 3600
WMS_INTERVAL_SECONDS = 6 * 86400


def publish_master_data(plan: Plan, emit: Emit, at: int) -> None:
    """Send locations, feeds and items, half an hour before `at` (microseconds UTC)."""
    at -= 30 * MINUTE
    for location in LOCATIONS:
        data = {"location": location, "time_zone": "Europe/London", "name": _NAMES[location],
                "working_days": [1, 2, 3, 4, 5]}  # fmt: skip
        emit(SOURCE, f"location-{location}", "location.defined", at, data)
        feed = {"feed": f"wms/{location}", "interval_seconds": WMS_INTERVAL_SECONDS, "locations": [location]}
        emit(SOURCE, f"feed-wms-{location}", "feed.declared", at, feed)
    emit(SOURCE, "feed-erp", "feed.declared", at, {"feed": "erp", "interval_seconds": ERP_INTERVAL_SECONDS})
    publish_items(plan.items, plan.rows, emit, at)


def publish_items(items: dict[str, Item], rows: Rows, emit: Emit, at: int) -> None:
    """Send items; the ABC class of an item is the best of its rows."""
    abc = {row.sku: row.abc for row in sorted(rows.values(), key=lambda row: row.abc, reverse=True)}
    for item in items.values():
        emit(SOURCE, f"item-{item.sku}", "item.defined", at, _item_data(item, abc.get(item.sku, "C")))


def publish_policies(rows: Rows, emit: Emit, at: int) -> None:
    """Send policies, a minute after the opening stock: a row without stock would open a signal at once."""
    for row in rows.values():
        emit(SOURCE, f"policy-{row.location}-{row.sku}", "policy.set", at + MINUTE, row.policy_data())


def _item_data(item: Item, abc: str) -> dict[str, object]:
    data: dict[str, object] = {"sku": item.sku, "base_unit": "each", "description": item.description, "abc": abc}
    if item.case > 1:
        data["units"] = {"case": item.case}
    return data

"""The world of the tests' ERP: a company, two warehouses with bins, items in units, cases and kilograms, suppliers.

It runs in the environment of Tryton, once for each template database, before a server is started on it:

    python tryton_world.py CONFIGURATION DATABASE
"""

import datetime as dt
import sys
from decimal import Decimal
from typing import Any

PASSWORD = "stockline-2026"
WAREHOUSES = {
    "NORTH": ("North warehouse", {"N-A1": "Rack A1", "N-A2": "Rack A2", "N-Q": "Quarantine"}),
    "SOUTH": ("South warehouse", {"S-A1": "Shelf A1", "S-Q": "Quarantine"}),
}
ITEMS = {
    "BOLT-M8": ("Bolt M8", "Unit", "Unit", "0.40"),
    "TEA-250": ("Tea, 250 g tin", "Unit", "Case of 12", "2.10"),
    "CUP-01": ("Cup, white", "Unit", "Unit", "1.75"),
    "FLOUR": ("Flour, loose", "Kilogram", "Kilogram", "0.90"),
}
SUPPLIERS = {
    "ALPHA": ("Alpha Fasteners", 5, ["BOLT-M8", "CUP-01"]),
    "BETA": ("Beta Foods", 10, ["TEA-250", "FLOUR"]),
    "GAMMA": ("Gamma Trading", 21, ["CUP-01", "TEA-250"]),
}
ORDER_POINTS = [
    ("BOLT-M8", "NORTH", 40, 100),
    ("TEA-250", "NORTH", 24, 96),
    ("FLOUR", "NORTH", 25, 80),
    ("CUP-01", "SOUTH", 10, 60),
]
LOGINS = {
    "stockline": ["Stock", "Stock Administration", "Purchase", "Purchase Request"],
    "clerk": [
        "Stock",
        "Stock Administration",
        "Stock Force Assignment",
        "Stock Cancellation",
        "Purchase",
        "Purchase Administrator",
    ],
}


def records(model: str) -> Any:
    """A model of the ERP. Its packages are only in Tryton's environment: they are imported where they are used."""
    from proteus import Model  # type: ignore[import-not-found,unused-ignore]

    return Model.get(model)


def one(model: str, *domain: Any) -> Any:
    """The only record of a model that meets the domain."""
    (record,) = records(model).find(list(domain))
    return record


def company() -> Any:
    """A company in euros, whose days are those of Berlin, with the chart of accounts that purchases need."""
    from trytond.modules.account.tests.tools import create_chart, get_accounts  # type: ignore[import-not-found,unused-ignore]
    from trytond.modules.company.tests.tools import create_company  # type: ignore[import-not-found,unused-ignore]
    from trytond.modules.currency.tests.tools import get_currency  # type: ignore[import-not-found,unused-ignore]

    party = records("party.party")(name="Stockline Trading")
    party.save()
    create_company(party, get_currency("EUR"))
    found = one("company.company")
    found.timezone = "Europe/Berlin"
    found.save()
    create_chart(found)
    accounts = get_accounts(found)
    category = records("product.category")(name="Goods", accounting=True)
    category.account_expense = accounts["expense"]
    category.account_revenue = accounts["revenue"]
    category.save()
    return category


def warehouses() -> dict[str, Any]:
    """The warehouses by code: the one that Tryton has is renamed, each gets its bins below its storage."""
    location = records("stock.location")
    made = {}
    for code, (name, bins) in WAREHOUSES.items():
        if code == "NORTH":
            warehouse = one("stock.location", ("type", "=", "warehouse"))
            parts = warehouse.input_location, warehouse.output_location, warehouse.storage_location
        else:
            parts = tuple(location(name=f"{name} {part}", type="storage") for part in ("input", "output", "storage"))
            for part in parts:
                part.save()
            warehouse = location(type="warehouse", input_location=parts[0], output_location=parts[1])
            warehouse.storage_location = parts[2]
        warehouse.name, warehouse.code = name, code
        warehouse.lost_found_location = one("stock.location", ("type", "=", "lost_found"))
        warehouse.save()
        for part, suffix in zip(parts, ("IN", "OUT", "STO"), strict=True):
            part.parent, part.code = warehouse, f"{code[0]}-{suffix}"
            part.save()
        for bin_code, bin_name in bins.items():
            location(name=bin_name, code=bin_code, type="storage", parent=parts[2]).save()
        made[code] = warehouse
    return made


def items(category: Any) -> dict[str, Any]:
    """The products by code."""
    unit = one("product.uom", ("name", "=", "Unit"))
    case = records("product.uom")(name="Case of 12", symbol="cs", category=unit.category, factor=12.0)
    case.rate, case.rounding, case.digits = round(1 / 12, 12), 1.0, 0
    case.save()
    made = {}
    for code, (name, base, bought, price) in ITEMS.items():
        template = records("product.template")(name=name, type="goods", code=code, purchasable=True)
        template.default_uom = one("product.uom", ("name", "=", base))
        template.purchase_uom = one("product.uom", ("name", "=", bought))
        template.list_price = Decimal(price) * 2
        template.cost_price_method = "average"
        template.account_category = category
        template.save()
        (made[code],) = template.products
        made[code].cost_price = Decimal(price)
        made[code].save()
    return made


def suppliers(products: dict[str, Any]) -> None:
    """The suppliers with their lead times and prices, and a customer."""
    party, offer = records("party.party"), records("purchase.product_supplier")
    euro = one("currency.currency", ("code", "=", "EUR"))
    for code, (name, lead_time_days, offered) in SUPPLIERS.items():
        supplier = party(name=name, code=code)
        supplier.addresses[0].city = "Hamburg"
        supplier.save()
        for rank, item in enumerate(offered):
            line = offer(template=products[item].template, party=supplier, currency=euro, sequence=rank + 1)
            line.code, line.lead_time = f"{code}/{item}", dt.timedelta(days=lead_time_days)
            line.prices.new(quantity=0.0, unit_price=Decimal(ITEMS[item][3]))
            line.save()
    party(name="Corner Shop", code="SHOP").save()


def order_points(products: dict[str, Any], places: dict[str, Any]) -> None:
    """Minimum and target of some items by warehouse."""
    for item, warehouse, least, target in ORDER_POINTS:
        point = records("stock.order_point")(type="purchase", product=products[item])
        # Before 7.2 a warehouse has a field of its own.
        setattr(point, "warehouse_location" if hasattr(point, "warehouse_location") else "location", places[warehouse])
        point.min_quantity, point.target_quantity = float(least), float(target)
        point.save()


def users() -> None:
    """The login of Stockline, and a clerk's."""
    found = one("company.company")
    groups = {group.name: group for group in records("res.group").find([])}
    for login, wanted in LOGINS.items():
        user = records("res.user")(name=login.title(), login=login, password=PASSWORD)
        user.companies.append(records("company.company")(found.id))
        user.company = found
        # Before 7.2 there is no group of those who cancel.
        for name in groups.keys() & wanted:
            user.groups.append(records("res.group")(groups[name].id))
        user.save()


def main(configuration: str, database: str) -> None:
    """Make the world in a database that has its modules and nothing else."""
    from proteus import config  # type: ignore[import-not-found,unused-ignore]

    config.set_trytond(database, config_file=configuration)
    products = items(company())
    places = warehouses()
    suppliers(products)
    order_points(products, places)
    users()


if __name__ == "__main__":
    main(*sys.argv[1:])

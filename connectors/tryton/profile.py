"""What a profile of kind "tryton" says.

kind = "tryton"
name = "erp"
url = "https://erp.example.com"     # without a path
database = "production"
user = "stockline"
password = { env = "ERP_PASSWORD" }
warehouses = ["NORTH", "SOUTH"]     # codes or names; none: all
held = ["Quarantine"]               # bins, by code or name: what lies in them, or below, is held

[base_units]                        # the base unit of items that are kept in a unit with a fraction
Kilogram = "Gram"

[orders]                            # signals become draft purchases; its keys: `connectors.orders.settings`
"""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from connectors.mapping.language import Declared
from connectors.orders import PushSettings
from connectors.profiles import Address, ConnectorProfile, IdentifierKind, Secret


class Auto(Declared):
    """Up to where a signal needs no person: its quantity in base units, its value."""

    max_qty: Annotated[int, Field(ge=0)] | None = None
    max_value: Annotated[Decimal, Field(ge=0)] | None = None


class Profile(ConnectorProfile):
    """The ERP, who logs in, what is read of it and what its names mean."""

    kind: Literal["tryton"] = "tryton"
    url: Annotated[Address, Field(pattern=r"^https?://[^\s/]+/?$")]
    database: Annotated[str, Field(min_length=1)]
    user: Annotated[str, Field(min_length=1)]
    password: Secret
    timeout_seconds: Annotated[float, Field(gt=0)] = 60
    names_are_ours: frozenset[IdentifierKind] = frozenset({"item", "location", "supplier", "unit"})
    warehouses: tuple[str, ...] = ()
    held: tuple[str, ...] = ("Quarantine",)
    base_units: dict[str, str] = Field(
        default_factory=lambda: {"Kilogram": "Gram", "Meter": "Millimeter", "Liter": "Cubic centimeter"}
    )
    auto: Auto | None = None
    """The limits of automatic signals of all order points; without them each signal waits for a person."""
    overlap_seconds: Annotated[float, Field(ge=0, le=86400)] = 120
    """How long a transaction of the ERP may take: what was stamped so long before the newest record is read again."""
    page: Annotated[int, Field(ge=1, le=5000)] = 500
    orders: PushSettings | None = None
    """Which signals become draft purchases; without the table none does."""
    promises: bool = False
    """Whether what suppliers acknowledge and announce is written into the planned dates of the moves that are open."""
    balances_seconds: Annotated[float, Field(gt=0)] = 86400
    """The interval between two comparisons of all balances."""

    @property
    def overlap(self) -> timedelta:
        """`overlap_seconds` as a span."""
        return timedelta(seconds=self.overlap_seconds)

    @property
    def auto_limits(self) -> dict[str, int | str] | None:
        """The limits of automatic signals, as `policy.set` has them."""
        if self.auto is None:
            return None
        value = self.auto.max_value
        found = {"max_qty": self.auto.max_qty, "max_value": None if value is None else format(value, "f")}
        return {name: limit for name, limit in found.items() if limit is not None}

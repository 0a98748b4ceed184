"""The open connector: a session in the ERP, and the sources that read through it."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Final, Self

from connectors.orders import OrderPusher
from connectors.ports import Finding, Sink, Source, Tools
from connectors.tryton.balance_source import BalanceSource
from connectors.tryton.client import Access, TrytonClient
from connectors.tryton.master_source import ItemSource, LocationSource, OrderPointSource
from connectors.tryton.move_source import MoveSource
from connectors.tryton.naming import Naming
from connectors.tryton.orders import TrytonOrders
from connectors.tryton.profile import Profile
from connectors.tryton.promise_sink import PromiseSink
from connectors.tryton.purchase_source import PurchaseSource
from connectors.tryton.wire import TrytonRefused
from connectors.tryton.world import Erp

READ: Final = (
    ("product.product", "items"),
    ("stock.location", "locations with their bins"),
    ("stock.order_point", "order points"),
    ("purchase.line", "purchase lines"),
    ("stock.move", "stock moves"),
)
OLDEST: Final = (7, 0)


class TrytonConnector:
    """An asynchronous context manager; its sources work while it is open."""

    def __init__(self, profile: Profile, tools: Tools) -> None:
        access = Access(profile.url, profile.database, profile.user, profile.password.reveal(), profile.timeout_seconds)
        self._profile = profile
        self._client = TrytonClient(access)
        naming = Naming(profile.event_source, tools.identifiers, profile.name)
        self._erp = Erp(self._client, profile, naming)
        moves = MoveSource(self._erp)
        self._sources: dict[str, Source] = {
            "locations": LocationSource(self._erp),
            "items": ItemSource(self._erp),
            "order_points": OrderPointSource(self._erp),
            "purchases": PurchaseSource(self._erp),
            "moves": moves,
            "balances": BalanceSource(self._erp, moves),
        }

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    @property
    def sources(self) -> Mapping[str, Source]:
        """Master data, orders, movements; balances last, since they are compared with what the moves have told."""
        return self._sources

    @property
    def sinks(self) -> Mapping[str, Sink]:
        """`orders` and `promises`, as far as the profile asks for them."""
        found: dict[str, Sink] = {}
        if (settings := self._profile.orders) is not None:
            source = f"{self._profile.event_source}/orders"
            found["orders"] = OrderPusher(TrytonOrders(self._erp), source, settings)
        if self._profile.promises:
            found["promises"] = PromiseSink(self._erp)
        return found

    async def check(self) -> Sequence[Finding]:
        """The server's series, the user's company, each model that is read with its count, the warehouses by name."""
        series = ".".join(map(str, self._client.version))
        known = self._client.version >= OLDEST
        findings = [Finding("Tryton", known, f"series {series}" if known else f"series {series} is older than 7.0")]
        findings.append(Finding("company", True, f"the login works for company {self._client.company}"))
        for model, what in READ:
            try:
                findings.append(Finding(what, True, f"{await self._client.count(model, [])}"))
            except TrytonRefused as error:
                findings.append(Finding(what, False, f"the user may not read {model}: {error.detail}"))
        findings.append(await self._warehouses())
        return findings

    async def _warehouses(self) -> Finding:
        try:
            world = await self._erp.world()
        except TrytonRefused as error:
            return Finding("warehouses", False, error.detail)
        codes = sorted(each.code for each in world.places.warehouses.values())
        missing = len(set(self._profile.warehouses)) - len(codes) if self._profile.warehouses else 0
        detail = ", ".join(codes) or "none"
        return Finding("warehouses", bool(codes) and missing <= 0, detail + (f"; {missing} not found" * (missing > 0)))

"""The connector: one client, a source for each resource, and the sink of signals where the profile has `[orders]`."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from connectors.orders import OrderPusher
from connectors.ports import Finding, Sink, Source, Tools
from connectors.profiles import Secret, Unreachable
from connectors.rest.client import RestClient
from connectors.rest.orders import RestOrders
from connectors.rest.profile import Profile
from connectors.rest.source import ResourceSource
from engine.core.errors import UsageError


class RestConnector:
    """See `connectors.ports.Connector`."""

    def __init__(self, profile: Profile, tools: Tools) -> None:
        self._profile, self._tools = profile, tools
        self._client = RestClient(profile.url, profile.auth, profile.limits)
        self._sources: dict[str, ResourceSource] = {}
        self._orders: RestOrders | None = None

    async def __aenter__(self) -> Self:
        profile, identifiers = self._profile, self._tools.identifiers
        values = {
            name: value.reveal() if isinstance(value, Secret) else value for name, value in profile.values.items()
        }
        await self._client.__aenter__()
        self._sources = {
            resource.name: ResourceSource(self._client, resource, values, identifiers) for resource in profile.resources
        }
        if profile.orders is not None:
            self._orders = RestOrders(self._client, profile.orders, values, identifiers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    @property
    def sources(self) -> Mapping[str, Source]:
        """One for each resource, in the order of the profile."""
        return self._sources

    @property
    def sinks(self) -> Mapping[str, Sink]:
        """`orders`, where the profile has them."""
        if self._orders is None or self._profile.orders is None:
            return {}
        source = f"{self._profile.event_source}/orders"
        return {"orders": OrderPusher(self._orders, source, self._profile.orders)}

    async def check(self) -> Sequence[Finding]:
        """Read the first page of each resource, and the drafts."""
        findings = []
        for name, source in self._sources.items():
            try:
                page = await source.first_page()
            except (Unreachable, UsageError) as error:
                findings.append(Finding(name, False, str(error)))
            else:
                findings.append(Finding(name, True, f"its first page holds {len(page.records)} records"))
        if self._orders is not None:
            try:
                drafts = await self._orders.find(())
            except (Unreachable, UsageError) as error:
                findings.append(Finding("orders", False, str(error)))
            else:
                findings.append(Finding("orders", True, f"{len(drafts)} lines of drafts bear a key of ours"))
        return findings

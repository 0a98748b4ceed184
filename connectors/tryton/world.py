"""What is read of the ERP before records are translated: its units, its locations, its company's time zone."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from connectors.base import Json, JsonObject
from connectors.mapping.values import Unreadable
from connectors.ports import Unmapped, UntranslatedReason, UntranslatedRecord
from connectors.tryton.changes import changed_at
from connectors.tryton.client import TrytonClient
from connectors.tryton.naming import Naming
from connectors.tryton.places import PLACE_FIELDS, Place, Places
from connectors.tryton.profile import Profile
from connectors.tryton.units import UNIT_FIELDS, Units, unit_of
from connectors.tryton.wire import stamp

ALL = {"active_test": False}


@dataclass(frozen=True)
class World:
    """The ERP as one round sees it."""

    units: Units
    places: Places
    zone: str | None
    naming: Naming

    def place(self, number: int) -> Place:
        """A location of the ERP, its warehouse by our name. Raises `Unmapped`."""
        place = self.places[number]
        if place.location is None:
            return place
        return replace(place, location=self.naming.ours("location", place.location, number))


@dataclass(frozen=True)
class Erp:
    """The open connection, the profile, and our names: what every source has."""

    client: TrytonClient
    profile: Profile
    naming: Naming

    async def world(self) -> World:
        """Read units, locations and the company anew."""
        units = await self.client.search_read("product.uom", [], UNIT_FIELDS, context=ALL)
        places = await self.client.search_read("stock.location", [], PLACE_FIELDS, context=ALL)
        company = await self.client.read("company.company", [self.client.company], ["timezone"])
        return World(
            Units([unit_of(unit) for unit in units], self.profile.base_units),
            Places(places, self.profile.warehouses, self.profile.held),
            company[0]["timezone"] if company else None,
            self.naming,
        )

    async def by_id(self, model: str, ids: Sequence[int], fields: Sequence[str]) -> dict[int, JsonObject]:
        """The records of a model by their ids, as many at a time as the profile says."""
        found: dict[int, JsonObject] = {}
        wanted = sorted(set(ids))
        for start in range(0, len(wanted), self.profile.page):
            page = await self.client.read(model, wanted[start : start + self.profile.page], fields)
            found |= {record["id"]: record for record in page}
        return found


def untranslated(model: str, record: JsonObject, error: Unreadable) -> UntranslatedRecord:
    """A record that no event could be made of; it names the record in the ERP, which a replay reads again."""
    at = stamp(changed_at(record))
    name = {"model": model, "id": record["id"], "state": record.get("state"), "at": at}
    reason: UntranslatedReason = "unmapped_identifier" if isinstance(error, Unmapped) else "untranslatable"
    place = f"{model} {record['id']}"
    return UntranslatedRecord(
        f"{model}-{record['id']}-{record.get('state') or ''}-{at}", reason, str(error), json.dumps(name).encode(), place
    )


def named(record: bytes) -> tuple[int, Json]:
    """The id in the ERP and the whole of what `untranslated` has written. Raises `Unreadable`."""
    try:
        name = json.loads(record)
        return int(name["id"]), name
    except (ValueError, KeyError, TypeError):
        raise Unreadable("this is no record of Tryton that was kept") from None

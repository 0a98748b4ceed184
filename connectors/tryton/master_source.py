"""The sources of master data: items by change polling, warehouses and order points by what differs from before."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from connectors.base import Json, JsonObject
from connectors.mapping.values import Unreadable
from connectors.ports import Batch, UntranslatedRecord
from connectors.tryton import master
from connectors.tryton.changes import Changes, Poll, changed_at, stamps
from connectors.tryton.wire import encode, moment, stamp
from connectors.tryton.world import Erp, World, named, untranslated

PRODUCT: Final = "product.product"
TEMPLATE: Final = "product.template"
GOODS: Final = ("goods", "assets")
TICK: Final = timedelta(microseconds=1)


class ItemSource:
    """Products as `item.defined`: those that were changed, and those whose template was."""

    def __init__(self, erp: Erp) -> None:
        self._erp = erp

    async def pull(self, position: JsonObject | None) -> AsyncIterator[Batch]:
        """The items that were changed since `position`."""
        kept = dict(position or {})
        world, profile = await self._erp.world(), self._erp.profile
        for model, found in ((TEMPLATE, ["products"]), (PRODUCT, ["id"])):
            poll = Poll(model, found, [["type", "in", list(GOODS)]])
            changes = Changes(self._erp.client, poll, profile.page, profile.overlap)
            async for page in changes.pages(kept.get(model)):
                ids = [
                    number for row in page.records for number in (row["products"] if "products" in row else [row["id"]])
                ]
                kept = {**kept, model: page.position}
                events, refused = self._translated(world, await self._read(ids))
                yield Batch(events, refused, kept)

    async def replay(self, record: bytes) -> Sequence[bytes]:
        """The event of a product that could not be translated, as it is today."""
        number, _ = named(record)
        found = await self._read([number])
        if not found:
            raise Unreadable(f"Tryton no longer has the product {number}")
        world = await self._erp.world()
        return [_item(world, product) for product in found]

    async def _read(self, ids: Sequence[int]) -> list[JsonObject]:
        marks = stamps(self._erp.client)
        fields = ["code", "default_uom", "template.name", *marks, *(f"template.{mark}" for mark in marks)]
        return list((await self._erp.by_id(PRODUCT, ids, fields)).values())

    def _translated(self, world: World, products: list[JsonObject]) -> tuple[list[bytes], list[UntranslatedRecord]]:
        events, refused = [], []
        for product in products:
            try:
                events.append(_item(world, product))
            except Unreadable as error:
                refused.append(untranslated(PRODUCT, product, error))
        return events, refused


def _item(world: World, product: JsonObject) -> bytes:
    at = max(changed_at(product), changed_at(product["template."]))
    sku = world.naming.ours("item", product["code"], product["id"])
    return world.naming.event(
        f"item-{product['id']}-{stamp(at)}", "item.defined", at, master.item_defined(sku, product, world.units)
    )


class Told:
    """What was told of a few records, by id: a record is told again where its data differ, never with an older time."""

    def __init__(self, position: JsonObject | None) -> None:
        self._kept: dict[str, JsonObject] = dict((position or {}).get("told", {}))

    def differs(self, number: int, data: JsonObject, at: datetime) -> datetime | None:
        """The time at which `data` are to be told; None where they were told before. They count as told now."""
        digest, before = sha256(encode(data)).hexdigest()[:16], self._kept.get(str(number))
        if before is not None:
            if before["digest"] == digest:
                return None
            at = max(at, moment(before["at"]) + TICK)
        self._kept[str(number)] = {"digest": digest, "at": stamp(at), "data": data}
        return at

    def gone(self, present: set[int]) -> list[tuple[int, datetime, JsonObject]]:
        """Those that were told and are not `present`: their ids, the time of saying so, their last data."""
        missing = [number for number in self._kept if int(number) not in present]
        found = [(number, self._kept.pop(number)) for number in sorted(missing)]
        return [(int(number), moment(kept["at"]) + TICK, kept["data"]) for number, kept in found]

    @property
    def position(self) -> JsonObject:
        """Its written form."""
        return {"told": self._kept}


class LocationSource:
    """Warehouses as `location.defined`; there are few, and all are read each time."""

    def __init__(self, erp: Erp) -> None:
        self._erp = erp

    async def pull(self, position: JsonObject | None) -> AsyncIterator[Batch]:
        """The warehouses that differ from what was told of them."""
        told, world = Told(position), await self._erp.world()
        read = await self._erp.by_id("stock.location", list(world.places.warehouses), stamps(self._erp.client))
        events, refused = [], []
        for number, warehouse in world.places.warehouses.items():
            try:
                location = world.naming.ours("location", warehouse.code, number)
            except Unreadable as error:
                refused.append(untranslated("stock.location", read[number], error))
                continue
            data = master.location_defined(location, warehouse, world.zone)
            at = told.differs(number, data, changed_at(read[number]))
            if at is not None:
                name = f"location-{number}-{stamp(at)}"
                events.append(world.naming.event(name, "location.defined", at, data))
        yield Batch(events, refused, told.position)

    async def replay(self, record: bytes) -> Sequence[bytes]:
        """The event of a warehouse whose name was unknown, as it is today."""
        number, name = named(record)
        world = await self._erp.world()
        warehouse = world.places.warehouses.get(number)
        if warehouse is None:
            raise Unreadable(f"the location {number} is no warehouse that is followed")
        location = world.naming.ours("location", warehouse.code, number)
        data, at = master.location_defined(location, warehouse, world.zone), moment(name["at"])
        return [world.naming.event(f"location-{number}-{stamp(at)}", "location.defined", at, data)]


POINT: Final = "stock.order_point"
OFFER: Final = "purchase.product_supplier"
PRICE: Final = "purchase.product_supplier.price"
"""The models that an order point's policy is made of."""


class OrderPointSource:
    """Order points of warehouses as `policy.set`, with the supplier that the ERP would take and its terms."""

    def __init__(self, erp: Erp) -> None:
        self._erp = erp

    async def pull(self, position: JsonObject | None) -> AsyncIterator[Batch]:
        """The policies that differ from what was told; nothing is read where no part of one was changed."""
        print_ = await self._fingerprint()
        if position is not None and position["fingerprint"] == print_:
            return
        told, world = Told(position), await self._erp.world()
        points, offers = await self._read(world)
        events, refused = [], []
        for point in points:
            try:
                data, at = _policy(world, point, offers, self._erp.profile.auto_limits)
            except Unreadable as error:
                refused.append(untranslated(POINT, point, error))
                continue
            at_ = told.differs(point["id"], data, at)
            if at_ is not None:
                events.append(world.naming.event(f"order-point-{point['id']}-{stamp(at_)}", "policy.set", at_, data))
        for number, at, data in told.gone({point["id"] for point in points}):
            data = master.policy_withdrawn(data["sku"], data["location"])
            events.append(world.naming.event(f"order-point-{number}-{stamp(at)}", "policy.set", at, data))
        yield Batch(events, refused, {**told.position, "fingerprint": print_})

    async def replay(self, record: bytes) -> Sequence[bytes]:
        """The event of an order point that could not be translated, as it is today."""
        number, _ = named(record)
        world = await self._erp.world()
        points, offers = await self._read(world)
        for point in points:
            if point["id"] == number:
                data, at = _policy(world, point, offers, self._erp.profile.auto_limits)
                return [world.naming.event(f"order-point-{number}-{stamp(at)}", "policy.set", at, data)]
        raise Unreadable(f"Tryton no longer has the order point {number}")

    async def _fingerprint(self) -> list[Json]:
        """Counts and newest stamps of what policies are made of, with the overlap's counts for what committed late."""
        client, found = self._erp.client, []
        for model in (POINT, OFFER, PRICE, TEMPLATE):
            mark = stamps(client)[-1]
            newest = await client.search_read(model, [[mark, "!=", None]], [mark], (((mark, "DESC"),), 1))
            at = newest[0][mark] if newest else None
            recent = 0 if at is None else await client.count(model, [[mark, ">=", at - self._erp.profile.overlap]])
            found.append([await client.count(model, []), None if at is None else stamp(at), recent])
        return found

    async def _read(self, world: World) -> tuple[list[JsonObject], list[JsonObject]]:
        client, marks = self._erp.client, stamps(self._erp.client)
        where = "location" if client.version >= (7, 2) else "warehouse_location"
        fields = [
            where, "product", "product.code", "product.default_uom", "product.template", "min_quantity",
            "target_quantity", *marks,
        ]  # fmt: skip
        domain = [["type", "=", "purchase"], ["company", "=", client.company]]
        read, followed = await client.search_read(POINT, domain, fields), world.places.warehouses
        points = [point for point in read if point[where] in followed]
        templates = await self._erp.by_id(
            TEMPLATE, [point["product."]["template"] for point in points], ["purchase_uom"]
        )
        offered = [
            "template", "product", "party.code", "lead_time", "sequence", "currency.code", "prices.quantity",
            "prices.unit_price", *marks, *(f"prices.{mark}" for mark in marks),
        ]  # fmt: skip
        offers = await client.search_read(OFFER, [["template", "in", sorted(templates)]], offered)
        for point in points:
            point["place"] = point[where]
            point["product."]["template."] = templates[point["product."]["template"]]
        return points, offers


def _policy(
    world: World, point: JsonObject, offers: list[JsonObject], auto: JsonObject | None
) -> tuple[JsonObject, datetime]:
    """The data of an order point's policy, and the newest stamp of its parts. Raises `Unreadable`, or `Unmapped`."""
    product, place = point["product."], point["place"]
    warehouse = world.places.warehouses[place]
    sku = world.naming.ours("item", product["code"], product["id"])
    location = world.naming.ours("location", warehouse.code, place)
    offer, parts = master.first_offer(offers, product["template"], product["id"]), [point]
    chosen = None
    if offer is not None:
        party = offer["party."]
        chosen = master.offer_of(offer, world.naming.ours("supplier", party["code"], party["id"]))
        parts += [offer, *(offer.get("prices.") or [])]
    data = master.policy_set((sku, location), point, world.units, chosen)
    return data | ({"auto": auto} if auto else {}), max(map(changed_at, parts))

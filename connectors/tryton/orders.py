"""Draft purchases of Tryton: an `OrderSystem`. It never quotes or confirms; that is a person's.

A draft is written as a whole, through its purchase, with the moment at which it was read: where a person or another
writer has changed it meanwhile Tryton refuses (`ConcurrencyException`), and the next round reads it anew. Tryton fills
in what it fills in for a person at the screen: the address, the currency, the terms, the supplier's price and taxes.
"""

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from connectors.base import Json, JsonObject
from connectors.mapping.values import Unreadable
from connectors.orders import OrderLine, PushRefused, WantedLine
from connectors.ports import Unmapped
from connectors.profiles import IdentifierKind, Unreachable
from connectors.tryton import buying
from connectors.tryton.changes import stamps
from connectors.tryton.wire import TrytonChanged, TrytonRefused
from connectors.tryton.world import Erp, World

PURCHASE: Final = "purchase.purchase"
LINE: Final = "purchase.line"
SIGNALS_OF_A_SEARCH: Final = 50
KNOWN_SECONDS: Final = 60.0
"""For so long units and warehouses that were read are taken for what they are."""
_UNITS: Final = ("default_uom", "template.purchase_uom")


@contextmanager
def _in_words() -> Iterator[None]:
    """Gives what Tryton refuses of a writing call the form in which the port names it."""
    try:
        yield
    except TrytonChanged as error:
        raise Unreachable(f"somebody else has changed the purchase in Tryton: {error.detail}") from None
    except TrytonRefused as error:
        # Also a question (`UserWarning`): whether to go on in spite of it is for a person to say.
        raise PushRefused(f"Tryton refuses: {error.detail}") from None
    except Unmapped:
        raise
    except Unreadable as error:
        raise PushRefused(str(error)) from None


class TrytonOrders:
    """See the module."""

    def __init__(self, erp: Erp) -> None:
        self._erp = erp
        self._client = erp.client
        self._seen: tuple[World, float] | None = None

    @property
    def name(self) -> str:
        """The connector's name."""
        return self._erp.profile.name

    async def find(self, signals: Collection[str]) -> Sequence[OrderLine]:
        """The lines of drafts that bear a key, and what a search finds of each signal that is not among them."""
        world = await self._world()
        drafts = [["note", "like", _like("")], ["purchase.state", "in", list(buying.OPEN_STATES)]]
        found = await self._lines(world, drafts)
        drafted = {line.key.signal for line in found}
        others = sorted(set(signals) - drafted)
        for start in range(0, len(others), SIGNALS_OF_A_SEARCH):
            wanted = [["note", "like", _like(f"{each} ")] for each in others[start : start + SIGNALS_OF_A_SEARCH]]
            found += await self._lines(world, [["OR", *wanted]])
        return found

    async def create_draft(self, lines: Sequence[WantedLine]) -> None:
        """See `OrderSystem.create_draft`. A draft of ours for the same supplier and warehouse is used where it is."""
        with _in_words():
            world, first = await self._world(), lines[0]
            supplier, location = self._theirs("supplier", first.supplier), self._theirs("location", first.location)
            party = (await self._one("party.party", ["code", "=", supplier], "supplier"))["id"]
            warehouse = _warehouse(world, location)
            name = buying.reference(supplier, location)
            same = [
                ["reference", "=", name],
                ["party", "=", party],
                ["warehouse", "=", warehouse],
                ["state", "=", "draft"],
            ]
            if there := await self._client.search_read(PURCHASE, same, ["id"], ((("id", "ASC"),), 1)):
                await self.add_lines(str(there[0]["id"]), lines)
                return
            head: JsonObject = {"party": party, "company": self._client.company, "warehouse": warehouse, "lines": []}
            filled = await self._filled(PURCHASE, head, ["party"])
            filled = {field: value for field, value in filled.items() if not field.endswith(".")}
            created = [await self._new(world, filled | {"id": -1}, line) for line in lines]
            values = filled | {"reference": name, "lines": [["create", created]]}
            await self._client.call(f"model.{PURCHASE}.create", [values])

    async def add_lines(self, document: str, lines: Sequence[WantedLine]) -> None:
        """See `OrderSystem.add_lines`."""
        with _in_words():
            world, purchase = await self._world(), await self._draft(document)
            head = {name: purchase[name] for name in ("id", "party", "currency", "company", "invoice_party")}
            created = [await self._new(world, head, line) for line in lines]
            await self._write(purchase, [["create", created]])

    async def change_line(self, line: OrderLine, wanted: WantedLine) -> None:
        """See `OrderSystem.change_line`. The price stays as it is: a buyer may have agreed on another one."""
        with _in_words():
            world, purchase = await self._world(), await self._draft(line.document)
            number = int(line.line)
            rows = await self._client.read(LINE, [number], ["note", "product"])
            if not rows or number not in purchase["lines"]:
                raise PushRefused(f"the line {line.line} of the purchase {line.document} is not there any more")
            note = buying.note_with(wanted.key, rows[0]["note"])
            product = await self._one("product.product", ["id", "=", rows[0]["product"]], "item", _UNITS)
            amounts = buying.amounts(_bought(world, product, wanted.key.qty))
            await self._write(purchase, [["write", [number], {**amounts, **buying.dated(wanted.key), "note": note}]])

    async def remove_line(self, line: OrderLine) -> None:
        """See `OrderSystem.remove_line`."""
        with _in_words():
            number, document = int(line.line), int(line.document)
            found = await self._client.read(PURCHASE, [document], ["lines"])
            if not found or number not in found[0]["lines"]:
                return
            purchase = await self._draft(line.document)
            if purchase["lines"] == [number]:
                await self._delete(purchase)
                return
            await self._write(purchase, [["delete", [number]]])
        await self._delete_if_empty(document)

    async def _world(self) -> World:
        now = time.monotonic()
        if self._seen is None or now - self._seen[1] > KNOWN_SECONDS:
            self._seen = await self._erp.world(), now
        return self._seen[0]

    async def _lines(self, world: World, domain: Sequence[Json]) -> list[OrderLine]:
        whole = [["purchase.company", "=", self._client.company], *domain]
        marks = [f"purchase.{mark}" for mark in stamps(self._client)]
        records = await self._client.search_read(LINE, whole, [*buying.LINE_FIELDS, *marks])
        lines = (buying.order_line(world, each, self._erp.profile.user) for each in records)
        return [line for line in lines if line is not None]

    async def _draft(self, document: str) -> JsonObject:
        """A draft as it is now. Raises `PushRefused` where it is none."""
        fields = ["state", "lines", "party", "currency", "company", "invoice_party", "_timestamp"]
        found = await self._client.read(PURCHASE, [int(document)], fields)
        if not found:
            raise PushRefused(f"the purchase {document} is not in Tryton any more")
        if found[0]["state"] != "draft":
            raise PushRefused(f"the purchase {document} is no draft in Tryton, but in the state {found[0]['state']!r}")
        return found[0]

    async def _delete(self, purchase: JsonObject) -> None:
        await self._client.call(f"model.{PURCHASE}.delete", [purchase["id"]], context=_unchanged(purchase))

    async def _delete_if_empty(self, document: int) -> None:
        """Remove a draft of which another writer removed the last other line at the same moment.

        Tryton on SQLite compares the moment of the last change before it locks, so it lets both of them write.
        """
        for purchase in await self._client.read(PURCHASE, [document], ["state", "lines", "_timestamp"]):
            if purchase["state"] == "draft" and not purchase["lines"]:
                # Refused, it was removed by the other one, or has got a line again.
                with suppress(TrytonRefused):
                    await self._delete(purchase)

    async def _new(self, world: World, purchase: JsonObject, wanted: WantedLine) -> JsonObject:
        """The values of a line in a purchase, of which `purchase` is what prices depend on."""
        code = self._theirs("item", wanted.sku)
        product = await self._one("product.product", ["code", "=", code], "item", _UNITS)
        number, unit = quantity = _bought(world, product, wanted.key.qty)
        given = {"type": "line", "product": product["id"], "quantity": float(number), "unit": unit.id, "taxes": []}
        company = {"company": self._client.company, "product_supplier": None}
        context = {name: purchase.get(name) for name in ("id", "party", "currency", "company", "invoice_party")}
        priced = await self._filled(LINE, given | company | {"purchase": context}, ["product"])
        return buying.purchase_line(product["id"], wanted.key, quantity, priced)

    async def _filled(self, model: str, values: JsonObject, changed: Sequence[str]) -> JsonObject:
        """`values` with what Tryton fills in when a person enters the `changed` ones."""
        answer = await self._client.read_call(f"model.{model}.on_change", values, list(changed))
        # Series 7.0 answers with a list of one.
        found: JsonObject = answer[0] if isinstance(answer, list) else answer
        return {**values, **found}

    async def _write(self, purchase: JsonObject, lines: Sequence[Json]) -> None:
        method = f"model.{PURCHASE}.write"
        await self._client.call(method, [purchase["id"]], {"lines": list(lines)}, context=_unchanged(purchase))

    async def _one(self, model: str, clause: Sequence[Json], what: str, fields: Sequence[str] = ("id",)) -> JsonObject:
        found = await self._client.search_read(model, [clause], fields, ((("id", "ASC"),), 1))
        if not found:
            raise PushRefused(f"Tryton has no {what} of which the {clause[0]} is {clause[2]!r}")
        return found[0]

    def _theirs(self, kind: IdentifierKind, ours: str) -> str:
        return self._erp.naming.identifiers.theirs(kind, self._erp.naming.partner, ours)


def _bought(world: World, product: JsonObject, qty: int) -> buying.Bought:
    default = product["default_uom"]
    return buying.bought(world.units, qty, default, product["template."]["purchase_uom"] or default)


def _warehouse(world: World, code: str) -> int:
    for warehouse in world.places.warehouses.values():
        if warehouse.code == code:
            return warehouse.id
    raise PushRefused(f"Tryton has no warehouse with the code {code!r} that is followed")


def _unchanged(purchase: JsonObject) -> JsonObject:
    """The context in which Tryton writes only where the purchase is as it was read."""
    return {"_timestamp": {f"{PURCHASE},{purchase['id']}": purchase["_timestamp"]}}


def _like(signal: str) -> str:
    """A pattern for notes; an underscore in it stands for any character, so what is found is looked at again."""
    return f"%[stockline {signal}%"

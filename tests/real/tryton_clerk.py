"""What the people of a company do in Tryton: buy, receive, count, move, ship, take back. Quantities are in any unit."""

from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from tests.real.tryton_rpc import Rpc

CLERK = "clerk"


class Clerk:
    """A person at a server; codes name items, locations and parties."""

    def __init__(self, erp: Rpc) -> None:
        self._erp = erp
        self.id = cache(self._id)

    def do(self, model: str, button: str, record: int, **context: Any) -> None:
        """Press a button of a record, named as in the current series."""
        named = self._erp.series.buttons.get((model, button), button)
        if named is not None:
            self._erp.rpc(f"model.{model}.{named}", [record], login=CLERK, context=context)

    def make(self, model: str, **values: Any) -> int:
        """Create a record."""
        (made,) = self._erp.rpc(f"model.{model}.create", [values], login=CLERK)
        return int(made)

    def write(self, model: str, record: int, **values: Any) -> None:
        """Change a record."""
        self._erp.rpc(f"model.{model}.write", [record], values, login=CLERK)

    # purchases --------------------------------------------------------------------------------------------------------

    def draft(self, supplier: str, warehouse: str, *lines: tuple[str, float, str], due: date | None = None) -> int:
        """A draft purchase of (item, quantity, unit)."""
        party = self.id("party.party", supplier)
        address = self._erp.find("party.party", [["id", "=", party]], "addresses")[0]["addresses"][0]
        dated = {"delivery_date_edit": True, "delivery_date_store": due} if due else {}
        created = [
            {"type": "line", "unit_price": Decimal("1.5"), "product": self.id("product.product", item),
             "quantity": quantity, "unit": self._unit(unit), **dated}
            for item, quantity, unit in lines
        ]  # fmt: skip
        return self.make(
            "purchase.purchase", party=party, company=1, currency=self._euro(),
            warehouse=self.id("stock.location", warehouse), invoice_address=address, lines=[["create", created]],
        )  # fmt: skip

    def buy(self, supplier: str, warehouse: str, *lines: tuple[str, float, str], due: date | None = None) -> int:
        """A purchase that is confirmed."""
        purchase = self.draft(supplier, warehouse, *lines, due=due)
        self.confirm(purchase)
        return purchase

    def confirm(self, purchase: int) -> None:
        """Order what is a draft."""
        self.do("purchase.purchase", "quote", purchase)
        self.do("purchase.purchase", "confirm", purchase)

    def receive(self, purchase: int, *quantities: float, bin_: str | None = None) -> int:
        """Receive the open moves of a purchase, with these quantities, and put the goods away. Returns the shipment."""
        (order,) = self._erp.find("purchase.purchase", [["id", "=", purchase]], "party", "warehouse", "lines")
        origins = [f"purchase.line,{line}" for line in order["lines"]]
        moves = self._erp.find("stock.move", [["origin", "in", origins], ["state", "=", "draft"]], "quantity")
        warehouse = self._warehouse(order["warehouse"])
        for move, quantity in zip(moves, quantities, strict=False):
            self.write("stock.move", move["id"], quantity=quantity)
        shipment = self.make(
            "stock.shipment.in", company=1, supplier=order["party"], warehouse=order["warehouse"],
            warehouse_input=warehouse["input_location"], warehouse_storage=warehouse["storage_location"],
            incoming_moves=[["add", [move["id"] for move in moves]]],
        )  # fmt: skip
        self.do("stock.shipment.in", "receive", shipment)
        if bin_ is not None:
            found = self._erp.find(
                "stock.move", [["shipment", "=", f"stock.shipment.in,{shipment}"], ["state", "=", "draft"]]
            )
            for move in found:
                self.write("stock.move", move["id"], to_location=self.id("stock.location", bin_))
        self.do("stock.shipment.in", "do", shipment)
        return shipment

    def receive_move(self, purchase: int, quantity: float) -> int:
        """Receive so much on the first open move of a purchase, without a shipment; such a move can be cancelled."""
        (order,) = self._erp.find("purchase.purchase", [["id", "=", purchase]], "lines")
        origins = [f"purchase.line,{line}" for line in order["lines"]]
        move = int(self._erp.find("stock.move", [["origin", "in", origins], ["state", "=", "draft"]])[0]["id"])
        self.write("stock.move", move, quantity=quantity)
        self.do("stock.move", "do", move)
        return move

    def send_back(self, supplier: str, bin_: str, item: str, quantity: float, unit: str = "Unit") -> int:
        """Return goods to a supplier from a bin."""
        here = self.id("stock.location", bin_)
        there = self._erp.one("stock.location", ["type", "=", "supplier"])
        shipment = self.make(
            "stock.shipment.in.return", company=1, supplier=self.id("party.party", supplier), from_location=here,
            to_location=there, moves=[["create", [self._move((item, quantity, unit), here, there, priced=True)]]],
        )  # fmt: skip
        self._press("stock.shipment.in.return", shipment, "wait", "assign_force", "do")
        return shipment

    # stock ------------------------------------------------------------------------------------------------------------

    def count(self, bin_: str, **counted: float) -> int:
        """An inventory of a bin, by item."""
        lines = [
            {"product": self.id("product.product", item), "quantity": quantity} for item, quantity in counted.items()
        ]
        where = self.id("stock.location", bin_)
        inventory = self.make("stock.inventory", company=1, location=where, lines=[["create", lines]])
        self.do("stock.inventory", "confirm", inventory)
        return inventory

    def notes(self, bin_: str, item: str, count: int) -> list[int]:
        """Drafts of so many moves, each of one unit that was found in a bin."""
        values = {
            "product": self.id("product.product", item), "unit": self._unit("Unit"), "quantity": 1.0, "company": 1,
            "from_location": self._erp.one("stock.location", ["type", "=", "lost_found"]),
            "to_location": self.id("stock.location", bin_),
        }  # fmt: skip
        made: list[int] = self._erp.rpc("model.stock.move.create", [values] * count, login=CLERK)
        return made

    def does(self, moves: list[int]) -> None:
        """Do moves in one transaction."""
        self._erp.rpc("model.stock.move.do", moves, login=CLERK)

    def move(self, origin: str, target: str, item: str, quantity: float, unit: str = "Unit") -> int:
        """Move goods between bins, also of two warehouses."""
        shipment = self.shipment(origin, target, item, quantity, unit)
        # Between warehouses Tryton puts the goods in transit on the way.
        legs = ("pack", "ship") if origin[0] != target[0] else ()
        self._press("stock.shipment.internal", shipment, "wait", "assign_force", *legs, "do")
        return shipment

    def shipment(self, origin: str, target: str, item: str, quantity: float, unit: str = "Unit", **values: Any) -> int:
        """A draft of an internal shipment; with two planned dates it goes through transit."""
        here, there = self.id("stock.location", origin), self.id("stock.location", target)
        moves = [["create", [self._move((item, quantity, unit), here, there)]]]
        return self.make(
            "stock.shipment.internal", company=1, from_location=here, to_location=there, moves=moves, **values
        )

    def issue(self, warehouse: str, item: str, quantity: float, unit: str = "Unit") -> int:
        """Ship goods to a customer."""
        found, there = self.id("stock.location", warehouse), self._erp.one("stock.location", ["type", "=", "customer"])
        parts = self._warehouse(found)
        out = parts["output_location"]
        customer, address = self._customer()
        shipment = self.make(
            "stock.shipment.out", company=1, customer=customer, delivery_address=address, warehouse=found,
            warehouse_storage=parts["storage_location"], warehouse_output=out,
            outgoing_moves=[["create", [self._move((item, quantity, unit), out, there, priced=True)]]],
        )  # fmt: skip
        self._press("stock.shipment.out", shipment, "wait", "assign_force", "pick", "pack", "do")
        return shipment

    def take_back(self, warehouse: str, item: str, quantity: float, unit: str = "Unit") -> int:
        """Receive goods back from a customer."""
        found, there = self.id("stock.location", warehouse), self._erp.one("stock.location", ["type", "=", "customer"])
        parts = self._warehouse(found)
        into = parts["input_location"]
        customer, address = self._customer()
        shipment = self.make(
            "stock.shipment.out.return", company=1, customer=customer, contact_address=address, warehouse=found,
            warehouse_storage=parts["storage_location"], warehouse_input=into,
            incoming_moves=[["create", [self._move((item, quantity, unit), there, into, priced=True)]]],
        )  # fmt: skip
        self._press("stock.shipment.out.return", shipment, "receive", "do")
        return shipment

    def cancel(self, *domain: Any) -> list[int]:
        """Cancel the done moves that meet a domain, as a member of the group of cancellation may."""
        moves = [found["id"] for found in self._erp.find("stock.move", [["state", "=", "done"], *domain])]
        for move in moves:
            self.do("stock.move", "cancel", move)
        return moves

    def stock(self) -> dict[tuple[str, str], Decimal]:
        """Tryton's own stock report: what lies in each warehouse of each item, in the item's unit."""
        found: dict[tuple[str, str], Decimal] = {}
        for warehouse in self._erp.find("stock.location", [["type", "=", "warehouse"]], "code"):
            rows = self._erp.rpc(
                "model.product.product.search_read", [], 0, None, None, ["code", "quantity"],
                context={"locations": [warehouse["id"]], "with_childs": True},
            )  # fmt: skip
            found |= {(row["code"], warehouse["code"]): Decimal(str(row["quantity"])) for row in rows}
        return found

    def _press(self, model: str, record: int, *buttons: str) -> None:
        for button in buttons:
            self.do(model, button, record)

    def _move(self, what: tuple[str, float, str], origin: int, target: int, priced: bool = False) -> dict[str, Any]:
        item, quantity, unit = what
        return {
            "product": self.id("product.product", item), "quantity": quantity, "unit": self._unit(unit),
            "from_location": origin, "to_location": target, "company": 1,
            **({"unit_price": Decimal("2.5"), "currency": self._euro()} if priced else {}),
        }  # fmt: skip

    def _euro(self) -> int:
        return self._erp.one("currency.currency", ["code", "=", "EUR"])

    def _customer(self) -> tuple[int, int]:
        party = self.id("party.party", "SHOP")
        return party, self._erp.find("party.party", [["id", "=", party]], "addresses")[0]["addresses"][0]

    def _warehouse(self, number: int) -> dict[str, Any]:
        return self._erp.find(
            "stock.location", [["id", "=", number]], "input_location", "output_location", "storage_location"
        )[0]

    def _unit(self, name: str) -> int:
        return self._erp.one("product.uom", ["name", "=", name])

    def _id(self, model: str, code: str) -> int:
        return self._erp.one(model, ["code", "=", code])

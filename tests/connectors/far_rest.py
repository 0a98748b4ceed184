"""The far side of the REST connector: the shop in Odoo's shape, with the example profile's resource."""

import tomllib
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self

from tests.connectors.harness import FarSide
from tests.simulation.rest_faces import Faults, served
from tests.simulation.rest_odoo import KEY, OdooFace
from tests.simulation.rest_shop import ITEMS, LOCATIONS, UNKNOWN, Move, Shop

EXAMPLE = Path(__file__).parents[2] / "connectors" / "rest" / "data" / "odoo.toml"
RECORDS = 20


class RestShop(FarSide):
    kind = "rest"
    secret = KEY

    async def __aenter__(self) -> Self:
        self.shop = Shop(Random(7))
        for _ in range(RECORDS):
            self.shop.books()
        self.shop.alive = False
        self.face = OdooFace(self.shop, Faults())
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(served(self.face))
            self._stack = stack.pop_all()
        example = tomllib.loads(EXAMPLE.read_text().replace("size = 200", "size = 6"))
        (self.folder / "key").write_text(KEY)
        self._numbers = self.folder / "identifiers.csv"
        self._numbers.write_text("partner,kind,theirs,ours\n")
        self._name("item", ITEMS)
        self._name("location", LOCATIONS)
        self.keys = {
            "url": self.face.url,
            "identifiers": "identifiers.csv",
            "limits": {"requests_per_second": 10_000, "attempts": 1},
            "values": example["values"] | {"key": {"file": self.folder / "key"}},
            "resources": example["resources"],
        }
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def _name(self, kind: str, numbers: dict[str, int]) -> None:
        with self._numbers.open("a") as out:
            out.writelines(f"odoo,{kind},{number},{name}\n" for name, number in numbers.items())

    async def spoil(self) -> None:
        now = self.shop.now
        self.shop.moves.insert(3, Move(self.shop.number(), "in", "STRANGE", "LDS", 4, now, now))

    async def mend(self) -> None:
        self._name("item", {"STRANGE": UNKNOWN})

    async def leave(self) -> None:
        self.face.is_away = True

    async def come_back(self) -> None:
        self.face.is_away = False

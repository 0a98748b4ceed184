"""The far side of the example connector: a file with lines."""

from pathlib import Path
from typing import Self

from tests.connectors.harness import FarSide
from tests.connectors.listed import AWAY

HEADING = "partner,kind,theirs,ours\n"


class PlainList(FarSide):
    kind = "listed"

    @property
    def _list(self) -> Path:
        return self.folder / "list.txt"

    async def __aenter__(self) -> Self:
        self._list.write_text("".join(f"count ITEM-{number} LEEDS {number}\n" for number in range(7)))
        rows = "".join(f"*,item,ITEM-{number},SKU-{number}\n" for number in range(7))
        (self.folder / "identifiers.csv").write_text(HEADING + rows)
        self.keys = {"path": self._list, "identifiers": "identifiers.csv"}
        return self

    async def spoil(self) -> None:
        lines = self._list.read_text().splitlines(keepends=True)
        self._list.write_text("".join([*lines[:3], "count STRANGE LEEDS 4\n", *lines[3:]]))

    async def mend(self) -> None:
        with (self.folder / "identifiers.csv").open("a") as out:
            out.write("list,item,STRANGE,SKU-STRANGE\n")

    async def leave(self) -> None:
        self._list.write_text(self._list.read_text() + f"{AWAY}\n")

    async def come_back(self) -> None:
        self._list.write_text(self._list.read_text().removesuffix(f"{AWAY}\n"))


class ListWithSecret(PlainList):
    """The list whose error tells the password, as a careless library would."""

    secret = "p4ss/w0rd of the list"

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        (self.folder / "secret").write_text(f"{self.secret}\n")
        self.keys["password"] = {"file": self.folder / "secret"}
        return self

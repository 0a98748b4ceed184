"""The series of Tryton that the tests start: the current one, and the one with long support."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.real.alone import CACHE

ALL_OF_THEM = os.environ.get("STOCKLINE_ERP") == "all"
"""Whether the series with long support and PostgreSQL are tried too: each needs minutes for its template."""


@dataclass(frozen=True)
class Series:
    """A series of Tryton: its name, and in what tests must speak to it as to no other.

    `path` is what its calls have behind the address, or behind the database. `buttons` are those that have another name
    than in the current series, by model and button; None for one that there is not.
    """

    name: str
    path: str
    buttons: Mapping[tuple[str, str], str | None] = field(default_factory=dict)

    @property
    def pins(self) -> Path:
        """The versions of all its packages."""
        return Path(__file__).parent / f"tryton-{self.name}.txt"

    @property
    def home(self) -> Path:
        """Where its environment and templates are kept."""
        return CACHE / f"tryton-{self.name}"

    def program(self, name: str) -> str:
        """A program of its environment."""
        return str(self.home / "environment" / "bin" / name)


SHIPMENT = "stock.shipment"
CURRENT = Series("8.2", "rpc/")
LONG_SUPPORT = Series(
    "7.0",
    "",
    {
        (f"{SHIPMENT}.in", "do"): "done",
        (f"{SHIPMENT}.in.return", "do"): "done",
        (f"{SHIPMENT}.out", "do"): "done",
        (f"{SHIPMENT}.out.return", "do"): "done",
        (f"{SHIPMENT}.internal", "do"): "done",
        (f"{SHIPMENT}.internal", "pack"): None,
    },
)

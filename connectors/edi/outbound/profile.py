"""The profile of what goes out to one partner.

kind = "edi"
name = "nordlicht-out"
partner = "nordlicht"                 # the partner's name in the identifiers
standard = "x12"                      # or "edifact"
suppliers = ["NORDLICHT"]             # orders of these suppliers are this partner's
journal = "/var/lib/stockline/nordlicht.journal"   # paths are relative to the profile
path = "/srv/nordlicht"               # on the server where there is `sftp`
out = "out"                           # the folder in it that documents are laid into
since = 2026-03-01T00:00:00+01:00     # orders placed before are not sent

[ours]
id = "5012345000008"
qualifier = "14"

[theirs]
id = "5098765000007"
qualifier = "14"

[receipts]                            # 997 or CONTRL for what came in
folder = "in/archive"                 # where it lies once it was read
profile = "nordlicht.toml"            # by which it was read
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from connectors.edi.outbound.documents import Form, Standard
from connectors.folder.profile import FolderName, PlaceProfile
from connectors.mapping.language import Declared
from connectors.mapping.paths import ProfilePath


class Side(Declared):
    """A side in the header of an interchange: its identification, and the code of what kind that is."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9 ._/-]{1,15}$")]
    qualifier: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,4}$")] = "ZZ"


class Receipts(Declared):
    """Receipts for what came in: the folder below `path` with the files that were read, and the profile they have."""

    folder: Annotated[str, Field(min_length=1)]
    profile: ProfilePath


class Profile(PlaceProfile):
    """The profile of what goes out; see the module's example.

    `orders_from` is `orders` where another system orders, and only there; `signals` where there is none, so that
    automatic and accepted signals become orders. `gather_seconds` is how long an order must be quiet before it is sent,
    so that its lines go out together. A document without a receipt is told as overdue after `overdue_hours`.
    """

    kind: Literal["edi"]
    partner: Annotated[str, Field(min_length=1, max_length=64)]
    standard: Standard
    suppliers: Annotated[frozenset[str], Field(min_length=1)]
    ours: Side
    theirs: Side
    test: bool = False
    journal: ProfilePath
    first_number: Annotated[int, Field(ge=1, le=999_999_999)] = 1
    out: FolderName = "out"
    since: AwareDatetime | None = None
    orders_from: Literal["orders", "signals"] = "orders"
    forecasts: bool = False
    gather_seconds: Annotated[float, Field(ge=0, le=86400)] = 30
    units: dict[str, Annotated[str, Field(pattern=r"^[A-Z0-9]{1,3}$")]] = Field(default_factory=dict)
    base_unit: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,3}$")] | None = None
    item_qualifier: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,3}$")] | None = None
    location_qualifier: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,3}$")] = "92"
    receipts: Receipts | None = None
    overdue_hours: Annotated[float, Field(gt=0, le=8760)] = 24

    @property
    def form(self) -> Form:
        """The standard and its qualifiers of item and location; of an item by default the buyer's own number."""
        return Form(
            self.standard, self.item_qualifier or ("BP" if self.standard == "x12" else "IN"), self.location_qualifier
        )

    @property
    def unit_of_base(self) -> str:
        """The code of a quantity in an item's base unit."""
        return self.base_unit or ("EA" if self.standard == "x12" else "PCE")

    @property
    def suffix(self) -> str:
        """How the files end."""
        return ".x12" if self.standard == "x12" else ".edi"

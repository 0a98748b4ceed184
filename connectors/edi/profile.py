"""What is agreed with a trading partner: who we are, whose codes mean what, and where its goods go.

format = "edi"
source = "edi/acme"                # the CloudEvents source
partner = "acme"                   # the partner's name in the identifiers
we_are = "buyer"                   # or "seller": of orders, notices and acknowledgements
location = "LDS"                   # where a document does not say where, or `locations` is empty
locations = ["ST", "DP"]           # qualifiers of the party (N1, NAD) that is the location, the best first
time_zone = "America/Chicago"      # of dates and times without an offset
items = ["BP", "UP", "VN"]         # qualifiers of item numbers, the best first
strict = false                     # true: a wrong count or control number costs the transaction

[units]                            # their codes: a unit of the item, or a number of base units
CA = "case"
KG = 1000

[codes.line]                       # other meanings of codes, see `connectors.edi.codes`
IP = "changed"
"""

import codecs
import hashlib
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, field_validator

from connectors.edi import codes
from connectors.files.profile import FileProfile
from connectors.mapping.language import Declared
from connectors.mapping.paths import ProfilePath
from connectors.mapping.zones import ZoneName
from connectors.profiles import IdentifierKind

Role = Literal["buyer", "seller"]
Factor = Annotated[Decimal, Field(gt=0)]


class Codes(Declared):
    """Meanings of codes that differ from those of `connectors.edi.codes`."""

    purpose: dict[str, codes.Purpose] = Field(default_factory=dict)
    line: dict[str, codes.LineStatus] = Field(default_factory=dict)
    order_change: dict[str, codes.OrderChange] = Field(default_factory=dict)
    stock: dict[str, codes.StockKind] = Field(default_factory=dict)
    condition: dict[str, codes.Condition] = Field(default_factory=dict)
    adjustment: dict[str, Literal["available", "held"]] = Field(default_factory=dict)
    bucket_days: dict[str, Annotated[int, Field(ge=1, le=366)]] = Field(default_factory=dict)


class Dates(Declared):
    """Qualifiers of dates, the best first."""

    due: tuple[str, ...] = codes.DUE_DATES
    eta: tuple[str, ...] = codes.ETA_DATES


class PartnerProfile(FileProfile):
    """The agreement with one partner; see the module's example.

    `our_ids` and `their_ids` are the identifications in ISA and UNB; where they are given, an interchange of or for
    somebody else is refused. `identity` is what an event's id is made of, see `connectors.edi.message`. `missing_line`
    is the number of a line that has none: its position in the document, its item, or none, which refuses it.
    """

    name: str = "edi"
    format: str = "edi"
    source: Annotated[str, Field(min_length=1, max_length=256)]
    partner: Annotated[str, Field(min_length=1, max_length=64)]
    we_are: Role
    our_ids: frozenset[str] = frozenset()
    their_ids: frozenset[str] = frozenset()
    identifiers: ProfilePath | None = None
    names_are_ours: frozenset[IdentifierKind] = frozenset()
    location: str | None = None
    locations: tuple[str, ...] | None = None
    items: tuple[str, ...] | None = None
    units: dict[str, str | Factor] = Field(default_factory=dict)
    time_zone: ZoneName = "UTC"
    encoding: str | None = None
    strict: bool = False
    skip_tests: bool = False
    missing_line: Literal["position", "item", "refuse"] = "position"
    identity: Literal["document", "control"] = "document"
    codes: Codes = Codes()
    dates: Dates = Dates()

    @field_validator("encoding")
    @classmethod
    def _is_an_encoding(cls, name: str | None) -> str | None:
        try:
            return name and codecs.lookup(name).name
        except LookupError:
            raise ValueError(f"{name!r} is not an encoding") from None

    @property
    def item_qualifiers(self) -> tuple[str, ...]:
        """The qualifiers of item numbers, the best first."""
        if self.items is not None:
            return self.items
        return codes.ITEMS_OF_BUYERS if self.we_are == "buyer" else codes.ITEMS_OF_SELLERS

    def digest(self) -> str:
        """A word that changes with the profile: a file that was read by another profile is sent from its beginning."""
        sets = {"our_ids", "their_ids", "names_are_ours"}
        said = self.model_dump_json(exclude={"identifiers", *sets})
        kept = ("/".join(sorted(getattr(self, name))) for name in sorted(sets))
        return hashlib.sha256("\n".join((said, *kept)).encode()).hexdigest()[:16]

"""A CSV profile: the mapping of the columns (`connectors.mapping.language`), and how the file is laid out.

    source = "wms/leeds"             # the mapping
    id = "{document}-{position}"
    time = { columns = ["date"] }

    delimiter = ";"                  # the layout
    encoding = "cp1252"
    skip_lines = 2                   # before the heading

    [[rules]]
    type = "stock.counted"
    data = { sku = { column = "article" }, location = "LDS", qty = { column = "qty", as = "integer" } }

A row that the mapping cannot read is reported with its line number; the other rows are sent.
"""

import codecs
import hashlib
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_core import to_json

from connectors.mapping.language import Declared, Reading, checked_pattern

DIGESTED = (
    "name", "source", "id", "time", "rules", "columns", "delimiter", "quote", "encoding", "line_end", "record_lines",
    "skip_lines", "decimal", "thousands", "time_zone", "empty", "units",
)  # fmt: skip
"""The keys of a profile in the order of their digest: state files hold digests, so the order never changes."""
ADDED = {"partner": None, "parentheses": False, "skip_matching": (), "short_rows": False}
"""Keys that came later, with their defaults: they are part of the digest of a profile that uses them."""


LATER = ("identifier", "constant")
"""The keys of a column and of the time that came later."""


class FileProfile(Declared):
    """What the profile of every format of files says; each format adds its own keys.

    `name` stands in reports, by default that of the file; `format` is a name of `connectors.files.readers.FORMATS`.
    """

    name: str = ""
    format: str = ""


class Profile(Reading, FileProfile):
    """The reading of a CSV file; see the module's example."""

    name: str = "csv"
    format: str = "csv"
    columns: tuple[str, ...] | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    quote: Annotated[str, Field(min_length=1, max_length=1)] = '"'
    encoding: str = "utf-8-sig"
    line_end: Literal["\n", "\r"] = "\n"
    record_lines: Annotated[int, Field(ge=1, le=1000)] = 1
    skip_lines: Annotated[int, Field(ge=0)] = 0
    skip_matching: tuple[str, ...] = ()
    short_rows: bool = False

    @field_validator("skip_matching")
    @classmethod
    def _are_patterns(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(checked_pattern(pattern) for pattern in patterns)

    @field_validator("encoding")
    @classmethod
    def _is_an_encoding(cls, name: str) -> str:
        try:
            known = codecs.lookup(name).name
        except LookupError:
            raise ValueError(f"{name!r} is not an encoding") from None
        if "\n".encode(known) != b"\n" and known != "utf-8-sig":
            raise ValueError(f"{name!r} is not an encoding in which a line feed is one byte")
        return known

    def digest(self) -> str:
        """A word that changes with the profile: a file that was read by another profile is sent from its beginning."""
        keys = self.model_dump(by_alias=True)
        told = {key: keys[key] for key in DIGESTED} | {key: keys[key] for key in ADDED if keys[key] != ADDED[key]}
        return hashlib.sha256(to_json(_without_unset(told))).hexdigest()[:16]


def _without_unset(value: object) -> object:
    """A dump without the keys within a key that came later and are not used: they leave older digests as they are."""
    if isinstance(value, dict):
        return {key: _without_unset(each) for key, each in value.items() if not (key in LATER and each is None)}
    if isinstance(value, list | tuple):
        return [_without_unset(each) for each in value]
    return value

"""Which forecasts are shared with which supplier: a file that an operator writes; what it does not name is not shared.

[suppliers.ACME]
weeks = 8
locations = ["LDS"]   # patterns; all where absent
skus = ["85*"]
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from engine.core.errors import UsageError

MAX_WEEKS = 104


class Share(Struct, frozen=True, forbid_unknown_fields=True):
    """What is shared with one supplier: forecasts of so many weeks, of the rows that the patterns name."""

    weeks: Annotated[int, Meta(ge=1, le=MAX_WEEKS)]
    locations: tuple[str, ...] = ("*",)
    skus: tuple[str, ...] = ("*",)

    def has(self, sku: str, location: str) -> bool:
        """Whether the forecast of a row is shared."""
        return _matches(sku, self.skus) and _matches(location, self.locations)


class Sharing(Struct, frozen=True, forbid_unknown_fields=True):
    """What is shared with all suppliers, by their name."""

    suppliers: Mapping[str, Share] = {}


def read_sharing(path: Path | None) -> Sharing:
    """Read the file; without one nothing is shared. Raises UsageError for a file that cannot be taken."""
    if path is None:
        return Sharing()
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Sharing)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: it does not say what is shared with suppliers: {error}") from None


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)

"""The name of a time zone in a profile."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator


def _known(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone of the IANA database") from None
    return name


ZoneName = Annotated[str, AfterValidator(_known)]
"""A name of the IANA database; another one is an error of the profile, in words."""

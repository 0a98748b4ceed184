"""What a profile says about pushing signals: its table `[orders]`, whatever the other system.

    [orders]
    attempts = 5             # that are refused before the log hears of it
    retry_seconds = 30       # after the first refused attempt; it doubles with each
    locations = ["LDS"]      # whose signals this system orders for; none: all
    suppliers = []           # the same by supplier

A pause between two attempts is at most `longest_retry_seconds`.
"""

from typing import Annotated

from pydantic import Field

from connectors.mapping.language import Declared


class PushSettings(Declared):
    """Which signals are pushed, and how often what is refused is tried again."""

    attempts: Annotated[int, Field(ge=1, le=100)] = 5
    retry_seconds: Annotated[float, Field(gt=0, le=3600)] = 30
    longest_retry_seconds: Annotated[float, Field(gt=0, le=86400)] = 3600
    locations: tuple[str, ...] = ()
    suppliers: tuple[str, ...] = ()

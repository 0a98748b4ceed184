"""What a transition may answer: outcomes are values, never exceptions."""

from msgspec import Struct


class Rejection(Struct, frozen=True):
    """The event cannot be taken: `reason` is a stable code, `detail` a sentence for a person."""

    reason: str
    detail: str


class Duplicate(Struct, frozen=True):
    """The same event with the same content was seen before: it changes nothing and is counted."""


DUPLICATE = Duplicate()

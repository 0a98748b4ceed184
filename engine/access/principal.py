"""Who calls: a person or a program, with the roles that were given to it."""

from typing import Literal

from msgspec import Struct

Role = Literal["viewer", "planner", "operator", "adapter", "supplier"]
"""What a caller may do; `engine.access.rules` says which call is for which role."""


class Principal(Struct, frozen=True):
    """The caller of one call.

    Attributes:
        name: the name of the login; None where nobody had to log in, then an answer says itself who gives it.
        roles: what the caller may do.
        source: of an adapter, the only `source` whose events it may send.
        supplier: of a supplier, the only supplier whose lines it sees.
    """

    name: str | None
    roles: frozenset[Role]
    source: str | None = None
    supplier: str | None = None


LOCAL = Principal(None, frozenset({"viewer", "planner", "operator", "adapter"}))
"""Whoever calls from this machine while no login is asked for."""

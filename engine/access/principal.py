"""Who calls: a person or a program, with the roles that were given to it."""

from typing import Literal, get_args

import msgspec
from msgspec import Struct

from engine.core.fields import Checked, Identifier, Name

Role = Literal["viewer", "planner", "operator", "adapter", "supplier"]
"""What a caller may do; `engine.access.rules` says which call is for which role."""

ROLES: tuple[Role, ...] = get_args(Role)


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

NOBODY = Principal(None, frozenset())
"""Whoever calls without a login where one is asked for: it may make the calls that are open to anyone."""

Means = Literal["none", "token", "provider", "session"]


class Login(Struct, frozen=True):
    """The proof of who calls.

    Attributes:
        principal: who it is.
        means: `none` where nobody has to log in; a token of Stockline; a token of the OpenID provider; or the cookie
            of a session in a browser, which a page of another site could make the browser send too.
        expires: when it ends, in seconds of the Unix epoch; None for never.
        token: the id of the token of Stockline behind it, by which it can be revoked.
        session: the id of the session, by which it can be ended.
    """

    principal: Principal
    means: Means
    expires: float | None = None
    token: str | None = None
    session: str | None = None


class _Names(Checked):
    name: Name
    source: Identifier | None = None
    supplier: Name | None = None


def has_sound_names(principal: Principal) -> bool:
    """Whether an event could bear its names; one with a line end would also forge lines of the log."""
    try:
        _Names(name=msgspec.convert(principal.name, Name), source=principal.source, supplier=principal.supplier)
    except ValueError:
        return False
    return True


def flaw(principal: Principal) -> str | None:
    """Why these roles cannot be given to a login; None where they can.

    A supplier sees the lines of one supplier and nothing else, so its role goes with no other.
    """
    roles = principal.roles
    if not has_sound_names(principal):
        return "a name has 1 to 64 printable characters, and no space at its ends"
    if not roles:
        return "a login has at least one role"
    if ("supplier" in roles) != (principal.supplier is not None):
        return "the role supplier needs the name of one supplier, and no other role has one"
    if "supplier" in roles and len(roles) > 1:
        return "the role supplier goes with no other role"
    if ("adapter" in roles) != (principal.source is not None):
        return "the role adapter needs the `source` of its events, and no other role has one"
    return None

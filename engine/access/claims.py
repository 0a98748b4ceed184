"""Who a provider says that somebody is: from the claims of its tokens to a login."""

from collections.abc import Mapping
from typing import NamedTuple, TypeGuard

from engine.access.denial import Forbidden, NotLoggedIn
from engine.access.jwt import Claims
from engine.access.principal import ROLES, Login, Principal, Role, flaw, has_sound_names


class ClaimNames(NamedTuple):
    """Where a provider says what we ask: paths of claims, such as `realm_access.roles`.

    Attributes:
        name: the name of the login; where it is missing, `sub` is.
        roles: one text or a list of texts.
        role_of: such a text -> our role; what is not in it gives no role. Empty: the texts are our roles.
        supplier: the supplier of somebody with the role supplier.
        source: the `source` of an adapter.
    """

    name: str
    roles: str
    role_of: Mapping[str, Role]
    supplier: str
    source: str


def login_of(claims: Claims, names: ClaimNames) -> Login:
    """The login that the claims describe; raises NotLoggedIn without a name, and Forbidden without a role of ours."""
    name = _text(claims, names.name) or _text(claims, "sub")
    if not has_sound_names(Principal(name, frozenset())):
        raise NotLoggedIn(f"the provider gives no name of 1 to 64 characters in `{names.name}`", "login_invalid")
    roles = frozenset(role for each in _texts(claims, names.roles) if (role := _role(each, names)))
    supplier = _text(claims, names.supplier) if "supplier" in roles else None
    source = _text(claims, names.source) if "adapter" in roles else None
    principal = Principal(name, roles, source, supplier)
    if (fault := flaw(principal)) is not None:
        raise Forbidden(f"the provider says who {name} is, and not what they may do here: {fault}")
    expires = claims["exp"]
    return Login(principal, "provider", float(expires))


def _role(text: str, names: ClaimNames) -> Role | None:
    if names.role_of:
        return names.role_of.get(text)
    return text if _is_role(text) else None


def _is_role(text: str) -> TypeGuard[Role]:
    return text in ROLES


def _found(claims: Claims, path: str) -> object:
    """The claim at a path; a name that itself has dots, such as a URL, is tried first."""
    found: object = claims
    for part in [path] if path in claims else path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _text(claims: Claims, path: str) -> str | None:
    found = _found(claims, path)
    return found if isinstance(found, str) and found else None


def _texts(claims: Claims, path: str) -> list[str]:
    found = _found(claims, path)
    several = found if isinstance(found, list) else [found]
    return [each for each in several if isinstance(each, str)]

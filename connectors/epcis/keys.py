"""GS1 keys: the EPC URIs of the Tag Data Standard and GS1 Digital Link URIs, as one canonical form of both.

An item is named by its GTIN-14, a place by its GLN and extension. `canonical` gives the Digital Link URI that the event
hash of CBV 2.0 asks for.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple
from urllib.parse import quote, unquote, urlsplit

CANONICAL_HOST: Final = "https://id.gs1.org"
MAX_URI: Final = 1024
"""A longer identifier is not looked into; it names nothing of ours."""

Role = Literal["item", "place", "container", "other"]

_ITEM_LINK = re.compile(r"https?://[^?#]*/01/([0-9]{14}|[0-9]{13}|[0-9]{12}|[0-9]{8})(?:[/?#]|\Z)")
_EPC = re.compile(r"urn:epc:(?:id|idpat|class):([a-z]+):(.+)\Z", re.DOTALL)


class _Form(NamedTuple):
    """How a scheme builds its key: the role, the application identifiers, and the digits of company and reference.

    `leads` says that the first digit of the reference comes before the company prefix (GTIN and SSCC).
    """

    role: Role
    primary: str
    qualifier: str
    digits: int
    leads: bool = False
    checked: bool = True
    joined: bool = False


_FORMS: Final[dict[str, _Form]] = {
    "sgtin": _Form("item", "01", "21", 13, leads=True),
    "lgtin": _Form("item", "01", "10", 13, leads=True),
    "upui": _Form("item", "01", "235", 13, leads=True),
    "sscc": _Form("container", "00", "", 17, leads=True),
    "sgln": _Form("place", "414", "254", 12),
    "pgln": _Form("other", "417", "", 12),
    "grai": _Form("container", "8003", "", 12, joined=True),
    "gdti": _Form("other", "253", "", 12, joined=True),
    "gsrn": _Form("other", "8018", "", 17),
    "gsrnp": _Form("other", "8017", "", 17),
    "giai": _Form("container", "8004", "", 0, checked=False),
    "ginc": _Form("container", "401", "", 0, checked=False),
    "gsin": _Form("container", "402", "", 16),
}
_LINKS: Final[dict[str, Role]] = {
    "01": "item",
    "414": "place",
    "00": "container",
    "8003": "container",
    "8004": "container",
    "401": "container",
    "402": "container",
    "417": "other",
    "253": "other",
    "8017": "other",
    "8018": "other",
}
_QUALIFIERS: Final = {"01": ("235", "21", "10"), "414": ("254",)}
"""The finest level comes first: a serial number says more than a lot."""


@dataclass(frozen=True)
class Key:
    """What an identifier names: its role, the key (GTIN-14, GLN, SSCC ...), and what qualifies it within the key.

    `is_one` is true for a single thing, and false for a class of things such as a GTIN or a lot of it.
    """

    role: Role
    primary: str
    key: str
    qualifier: str = ""
    detail: str = ""
    is_one: bool = True

    @property
    def canonical(self) -> str:
        """The Digital Link URI at the finest level, without further attributes."""
        link = f"{CANONICAL_HOST}/{self.primary}/{self.key}"
        if not self.detail:
            return link
        detail = quote(self.detail, safe="-._~'\"<>;=?")
        return f"{link}/{self.qualifier}/{detail}" if self.qualifier else link + detail


def parse(uri: str) -> Key | None:
    """The key of an EPC URI, an EPC class or pattern URI, or a GS1 Digital Link; None for any other URI."""
    if len(uri) > MAX_URI:
        return None
    if found := _EPC.match(uri):
        return _of_epc(found[1], found[2])
    return _of_link(uri) if uri.startswith(("https://", "http://")) else None


def fault_of(uri: str) -> str:
    """What is wrong with a URI that is written as a trade item of GS1 and is none; empty for any other URI."""
    if found := _EPC.match(uri):
        form = _FORMS.get(found[1])
        if form is not None and form.role == "item" and parse(uri) is None:
            return f"has not {form.digits} digits of a company and an item before its last dot"
    elif (link := _ITEM_LINK.match(uri)) and parse(uri) is None:
        return f"ends its GTIN with {link[1][-1]}, where the check digit is {check_digit(link[1][:-1])}"
    return ""


def check_digit(digits: str) -> str:
    """The check digit of a GS1 key: weights 3 and 1 from the right."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def _of_epc(scheme: str, body: str) -> Key | None:
    form = _FORMS.get(scheme)
    company, _, rest = body.partition(".")
    if form is None or not company.isdecimal() or not company.isascii() or not 6 <= len(company) <= 12:
        return None
    if not form.checked:
        return Key(form.role, form.primary, company + unquote(rest)) if rest else None
    reference, _, detail = rest.partition(".")
    if len(company) + len(reference) != form.digits or not (reference == "" or _is_digits(reference)):
        return None
    bare = reference[:1] + company + reference[1:] if form.leads else company + reference
    key = bare + check_digit(bare)
    return _qualified(form, "0" + key if scheme == "grai" else key, unquote(detail))


def _qualified(form: _Form, key: str, detail: str) -> Key:
    if detail in ("", "*") or (form.role == "place" and detail == "0"):
        is_one = form.role != "item" and detail != "*"
        return Key(form.role, form.primary, key, is_one=is_one)
    return Key(form.role, form.primary, key, form.qualifier, detail, is_one=form.qualifier != "10")


def _of_link(uri: str) -> Key | None:
    try:
        parts = [unquote(part) for part in urlsplit(uri).path.strip("/").split("/")]
    except ValueError:
        return None
    for place in range(len(parts) - 1):
        primary, key = parts[place], parts[place + 1]
        if primary in _LINKS and _fits(primary, key):
            return _linked(primary, key, dict(zip(parts[place + 2 :: 2], parts[place + 3 :: 2], strict=False)))
    return None


def _linked(primary: str, key: str, more: dict[str, str]) -> Key:
    role = _LINKS[primary]
    key = key.zfill(14) if primary == "01" else key
    for qualifier in _QUALIFIERS.get(primary, ()):
        if more.get(qualifier):
            return Key(role, primary, key, qualifier, more[qualifier], is_one=qualifier != "10")
    return Key(role, primary, key, is_one=role != "item")


def _fits(primary: str, key: str) -> bool:
    """Whether a part of a path can be the key: of numeric ones the length and the check digit are tested."""
    lengths = {"01": (8, 12, 13, 14), "00": (18,), "414": (13,), "417": (13,), "8017": (18,), "8018": (18,)}
    if primary not in lengths:
        return bool(key)
    return _is_digits(key) and len(key) in lengths[primary] and check_digit(key[:-1]) == key[-1]


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdecimal()

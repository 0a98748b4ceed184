"""The files of the live view: which pages there are, and every part with its type, digest and compressed form.

To add a page, write its module under `static/pages`, with a function `start(main)` that fills the element, and add a
row to `PAGES`: the route, the navigation and the documents of the API follow from it.
"""

import gzip
import hashlib
import html
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from string import Template
from typing import NamedTuple

from engine.access.principal import Role

LEAST_TO_COMPRESS = 1024
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".txt": "text/plain"}
"""What is served: files of other kinds, such as `VENDOR.toml` and the template, are no parts."""


class Page(NamedTuple):
    """A page: its title, and which roles find it in the navigation (the calls behind it have rules of their own)."""

    title: str
    roles: tuple[Role, ...] = ("viewer", "planner", "operator")
    in_navigation: bool = True


PAGES: Mapping[str, Page] = {
    "today": Page("Today"),
    "stock": Page("Stock"),
    "decisions": Page("Decisions"),
    "trace": Page("Trace"),
    "kpis": Page("Figures"),
    "supplier": Page("Supplier", ("supplier", "planner", "operator")),
    "ops": Page("Operations", ("operator",)),
    "row": Page("Row", in_navigation=False),
}
"""The name of a page -> the page. Its module is `static/pages/NAME.js`, its path `/NAME`; `today` is at `/`."""

FRONT = "today"

_SCRIPTLESS = (
    '<noscript><p class="empty">This page needs JavaScript. <a href="/openapi.json">The interface</a> does not.</p>'
    "</noscript>"
)


def open_to(roles: Set[Role]) -> list[str]:
    """The pages in the navigation of who has these roles, in its order; the first is where the login leads."""
    return [name for name, page in PAGES.items() if page.in_navigation and roles & set(page.roles)]


def by_path() -> list[str]:
    """The pages at a path that is their name alone."""
    return [name for name, page in PAGES.items() if page.in_navigation and name != FRONT]


class Part(NamedTuple):
    """A file of the live view: its bytes, plain and compressed, its media type and its entity tag."""

    body: bytes
    compressed: bytes | None
    media_type: str
    tag: str


@lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """The paths of all parts below `static`; nothing else is ever served."""
    return frozenset(_names(files("engine.web").joinpath("static"), ""))


def _names(folder: Traversable, path: str) -> Iterator[str]:
    for each in folder.iterdir():
        if each.is_dir():
            yield from _names(each, f"{path}{each.name}/")
        elif _suffix(each.name) in TYPES:
            yield path + each.name


def _suffix(name: str) -> str:
    return name[name.rfind(".") :]


@cache
def part(name: str) -> Part:
    """The part of this path, which is one of `names()`."""
    body = files("engine.web").joinpath("static", *name.split("/")).read_bytes()
    # The digest of the content is the entity tag, so that a browser asks again and is answered 304 until it changes.
    tag = hashlib.sha256(body).hexdigest()[:32]
    compressed = gzip.compress(body, mtime=0) if len(body) >= LEAST_TO_COMPRESS else None
    return Part(body, compressed, TYPES[_suffix(name)], tag)


@cache
def _template() -> Template:
    return Template(files("engine.web").joinpath("static", "page.html").read_text(encoding="utf-8"))


def document(name: str, nonce: str, roles: Set[Role]) -> str:
    """The HTML of a page for who has these roles, or where the page is not for them one that says so.

    `nonce` is that of its Content-Security-Policy, for the styles that the grid adds.
    """
    is_open, title = bool(roles & set(PAGES[name].roles)), html.escape(PAGES[name].title)
    content = _SCRIPTLESS if is_open else _refusal(PAGES[name], roles)
    # Without the name of a module the frame of the page opens none.
    module, navigation = name if is_open else "", _navigation(name, open_to(roles))
    return _template().substitute(title=title, name=module, nonce=nonce, navigation=navigation, content=content)


def path_of(name: str) -> str:
    """The path of a page that is in the navigation."""
    return "/" if name == FRONT else f"/{name}"


def _navigation(current: str, names: Sequence[str]) -> str:
    links = []
    for name in names:
        here = ' aria-current="page"' if name == current else ""
        links.append(f'<a href="{path_of(name)}" data-page="{name}"{here}>{html.escape(PAGES[name].title)}</a>')
    return "\n    ".join(links)


def _refusal(page: Page, roles: Set[Role]) -> str:
    """Says for whom a page is, and where who opened it may go instead."""
    who, own = " or ".join(page.roles), open_to(roles)
    text = f"The page {page.title} is for the role {who}; your login has the role {', '.join(sorted(roles))}."
    if own:
        further = f'<a class="button" href="{path_of(own[0])}">Go to {html.escape(PAGES[own[0]].title)}</a>'
    else:
        further = "<p>That role is for a program, and no page is for it. Log out, and log in as a person.</p>"
    words = f"<h2>This page is not for your login</h2><p>{html.escape(text)}</p>{further}"
    return f'<div class="empty" data-part="refusal">{words}</div>'

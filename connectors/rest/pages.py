"""Lists, page by page: which request comes next, by the way in which a profile says that a list is paged."""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple

from connectors.base import Json
from connectors.profiles import Unreachable
from connectors.rest.answers import at_path, records_of
from connectors.rest.client import Asked, RestClient
from connectors.rest.profile import Listing, Request
from connectors.rest.templates import Values, filled, filled_path, filled_query

MAX_PAGES = 100_000
"""Of one list: a system that never comes to an end is not followed for ever."""


class Page(NamedTuple):
    """The records of a page, and the cursor after it where the list has such."""

    records: Sequence[Json]
    cursor: str | None


def asked(client: RestClient, request: Request, values: Values, lines: Sequence[Values] = ()) -> Asked:
    """A request from its template."""
    headers = {name: str(text) for name, text in filled_query(request.headers, values).items()}
    return Asked(
        request.method,
        client.url(filled_path(request.path, values)),
        filled_query(request.query, values),
        headers,
        filled(request.body, values, lines),
        request.error,
    )


async def pages(client: RestClient, listing: Listing, values: Values, cursor: str | None = None) -> AsyncIterator[Page]:
    """The pages of a list; `cursor` is where to go on. Raises as `RestClient.ask` does.

    A list whose links lead in a circle, or whose next page is the one before, raises `Unreachable`.
    """
    paging = listing.paging
    state = _first(listing, cursor)
    visited = {cursor}
    link: str | None = None
    for _ in range(MAX_PAGES):
        request = asked(client, listing, {**values, **state})
        if link is not None:
            request = Asked(request.method, link, {}, request.headers, request.body, request.error)
        answer = await client.ask(request)
        try:
            records = records_of(answer, listing.records)
        except ValueError as error:
            raise Unreachable(f"{request.url}: {error}") from None
        following = at_path(answer, paging.next) if paging.next else None
        yield Page(records, following if paging.kind == "cursor" else None)
        if _is_last(paging.kind, len(records), following):
            return
        if paging.kind in ("cursor", "next_link"):
            if following in visited:
                raise Unreachable(f"{request.url}: its pages lead in a circle")
            visited.add(following)
            state["cursor"] = following
            link = client.link(str(following), request.url) if paging.kind == "next_link" else None
        _advance(state, listing, records)
    raise Unreachable(f"{listing.path}: the list does not end after {MAX_PAGES} pages")


def _first(listing: Listing, cursor: str | None) -> dict[str, object]:
    """What the template of the first page is filled with."""
    paging = listing.paging
    begin = {"offset": 0, "page": paging.first_page, "after": paging.first_key}
    return {"limit": paging.size, "cursor": cursor, **begin}


def _is_last(kind: str, count: int, following: Json) -> bool:
    """A short page ends no list: some systems give fewer records than they are asked for."""
    if kind == "next_link":
        return not following
    return kind == "none" or count == 0 or (kind == "cursor" and not following)


def _advance(state: dict[str, object], listing: Listing, records: Sequence[Json]) -> None:
    paging = listing.paging
    state["page"] = int(str(state["page"])) + 1
    state["offset"] = int(str(state["offset"])) + len(records)
    if paging.kind == "keyset" and paging.key is not None:
        after = at_path(records[-1], paging.key)
        if after is None or after == state["after"]:
            raise Unreachable(f"{listing.path}: the records are not ordered by {paging.key}, or have none")
        state["after"] = after


def digest(record: Json) -> bytes:
    """A digest of a record: the same for the same content."""
    text = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=12).digest()


def own_values(values: Mapping[str, object]) -> Values:
    """The values that every template knows, with those of the profile."""
    return {"since": None, "limit": None, "offset": None, "page": None, "cursor": None, "after": None, **values}

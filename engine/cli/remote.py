"""Requests to a running engine, for the commands that show what it has."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import typer

from connectors.client import DEFAULT_URL, PAGE, EngineClient, EngineRefused, EngineUnreachable, Patience
from engine.core.errors import EnvironmentFailure, StocklineError, UsageError

T = TypeVar("T")
Pairs = Sequence[tuple[str, str]]

AT_ONCE = Patience(seconds=0, busy_seconds=0)


class RequestRejected(StocklineError):
    """The engine rejected the request (a 4xx but 400): the thing does not exist, or its state does not allow it."""


def checked_url(url: str) -> str:
    """The URL of an engine, as it was given; raises UsageError if it is not an HTTP URL."""
    try:
        parts = urlsplit(url)
        # Asking for the port finds one that is none.
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise UsageError(f"--url is an address such as {DEFAULT_URL}, not {url}")
    return url


Url = Annotated[str, typer.Option(envvar="STOCKLINE_URL", callback=checked_url, help="The engine's address.")]


def ask(url: str, question: Callable[[EngineClient], Awaitable[T]]) -> T:
    """Ask the engine at `url`, once.

    Raises:
        EnvironmentFailure: no engine answers.
        UsageError: the engine calls the request malformed (400).
        RequestRejected: the engine rejects the request for another reason.
    """

    async def talk() -> T:
        async with EngineClient(url, AT_ONCE) as client:
            return await question(client)

    try:
        return asyncio.run(talk())
    except EngineUnreachable as error:
        raise EnvironmentFailure(f"no engine answers at {url}; `stockline run` starts one ({error})") from error
    except EngineRefused as error:
        raise (UsageError if error.status == 400 else RequestRejected)(str(error)) from error


def things(url: str, path: str, filters: Pairs, limit: int) -> tuple[list[dict[str, Any]], int | None]:
    """The first `limit` items of a list, over as many pages as it takes, and how many items there are in all.

    The total is None where the engine does not count.
    """

    async def collect(client: EngineClient) -> tuple[list[dict[str, Any]], int | None]:
        items: list[dict[str, Any]] = []
        following: Pairs = []
        while True:
            query = urlencode([*filters, *following, ("limit", str(min(limit - len(items), PAGE)))])
            page = await client.get(f"{path}?{query}")
            items += page["items"]
            if page["next"] is None or len(items) >= limit:
                return items, page["total"]
            following = [("cursor", page["next"])]

    return ask(url, collect)


def thing(url: str, *path: str) -> dict[str, Any]:
    """The JSON object at a path, given by its parts, which are escaped here."""
    found: dict[str, Any] = ask(url, lambda client: client.get("/" + "/".join(quote(part, safe="") for part in path)))
    return found

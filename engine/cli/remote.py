"""One question to a running engine, for commands that look."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, urlencode

import typer

from connectors.client import DEFAULT_URL, PAGE, EngineClient, EngineRefused, EngineUnreachable, Patience
from engine.core.errors import EnvironmentFailure, StocklineError, UsageError

T = TypeVar("T")
Pairs = Sequence[tuple[str, str]]

AT_ONCE = Patience(seconds=0, busy_seconds=0)


class NotSo(StocklineError):
    """The engine answers that the thing asked about is not so, or not there."""


def checked_url(url: str) -> str:
    """The address of an engine; raises UsageError where it is none."""
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"--url is an address such as {DEFAULT_URL}, not {url}")
    return url


Url = Annotated[str, typer.Option(envvar="STOCKLINE_URL", callback=checked_url, help="The engine's address.")]


def ask(url: str, question: Callable[[EngineClient], Awaitable[T]]) -> T:
    """The engine's answer. Raises EnvironmentFailure where none answers, UsageError for a bad question, else NotSo."""

    async def talk() -> T:
        async with EngineClient(url, AT_ONCE) as client:
            return await question(client)

    try:
        return asyncio.run(talk())
    except EngineUnreachable as error:
        raise EnvironmentFailure(f"no engine answers at {url}; `stockline run` starts one ({error})") from error
    except EngineRefused as error:
        raise (UsageError if error.status == 400 else NotSo)(str(error)) from error


def things(url: str, path: str, filters: Pairs, limit: int) -> tuple[list[dict[str, Any]], int | None]:
    """At most `limit` things of a list, over as many pages as it takes, and how many there are."""

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
    """One thing by its path, whose parts are escaped here."""
    found: dict[str, Any] = ask(url, lambda client: client.get("/" + "/".join(quote(part, safe="") for part in path)))
    return found

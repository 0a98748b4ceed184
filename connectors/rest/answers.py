"""What an answer holds: JSON whose numbers keep their digits as text, and what lies at a path in it. Pure."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from connectors.base import Json

WORDS = 300
"""Of an error's text so much is passed on: some systems answer with a page."""
_EPOCH_BEGINS = 1_000_000_000
"""A rate limit's reset above this is a time, below it a number of seconds."""


def parsed(body: bytes) -> Json:
    """The JSON of a body, None where it is empty. Raises `ValueError` for what is no JSON, such as half of it."""
    try:
        text = body.decode()
        return json.loads(text, parse_int=str, parse_float=str) if text.strip() else None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def at_path(answer: Json, path: str) -> Json:
    """What lies at a dotted path, which may go through lists; None where nothing does. A key with dots is found too."""
    if not path:
        return answer
    if isinstance(answer, dict) and path in answer:
        return answer[path]
    name, _, rest = path.partition(".")
    if isinstance(answer, list) and name.isdecimal() and int(name) < len(answer):
        return at_path(answer[int(name)], rest)
    return at_path(answer[name], rest) if isinstance(answer, dict) and name in answer else None


def records_of(answer: Json, path: str) -> list[Json]:
    """The records of an answer. Raises `ValueError` where there is no list."""
    found = at_path(answer, path)
    if not isinstance(found, list):
        raise ValueError(f"it holds no list of records{f' at {path}' if path else ''}")
    return found


def words(answer: object) -> str:
    """An error in one line: the longest useful text of it, without what some systems put around it."""
    for path in ("data.message", "message", "error.message", "error_description", "error", "detail", "title"):
        if isinstance(answer, dict) and isinstance(found := at_path(answer, path), str) and found:
            return " ".join(found.split())[:WORDS]
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    return " ".join(text.split())[:WORDS]


def wait_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """How long the other system asks to wait: `Retry-After`, in seconds or as a time; None where it does not say."""
    told = headers.get("Retry-After", "").strip()
    if told.isdecimal():
        return float(told)
    try:
        until = parsedate_to_datetime(told) if told else None
    except ValueError:
        return None
    if until is None:
        return None
    return max(0.0, (until - now) / timedelta(seconds=1)) if until.tzinfo else None


def pace_seconds(headers: Mapping[str, str], now: datetime) -> float:
    """How long to wait as nothing is left of a rate limit (`X-RateLimit-Remaining`, `-Reset`); 0 while some is."""
    try:
        if float(headers.get("X-RateLimit-Remaining", "1")) >= 1:
            return 0.0
        reset = float(headers.get("X-RateLimit-Reset", "1"))
    except ValueError:
        return 0.0
    return max(0.0, reset - now.astimezone(UTC).timestamp() if reset > _EPOCH_BEGINS else reset)

"""Events as they are: of each type that goes in at least one, in a day of one item, and one of each that comes out."""

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
IN = ("events.ndjson", "engine-events.ndjson")
"""What producers may send, and what only the engine writes."""
OUT = ("outputs.ndjson",)
"""What the engine publishes."""


def examples_of(kind: str, files: tuple[str, ...] = IN + OUT) -> list[dict[str, Any]]:
    """The examples of a type of event; none where there is no such type.

    A type that goes in and comes out has examples of both, unless `files` is one of `IN` and `OUT`.
    """
    return _by_type(files).get(kind, [])


@cache
def _by_type(files: tuple[str, ...]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for name in files:
        for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
            event = json.loads(line)
            found.setdefault(event["type"], []).append(event)
    return found

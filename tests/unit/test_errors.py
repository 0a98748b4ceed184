"""Every error is in the tree that `engine.core.errors` draws, at the place where its class is."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

from engine.core import errors
from engine.core.errors import StocklineError

ROOT = Path(__file__).parents[2]
PACKAGES = ("engine", "agents", "tables", "connectors")
EXCEPTION = re.compile(r"^class (\w+)\(.*(?:Error|Exception|Failure|Warning)\b.*\):", re.MULTILINE)
BRANCH = re.compile(r"^    ((?:\|   )*)[|`]-- (\w+)", re.MULTILINE)


def declared() -> Iterator[tuple[str, type[BaseException]]]:
    """Each exception class that a module of the packages declares."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if path.name == "__main__.py":
                continue
            for name in EXCEPTION.findall(path.read_text(encoding="utf-8")):
                module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
                yield name, getattr(module, name)


def drawn() -> dict[str, str]:
    """Each error of the tree, with the class that it hangs from."""
    parents: dict[str, str] = {}
    path = ["StocklineError"]
    for indent, name in BRANCH.findall(errors.__doc__ or ""):
        path[len(indent) // 4 + 1 :] = [name]
        parents[name] = path[-2]
    return parents


def test_every_error_is_drawn_where_its_class_is() -> None:
    found = {name: kind.__bases__[0].__name__ for name, kind in declared() if kind is not StocklineError}
    # `Crash` is thrown into a process that a test kills: nothing may catch it.
    assert found.pop("Crash", "BaseException") == "BaseException"
    assert found == drawn()

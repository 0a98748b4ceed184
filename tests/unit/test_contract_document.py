"""docs/contract.md names what the code has: every event type, reason, alert kind and route."""

import re
from pathlib import Path
from typing import get_args

import pytest

from engine.core.events import EVENT_TYPES
from engine.core.outputs import AlertKind
from engine.web.routes import ROUTES

ROOT = Path(__file__).parents[2]
CONTRACT = (ROOT / "docs" / "contract.md").read_text()
IN_FORCE = CONTRACT.split("## 8.")[0]
REASON = re.compile(r'(?:Rejection|Misfit)\(\s*"([a-z_]+)"|^UNTRANSLATABLE = "([a-z_]+)"', re.MULTILINE)


def reasons() -> set[str]:
    sources = [p.read_text() for folder in ("engine", "agents", "connectors") for p in (ROOT / folder).rglob("*.py")]
    return {first or second for source in sources for first, second in REASON.findall(source)}


@pytest.mark.parametrize("name", sorted(EVENT_TYPES))
def test_every_event_type_is_in_the_contract(name: str) -> None:
    assert f"`{name}`" in IN_FORCE


@pytest.mark.parametrize("kind", get_args(AlertKind))
def test_every_alert_kind_is_in_the_contract(kind: str) -> None:
    assert f"`{kind}`" in IN_FORCE


def test_every_reason_of_a_dead_letter_is_in_the_contract() -> None:
    found = reasons()
    assert {"conflict", "unknown_unit", "untranslatable", "row_too_large"} <= found
    assert {reason for reason in found if f"`{reason}`" not in IN_FORCE} == set()


def spelled_out(path: str) -> list[str]:
    """A path whose last part is one of several verbs, once for each."""
    verbs = re.search(r"\{verb:(.*)\}", path)
    return [path] if verbs is None else [path[: verbs.start()] + verb for verb in verbs[1].split("|")]


def test_every_route_is_in_the_contract() -> None:
    routes = [route.path for route in ROUTES if not route.path.startswith("/static/")]
    assert "/v1/events" in routes
    paths = [path for route in routes for path in spelled_out(route)]
    assert [path for path in paths if not all(part in IN_FORCE for part in path.rsplit("/", 1))] == []


def test_what_is_announced_is_not_in_force() -> None:
    announced = set(re.findall(r"^\| `([a-z_]+\.[a-z_]+)`", CONTRACT.split("## 8.")[1], re.MULTILINE))
    assert announced
    assert announced & set(EVENT_TYPES) == set()

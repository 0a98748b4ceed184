"""A declaration that is made in one place and forgotten in another ends the start of the engine, not its stream."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from msgspec import Struct, json

from engine.core import events
from engine.core.errors import BrokenInvariant
from engine.core.fields import Checked, Name, reader_of
from engine.core.outcomes import Rejection
from engine.core.outputs import SEVERITY, Alert, AlertKind

PROJECT = Path(events.__file__).parents[2]
NEW_TYPE = 'class StockEaten(EventOf[p.StockStatusData], tag="stock.eaten"): ...\n'


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The code of the engine, to be spoiled."""
    for package in ("engine", "agents", "tables", "connectors"):
        shutil.copytree(PROJECT / package, tmp_path / package, ignore=shutil.ignore_patterns("*.xz", "__pycache__"))
    return tmp_path


def spoil(copy: Path, name: str, old: str, new: str) -> None:
    path = copy / name
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, new))


def start(copy: Path) -> tuple[int, str]:
    """How `stockline run` ends, and what it says."""
    command = [sys.executable, "-m", "engine", "run", "--data", str(copy / "data"), "--port", "0"]
    ended = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=240, check=False)
    return ended.returncode, ended.stderr


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        pytest.param(
            "engine/core/events.py", "class ClockTicked(", NEW_TYPE + "class ClockTicked(", "stock.eaten",
            id="an event type that no agent handles",
        ),
        pytest.param(
            "agents/pipeline.py", "    e.StockHeld: Handling((stock.hold,), after_drain, QTY),\n", "", "stock.held",
            id="no handling",
        ),
        pytest.param(
            "engine/core/payloads.py", "    due: date | None = None\n\n\nclass OrderAcknowledgedData",
            "    due: date | None = None\n    by: Name | None = None\n\n\nclass OrderAcknowledgedData", "Promise",
            id="an identifier in a struct that checks none",
        ),
    ],
)  # fmt: skip
def test_a_forgotten_place_ends_the_start_and_is_named(copy: Path, name: str, old: str, new: str, said: str) -> None:
    spoil(copy, name, old, new)
    code, error = start(copy)
    assert code != 0
    assert said in error.splitlines()[-1]


def test_every_declared_event_type_is_decoded_under_its_name() -> None:
    assert set(events.EVENT_TYPES.values()) == set(get_args(events.AnyEvent)) == set(events.EventOf.__subclasses__())
    for name, kind in events.EVENT_TYPES.items():
        missing_data = events.decode(b'{"specversion":"1.0","type":"%b"}' % name.encode())
        assert isinstance(missing_data, Rejection)
        assert missing_data.reason == "invalid_event"
        assert kind.__struct_config__.tag == name


def test_every_alert_kind_is_of_one_severity_and_is_raised_by_an_agent() -> None:
    assert len(get_args(AlertKind)) == len(set(get_args(AlertKind))), "a kind stands in two lists of outputs.py"
    assert set(SEVERITY) == set(get_args(AlertKind))
    agents = "".join(path.read_text() for path in (PROJECT / "agents").glob("*.py"))
    assert [kind for kind in SEVERITY if f'"{kind}"' not in agents] == [], "no agent raises an alert of these kinds"


def test_every_alert_kind_can_be_read_back() -> None:
    for kind in get_args(AlertKind):
        alert = json.decode(
            b'{"id":"a","kind":"%b","sku":"A","location":"L","severity":"info","status":"open",'
            b'"opened":"2026-03-02T09:14:05Z","updated":"2026-03-02T09:14:05Z","evidence":{}}' % kind.encode(),
            type=Alert,
        )
        assert alert.kind == kind


# Identifiers are checked by their type


class Everything(Checked, kw_only=True):
    colour: Name | None = None
    number: int | Name | None = None
    shades: list[Name] | None = None
    boxes: dict[Name, list[int]] | None = None
    layers: tuple[list[Name], ...] = ()
    plain: str | None = None
    inner: "Inner | None" = None


class Inner(Checked, kw_only=True):
    taste: Name


class Unchecked(Struct):
    taste: Name


class HoldsUnchecked(Checked, kw_only=True):
    inner: list[Unchecked]


class Values(Checked, kw_only=True):
    tastes: dict[str, Name]


@pytest.mark.parametrize("bad", ["a ", " a", "*", "a\tb", "a\u200b", "\u00a0a"])
@pytest.mark.parametrize(
    "place",
    ['{"colour":%s}', '{"number":%s}', '{"shades":["ok",%s]}', '{"boxes":{%s:[]}}', '{"layers":[[],["ok",%s]]}',
     '{"inner":{"taste":%s}}'],
)  # fmt: skip
def test_an_identifier_is_checked_wherever_its_type_stands(place: str, bad: str) -> None:
    def decoded(text: str) -> Everything:
        return json.decode((place % json.encode(text).decode()).encode(), type=Everything)

    assert isinstance(decoded("a b"), Everything)
    with pytest.raises(ValueError, match="not printable or a space at an end"):
        decoded(bad)


def test_what_is_no_identifier_is_not_checked() -> None:
    assert json.decode(b'{"plain":" a\\t*","number":7}', type=Everything).plain == " a\t*"


@pytest.mark.parametrize("kind", [Unchecked, HoldsUnchecked, Values])
def test_an_identifier_where_nobody_would_check_it_is_a_broken_invariant(kind: type[Struct]) -> None:
    with pytest.raises(BrokenInvariant):
        reader_of(kind)

"""The fixed examples of CI do not depend on which modules are loaded, and so not on the tests that ran before."""

import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import forget_loaded_modules


def examples() -> list[int]:
    """The numbers that a property is tried with."""
    found: list[int] = []

    @settings(max_examples=200, derandomize=True, database=None)
    @given(st.integers())
    def take(number: int) -> None:
        found.append(number)

    take()
    return found


def test_a_module_that_is_loaded_meanwhile_changes_no_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forget_loaded_modules(monkeypatch)
    before = examples()
    path = tmp_path / "figures.py"
    path.write_text(f"FIGURES = {[10**6 + 7 * number for number in range(500)]}\n")
    module = ModuleType("figures")
    module.__file__ = str(path)
    SourceFileLoader("figures", str(path)).exec_module(module)
    monkeypatch.setitem(sys.modules, "figures", module)
    assert examples() == before

"""Who writes which field of the stock row: what its declaration says in brackets is what the agents do."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import agents
from tables.ledger import Balances
from tables.stock import Stock

FOLDER = Path(agents.__path__[0])
FIELD = re.compile(r"^    (\w+): .*\n    \"\"\".* \[(.*)\]\"\"\"$", re.MULTILINE)
DECLARED = {field: set(writers.split(", ")) for field, writers in FIELD.findall(inspect.getsource(Stock))}
THROUGH_SITE = {"wake_at", "alerts"}
"""`agents.turn.Site` writes these on behalf of others."""


def writers_of(field: str) -> set[str]:
    """The modules of the agents in which a statement sets the field of a stock row."""
    statement = re.compile(rf"\b(?:stock|row)\.{field} (?:=|\+=|-=)")
    return {path.stem for path in FOLDER.glob("*.py") if statement.search(path.read_text(encoding="utf-8"))}


def test_every_field_of_the_stock_row_names_its_writers() -> None:
    own = [field for field in Stock.__struct_fields__ if field not in Balances.__struct_fields__]
    assert list(DECLARED) == own


@pytest.mark.parametrize("field", sorted(set(DECLARED) - THROUGH_SITE))
def test_a_field_of_the_stock_row_is_written_by_the_agents_that_it_names(field: str) -> None:
    assert writers_of(field) == DECLARED[field]


@pytest.mark.parametrize("field", sorted(THROUGH_SITE))
def test_a_field_that_is_written_on_behalf_of_others_is_written_by_the_site(field: str) -> None:
    assert "turn" in writers_of(field) <= {"turn", "pipeline"}

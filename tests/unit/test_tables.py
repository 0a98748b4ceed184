"""A table is declared in one place, and everything that must know of it follows from there."""

import pkgutil
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
from msgspec import Struct

import tables
from engine.core.errors import BrokenInvariant
from tables import catalogue
from tables.stock import STOCK
from tables.table import Table, Use


def module(*declared: Table[Any]) -> ModuleType:
    made = ModuleType("made")
    vars(made).update({f"TABLE_{number}": table for number, table in enumerate(declared)})
    return made


@pytest.mark.parametrize(
    ("tag", "name"),
    [pytest.param(bytes(STOCK), "milk", id="a tag that is taken"), pytest.param(b"\x7f", "stock", id="a name that is")],
)
def test_a_table_that_is_declared_twice_ends_the_start_and_is_named(tag: bytes, name: str) -> None:
    with pytest.raises(BrokenInvariant, match=f"`stock`.*`{name}`"):
        catalogue.declared_in([*catalogue.MODULES, module(Table(tag, name, bytes))])


def test_a_table_that_one_module_takes_from_another_is_declared_once() -> None:
    assert catalogue.declared_in([module(STOCK), module(STOCK)]) == [STOCK]


def test_every_table_that_a_module_declares_is_in_the_catalogue() -> None:
    modules = [import_module(f"tables.{found.name}") for found in pkgutil.iter_modules(tables.__path__)]
    missing = [table for table in catalogue.declared_in(modules) if table not in catalogue.TABLES]
    assert not missing, f"{missing} must be in a module that tables/catalogue.py names"


@pytest.mark.parametrize("table", catalogue.TABLES, ids=lambda table: table.name)
def test_a_table_is_handled_as_it_declares(table: Table[Any]) -> None:
    tag = table[0]
    assert len(table) == 1
    assert bool(table.use & (Use.BY_KEY | Use.IN_ORDER)) != (Use.BY_BUS in table.use), "agents read it, or the bus"
    assert (tag in catalogue.CACHED_TAGS) == (Use.BY_KEY in table.use)
    assert (tag in catalogue.ORDERED_TAGS) == (Use.IN_ORDER in table.use)
    assert (tag in catalogue.HIDDEN_TAGS) == (Use.HIDDEN in table.use)
    assert (table in catalogue.AUDITED) == (Use.BY_BUS not in table.use)
    if table.row_type is bytes:
        assert catalogue.DECODERS[tag](b"as it is") == b"as it is"
    else:
        assert issubclass(table.row_type, Struct)
        assert table.row_type.__struct_config__.array_like, "a field may be added at the end of an array only"

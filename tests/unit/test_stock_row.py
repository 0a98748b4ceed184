"""Who writes which field of the stock row is written at the field, and true."""

from __future__ import annotations

import ast
import inspect
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import agents
from tables.ledger import Balances
from tables.stock import Stock


def told_writers() -> dict[str, set[str]]:
    """Field -> the modules of agents that its description names in brackets."""
    told = {}
    (declared,) = ast.parse(inspect.getsource(Stock)).body
    assert isinstance(declared, ast.ClassDef)
    for field, text in pairwise(declared.body):
        if isinstance(field, ast.AnnAssign):
            name = ast.unparse(field.target)
            brackets = re.search(r"\[([\w, ]+)\]\W*$", ast.unparse(text))
            assert brackets, f"tables/stock.py: `{name}` does not say in brackets which agent writes it"
            told[name] = set(brackets[1].split(", "))
    return told


def assigned(tree: ast.Module) -> Iterator[str]:
    """The attributes of `stock`, `stock_row` or `site.stock` that some code sets."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_stock(node.value):
            yield node.attr


def _is_stock(node: ast.expr) -> bool:
    return ast.unparse(node).rpartition(".")[2] in ("stock", "stock_row")


def test_every_field_names_the_agents_that_write_it() -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for path in Path(agents.__path__[0]).glob("*.py"):
        for name in assigned(ast.parse(path.read_text())):
            found[name].add(path.stem)
    written = {name: modules for name, modules in found.items() if name not in Balances.__struct_fields__}
    assert written == told_writers()

"""The guard stands between every handler and the engine, also for a call that is added later."""

from __future__ import annotations

import ast

from tests.unit.documents import ROOT

ATTRIBUTES = {"service", "lists", "connectors", "open_things", "documents"}
"""What of the context holds data."""


def test_no_handler_reaches_the_engine_beside_its_guard() -> None:
    """A handler asks `service_of`, `lists_of` and `connectors_of`, and takes none of them from the context."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in [*(ROOT / "engine" / "web").rglob("*.py")]
        if path.name not in {"ports.py", "guard.py"}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ATTRIBUTES and _is_context(node.value)
    ]
    assert found == []


def _is_context(node: ast.expr) -> bool:
    text = ast.unparse(node)
    return text.endswith("[CONTEXT]") or text in {"context", "self._context", "self.context"}

"""The mutants of a module: one small change of its syntax tree each."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

ROOT = Path(__file__).parents[2]

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}

T = TypeVar("T")
Undo = Callable[[], None]


class Mutant(NamedTuple):
    """One change: where it is, how it reads, and what makes and unmakes it in the tree."""

    module: str
    function: str
    """The qualified name of the function, empty at module level."""
    line: int
    change: str
    apply: Callable[[], Undo]

    @property
    def key(self) -> str:
        """What names the mutant whatever is edited around it."""
        return f"{self.module}:{self.function}: {self.change}"


class Module:
    """A module's tree and its mutants."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        seen: Counter[str] = Counter()
        self.mutants: list[Mutant] = []
        for mutant in self._of_body(self.tree.body, ""):
            seen[mutant.key] += 1
            number = f" #{seen[mutant.key]}" if seen[mutant.key] > 1 else ""
            self.mutants.append(mutant._replace(change=mutant.change + number))

    def _of_body(self, body: list[ast.stmt], function: str) -> Iterator[Mutant]:
        for index, statement in enumerate(body):
            if isinstance(statement, ast.ClassDef):
                methods = [one for one in statement.body if isinstance(one, ast.FunctionDef)]
                yield from self._of_body(list(methods), f"{function}{statement.name}.")
            elif isinstance(statement, ast.FunctionDef):
                yield from self._of_body(statement.body, f"{function}{statement.name}.")
            elif isinstance(statement, ast.Import | ast.ImportFrom) or _is_text(statement) or _is_type(statement):
                continue
            elif function or isinstance(statement, ast.Assign | ast.AnnAssign):
                yield from self._of_statement(body, index, function)

    def _of_statement(self, body: list[ast.stmt], index: int, function: str) -> Iterator[Mutant]:
        statement = body[index]
        said = _short(statement)
        for before, after, apply in _changes(statement):
            yield Mutant(self.name, function[:-1], statement.lineno, f"`{said}`: {before} -> {after}", apply)
        if function and _can_be_dropped(statement):
            drop = _setter(body, index, ast.copy_location(ast.Pass(), statement))
            yield Mutant(self.name, function[:-1], statement.lineno, f"`{said}`: dropped", drop)
        for block in ("body", "orelse", "finalbody"):
            yield from self._of_body(getattr(statement, block, []), function)
        for handler in getattr(statement, "handlers", []):
            yield from self._of_body(handler.body, function)


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_type(statement: ast.stmt) -> bool:
    """Whether a statement names a type of fields: the classes that have such fields are made when it is read."""
    return isinstance(statement, ast.Assign) and "Annotated[" in ast.unparse(statement)


def _short(statement: ast.stmt) -> str:
    """The statement's first line, as the compiler reads it."""
    return ast.unparse(statement).splitlines()[0][:100]


def _can_be_dropped(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Assign):
        return all(isinstance(target, ast.Attribute | ast.Subscript) for target in statement.targets)
    return isinstance(statement, ast.Expr | ast.AugAssign | ast.Continue | ast.Break | ast.Delete)


Change = tuple[str, str, Callable[[], Undo]]


def _changes(statement: ast.stmt) -> Iterator[Change]:
    """The changes of a statement's own expressions; those of statements inside it are not its own."""
    nodes = [statement, *_expressions(statement)]
    for node in nodes:
        yield from _of_comparison(node)
        yield from _of_operator(node)
        yield from _of_constant(node)
        yield from _of_condition(node)
        if isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
            yield "return", "None", _attribute(node, "value", ast.Constant(None))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            other = CALLS[node.func.id]
            yield node.func.id, other, _attribute(node.func, "id", other)


def _expressions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.ExceptHandler | ast.JoinedStr | ast.Slice | ast.match_case):
            continue
        if isinstance(node, ast.AnnAssign) and child is node.annotation:
            continue
        yield child
        yield from _expressions(child)


def _of_comparison(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            for other in COMPARISONS[type(operator)]:
                yield _name(operator), _name(other()), _setter(node.ops, index, other())


def _of_operator(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in OPERATORS:
        other = OPERATORS[type(node.op)]()
        yield _name(node.op), _name(other), _attribute(node, "op", other)
    if isinstance(node, ast.BoolOp):
        swapped = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield _name(node.op), _name(swapped), _attribute(node, "op", swapped)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
        yield "-", "+", _attribute(node, "op", ast.UAdd())


def _of_constant(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float) and node.value is not None:
        value = node.value
        others = [not value] if isinstance(value, bool) else [value + 1, value - 1]
        for other in others:
            yield repr(value), repr(other), _attribute(node, "value", other)


def _of_condition(node: ast.AST) -> Iterator[Change]:
    """`not` before a condition, or taken away; a comparison has changes of its own."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not x", "x", _truth(node)
    if isinstance(node, ast.If | ast.IfExp | ast.While) and isinstance(node.test, ast.Name | ast.Attribute | ast.Call):
        test = node.test
        yield ast.unparse(test), "not", _attribute(node, "test", ast.UnaryOp(ast.Not(), test))


def _truth(node: ast.UnaryOp) -> Callable[[], Undo]:
    return _attribute(node, "operand", ast.UnaryOp(ast.Not(), node.operand))


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _name(operator: ast.AST) -> str:
    return type(operator).__name__


def _attribute(node: ast.AST, name: str, new: object) -> Callable[[], Undo]:
    def apply() -> Undo:
        old = getattr(node, name)
        setattr(node, name, new)
        return lambda: setattr(node, name, old)

    return apply


def _setter(items: list[T], index: int, new: T) -> Callable[[], Undo]:
    def apply() -> Undo:
        old = items[index]
        items[index] = new

        def undo() -> None:
            items[index] = old

        return undo

    return apply

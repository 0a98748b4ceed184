"""The rules of the layers, read from the sources: who imports whom, which door a library has, what purity forbids."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("engine", "agents", "tables", "connectors")

# Lower never imports higher. What of `engine` is not named (the commands) comes last.
RANKS = {
    "engine.core": 1,
    "tables": 2,
    "agents": 3,
    "engine.settings": 4,
    "engine.contract": 4,
    "engine.aio": 4,
    "engine.access": 5,
    "engine.telemetry": 5,
    "engine.kafka": 5,
    "tables.stores": 6,
    "engine.bus": 7,
    "engine.columns": 8,
    "engine.runtime": 8,
    "engine.trace": 8,
    "engine.work": 8,
    "engine.web": 9,
    "connectors": 9,
    "engine.processes": 10,
    "engine.demo": 11,
    "engine": 12,
}
CONNECTORS_MAY_IMPORT = {"engine.core", "engine.kafka"}
FREE = {"engine", "engine.__version__"}

PURE = {"engine.core", "tables", "agents"}
PURE_IMPORTS = {
    "__future__", "abc", "base64", "bisect", "calendar", "collections", "contextlib", "copy", "dataclasses", "datetime",
    "decimal", "enum", "fractions", "functools", "hashlib", "heapq", "itertools", "json", "math", "msgspec", "operator",
    "orjson", "pydantic", "re", "statistics", "string", "struct", "types", "typing", "unicodedata", "zoneinfo",
    "_typeshed", *PACKAGES,
}  # fmt: skip
# `hash` and `id` differ from process to process, so a replay would not give the same bytes.
IMPURE_CALLS = {"open", "input", "print", "exec", "eval", "breakpoint", "hash", "id"}
CLOCK_CALLS = {"now", "utcnow", "today"}

# Statistics of demand and shares may be floats; quantities may not.
FLOAT_MODULES = {"engine.core.policy", "engine.core.rules", "engine.core.statistics"}
WHOLE_MATH = {"gcd", "lcm", "isqrt", "comb", "perm", "prod", "factorial"}

# A library's doors: module names, or how they begin.
DOORS = {
    "faust": ("engine.bus.kafka",),
    "mode": ("engine.bus.kafka",),
    "aiokafka": ("engine.kafka", "engine.bus.kafka", "connectors.kafka_source", "connectors.database.topics"),
    "psycopg": ("connectors.database",),
    "rocksdict": ("tables.stores.rocksdb", "engine.bus.disk"),
    "prometheus_client": ("engine.telemetry",),
    "opentelemetry": ("engine.telemetry",),
    "openpyxl": ("connectors.files.xlsx_reader",),
    "asyncssh": ("connectors.folder",),
    "numpy": ("engine.columns",),
    "aiohttp": ("engine.web", "engine.cli", "engine.access.provider", "connectors"),
    "joserfc": ("engine.access.jwt",),
    "cryptography": ("engine.web.tls",),
    **dict.fromkeys(("hypothesis", "jsonschema", "pytest", "testcontainers", "tests", "benchmarks"), ()),
}


class Module(NamedTuple):
    name: str
    tree: ast.Module


def unit_of(dotted: str) -> str | None:
    """The layer that a dotted name belongs to: the longest name in RANKS that it begins with."""
    matches = [unit for unit in RANKS if f"{dotted}.".startswith(f"{unit}.")]
    return max(matches, key=len, default=None)


def imports(module: Module) -> Iterator[tuple[str, int]]:
    """Every imported name, dotted and absolute, with its line; also inside functions and by `import_module`."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = module.name.rsplit(".", node.level)[0] + "." if node.level else ""
            base = (parent + (node.module or "")).rstrip(".")
            yield from ((f"{base}.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.Call) and called_name(node) in {"import_module", "__import__"}:
            names = [argument.value for argument in node.args[:1] if isinstance(argument, ast.Constant)]
            yield from ((str(name), node.lineno) for name in names)


def called_name(call: ast.Call) -> str:
    """The last part of what a call calls."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def is_pure(module: Module) -> bool:
    return unit_of(module.name) in PURE


def imports_go_downwards(module: Module) -> Iterator[str]:
    importer = unit_of(module.name)
    for name, line in imports(module):
        imported = unit_of(name)
        if imported is None or name in FREE:
            continue
        if module.name == "engine":
            yield f"{line}: the package `engine` itself imports {name}, and so does whoever imports anything of it"
        elif imported == importer:
            continue
        elif importer == "connectors":
            if imported not in CONNECTORS_MAY_IMPORT:
                yield f"{line}: a connector imports {name}"
        elif RANKS[imported] >= RANKS[importer or "engine"]:
            yield f"{line}: {importer} imports {name}"


def libraries_have_one_door(module: Module) -> Iterator[str]:
    for name, line in imports(module):
        library = name.partition(".")[0]
        if library in DOORS and not module.name.startswith(DOORS[library] or ("tests.",)):
            yield f"{line}: {library} is imported outside its door"


def pure_layers_import_no_io(module: Module) -> Iterator[str]:
    if is_pure(module):
        for name, line in imports(module):
            if name.partition(".")[0] not in PURE_IMPORTS:
                yield f"{line}: a pure layer imports {name}"


def pure_layers_neither_wait_nor_look_outside(module: Module) -> Iterator[str]:
    if not is_pure(module):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith | ast.Global):
            yield f"{node.lineno}: {type(node).__name__} in a pure layer"
        elif isinstance(node, ast.Call):
            named = isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS
            if named or (isinstance(node.func, ast.Attribute) and node.func.attr in CLOCK_CALLS):
                yield f"{node.lineno}: {called_name(node)}() in a pure layer"


def pure_layers_iterate_in_a_fixed_order(module: Module) -> Iterator[str]:
    """The order of a set of strings differs from process to process; `sorted` gives one."""
    if not is_pure(module):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.For | ast.comprehension):
            over = node.iter
            is_set = isinstance(over, ast.Set | ast.SetComp)
            if is_set or (isinstance(over, ast.Call) and called_name(over) in {"set", "frozenset"}):
                yield f"{over.lineno}: iterates over a set"


def quantities_are_whole(module: Module) -> Iterator[str]:
    if not is_pure(module) or module.name in FLOAT_MODULES:
        return
    for name, line in imports(module):
        library, _, attribute = name.partition(".")
        if library == "statistics" or (library == "math" and attribute and attribute not in WHOLE_MATH):
            yield f"{line}: {name} works on floats"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield f"{node.lineno}: the float {node.value}"
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield f"{node.lineno}: a division that does not name its rounding"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
            yield f"{node.lineno}: float()"
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "math"
            and node.attr not in WHOLE_MATH
        ):
            yield f"{node.lineno}: math.{node.attr} works on floats"


Rule = Callable[[Module], Iterator[str]]
RULES: list[Rule] = [
    imports_go_downwards,
    libraries_have_one_door,
    pure_layers_import_no_io,
    pure_layers_neither_wait_nor_look_outside,
    pure_layers_iterate_in_a_fixed_order,
    quantities_are_whole,
]


@cache
def project_modules() -> tuple[Module, ...]:
    """Every module of the program; only who asks waits until all are parsed."""
    return tuple(_project_modules())


def _project_modules() -> Iterator[Module]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield Module(name, ast.parse(path.read_text(encoding="utf-8"), str(path)))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_module_obeys(rule: Rule) -> None:
    offences = [f"{module.name}:{offence}" for module in project_modules() for offence in rule(module)]
    assert not offences, "\n".join(offences)


def test_every_package_is_read() -> None:
    assert {module.name.partition(".")[0] for module in project_modules()} == set(PACKAGES)


def test_the_exemption_from_whole_numbers_names_modules_that_exist() -> None:
    assert {module.name for module in project_modules()} >= FLOAT_MODULES

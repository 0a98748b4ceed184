"""Run mutants: swap the code of a function in a forked process, and check the rules that call it."""

from __future__ import annotations

import ast
import gc
import os
import resource
import signal
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any, Literal, NamedTuple

from tests.mutation.mutants import ROOT, Module, Mutant
from tests.unit.rules.rule import AnyRule

SECONDS = 10
"""A mutant that has not ended by then never does."""
MEMORY_BYTES = 4 << 30
KILLED, SURVIVED, INVALID = 0, 1, 2

Fate = Literal["killed", "survived", "not called", "invalid"]
FATES: dict[int, Fate] = {SURVIVED: "survived", INVALID: "invalid"}

Place = tuple[str, str, int]
"""(file, qualified name, first line) of a function."""


class Result(NamedTuple):
    """What became of a mutant."""

    mutant: Mutant
    fate: Fate


def place_of(code: CodeType) -> Place:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def calls_of(rules: Sequence[AnyRule], files: set[str]) -> dict[Place, set[int]]:
    """The rules that call each function of some files, by its place; a rule is its index."""
    called: dict[Place, set[int]] = defaultdict(set)
    for index, rule in enumerate(rules):
        seen: set[CodeType] = set()

        def note(frame: FrameType, happening: str, _: object, seen: set[CodeType] = seen) -> None:
            if happening == "call":
                seen.add(frame.f_code)

        sys.setprofile(note)
        try:
            rule.check()
        finally:
            sys.setprofile(None)
        for code in seen:
            if code.co_filename in files:
                called[place_of(code)].add(index)
    return called


def functions() -> dict[Place, list[FunctionType]]:
    """All live functions of the project by their place, those behind decorators included."""
    found: dict[Place, list[FunctionType]] = defaultdict(list)
    for item in gc.get_objects():
        if isinstance(item, FunctionType) and item.__code__.co_filename.startswith(str(ROOT)):
            found[place_of(item.__code__)].append(item)
    return found


def codes(code: CodeType) -> Iterator[CodeType]:
    """A code object and all inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


class Runner:
    """Runs the mutants of modules against rules."""

    def __init__(self, rules: Sequence[AnyRule], modules: Iterable[Module]) -> None:
        self._rules = rules
        self._modules = {module.name: module for module in modules}
        self._called = calls_of(rules, {str(module.path) for module in self._modules.values()})
        self._functions = functions()

    def run(self, mutants: Iterable[Mutant], workers: int, note: Callable[[Result], None]) -> None:
        """Run mutants, so many at once; `note` is called as each has ended."""
        running: dict[int, Mutant] = {}
        for mutant in mutants:
            if mutant.function and not self._rules_of(mutant):
                note(Result(mutant, "not called"))
                continue
            if len(running) == workers:
                self._wait(running, note)
            pid = os.fork()
            if not pid:
                self._die_of(mutant)
            running[pid] = mutant
        while running:
            self._wait(running, note)

    @staticmethod
    def _wait(running: dict[int, Mutant], note: Callable[[Result], None]) -> None:
        pid, status = os.wait()
        code = os.waitstatus_to_exitcode(status)
        note(Result(running.pop(pid), FATES.get(code, "killed")))

    def _rules_of(self, mutant: Mutant) -> list[AnyRule]:
        """The rules that call the mutant's function, or one inside it; at module level all of them."""
        if not mutant.function:
            return list(self._rules)
        module = self._modules[mutant.module]
        places = [
            place for place in self._called if place[0] == str(module.path) and _within(place[1], mutant.function)
        ]
        return [self._rules[index] for index in sorted({index for place in places for index in self._called[place]})]

    def _die_of(self, mutant: Mutant) -> None:
        """Check the rules with the mutant in force; the exit code of this process says what became of it."""
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        try:
            self._put_in_force(mutant)
        except Exception:  # noqa: BLE001 - a mutant may do anything
            os._exit(INVALID)
        try:
            for rule in self._rules_of(mutant):
                rule.check()
        except BaseException:  # noqa: BLE001 - a rule may fail in any way
            os._exit(KILLED)
        os._exit(SURVIVED)

    def _put_in_force(self, mutant: Mutant) -> None:
        module = self._modules[mutant.module]
        mutant.apply()
        code = compile(ast.fix_missing_locations(module.tree), str(module.path), "exec")
        if mutant.function:
            for inner in codes(code):
                for function in self._functions.get(place_of(inner), ()):
                    function.__code__ = inner
        else:
            _rebind(module.name, code)


def _within(name: str, function: str) -> bool:
    """Whether a qualified name is that of a function, or of one inside it."""
    return f"{name}.".replace(".<locals>.", ".").startswith(f"{function}.")


def _rebind(name: str, code: CodeType) -> None:
    """Give the constants of a module their new values, also in the modules that import them."""
    module = import_module(name)
    new: dict[str, Any] = {"__name__": name, "__file__": module.__file__}
    exec(code, new)
    for constant, value in new.items():
        old = getattr(module, constant, None)
        if isinstance(old, type | FunctionType) or constant.startswith("__") or _same(old, value):
            continue
        for other in list(sys.modules.values()):
            if getattr(other, "__dict__", {}).get(constant) is old:
                setattr(other, constant, value)


def _same(old: object, new: object) -> bool:
    return type(old) is not type(new) or repr(old) == repr(new)


def paths_of(names: Sequence[str]) -> list[Path]:
    """The files of the pure layer, or those whose module names hold one of `names`."""
    paths = [*sorted((ROOT / "agents").glob("*.py")), *sorted((ROOT / "engine" / "core").glob("*.py"))]
    found = [(".".join(path.relative_to(ROOT).with_suffix("").parts), path) for path in paths]
    return [path for name, path in found if not names or any(part in name for part in names)]

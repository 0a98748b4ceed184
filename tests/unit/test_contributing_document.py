"""The recipes of docs/contributing.md: each patch works, and each file that is left out is missed by name."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.unit.documents import DOCS, ROOT, rows, section, text_of

PROGRAM = ("engine/", "agents/", "tables/", "connectors/")
COPIED = ("engine", "agents", "tables", "connectors", "tests", "docs", "pyproject.toml", "README.md")
CHECK = "tests/unit/test_contract_document.py"
OF_CONNECTORS = (
    *("tests/unit/test_rooms.py", "tests/contract/test_connectors.py", "tests/unit/test_connectors_document.py"),
    *("-k", "scales or every_package or every_kind"),
)
SECONDS = 600

pytestmark = pytest.mark.slow


class Recipe(NamedTuple):
    """A heading of the document, its patch, of how many files of the program it may consist, and what checks it."""

    heading: str
    patch: str
    most: int
    checks: tuple[str, ...] = (CHECK,)
    document: str = "contributing.md"

    def told(self) -> dict[str, str]:
        """File -> the words by which a test misses it."""
        table = rows(section(text_of(self.document), self.heading))
        return {file.strip("`"): words.strip("`") for file, _, words in table}

    def parts(self) -> dict[str, str]:
        """File -> the part of the patch that changes it."""
        found = re.split(r"^(?=diff --git )", (DOCS / "examples" / self.patch).read_text(), flags=re.MULTILINE)[1:]
        return {re.findall(r"^\+\+\+ b/(.*)$", part, re.MULTILINE)[0]: part for part in found}


RECIPES = [
    Recipe(
        "Add an event",
        "add-an-event.patch",
        3,
        (CHECK, "tests/unit/test_completeness.py", "tests/golden/test_golden.py"),
    ),
    Recipe("Add an alert kind", "add-an-alert.patch", 2),
    Recipe("Add a rule", "add-a-rule.patch", 2),
    Recipe("Add a connector", "add-a-connector.patch", 2),
    Recipe("The order of work", "write-a-connector.patch", 5, OF_CONNECTORS, "connectors/guide.md"),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, to be changed; whoever applies a patch takes it back."""
    path = tmp_path_factory.mktemp("project")
    ignored = shutil.ignore_patterns("__pycache__", "*.xz", "*.png", "*.tar.gz")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, path / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, path / name)
    return path


def check(copy: Path, patch: str, recipe: Recipe) -> tuple[int, str]:
    """Apply a patch, run the checks and the tests that the recipe brings, and take the patch back."""
    turn(copy, patch)
    own = [name for name in recipe.parts() if name.startswith("tests/unit/")]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *recipe.checks, *own]
    ran = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=SECONDS, check=False)
    turn(copy, patch, "--reverse")
    return ran.returncode, ran.stdout + ran.stderr


def turn(copy: Path, patch: str, *how: str) -> None:
    ran = subprocess.run(
        ["git", "apply", "-C1", *how, "-"], cwd=copy, input=patch, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


def test_every_patch_has_its_recipe() -> None:
    assert {recipe.patch for recipe in RECIPES} == {path.name for path in (DOCS / "examples").glob("*.patch")}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.patch)
def test_a_recipe_works_and_every_file_that_is_left_out_is_missed(recipe: Recipe, copy: Path) -> None:
    parts, told = recipe.parts(), recipe.told()
    assert told.keys() | {name for name in parts if name.startswith("tests/unit/")} == parts.keys()
    assert len([name for name in told if name.startswith(PROGRAM) and name.endswith(".py")]) <= recipe.most
    code, said = check(copy, "".join(parts.values()), recipe)
    assert code == 0, said
    for file, words in told.items():
        code, said = check(copy, "".join(part for name, part in parts.items() if name != file), recipe)
        assert code != 0, f"nothing misses {file}"
        assert words in said, f"{file}: {said}"

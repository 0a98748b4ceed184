"""The distribution, its lock, its container and its make targets agree with each other and with the sources."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
PACKAGES = ("engine", "agents", "tables", "connectors")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements.lock").read_text()
RUNTIME_LOCK = (ROOT / "requirements-runtime.lock").read_text()
LOCKED = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>\S+)(?: ; (?P<marker>.+?))? \\\n(?P<hashes>(?: +--hash=\S+.*\n)+)", re.M
)


def _run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    quiet = {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    settings = os.environ | quiet | environment
    settings.pop("FORCE_COLOR", None)
    return subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, timeout=120, check=False)


def _built_services() -> list[dict[str, Any]]:
    services = YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"].values()
    return [service for service in services if "build" in service]


def _dockerfile(instruction: str) -> list[list[str]]:
    """The words of every line of the inline Dockerfile that starts with `instruction`."""
    whole = _built_services()[0]["build"]["dockerfile_inline"].replace("\\\n", " ")
    lines = (shlex.split(line, comments=True) for line in whole.splitlines())
    return [words[1:] for words in lines if words[:1] == [instruction]]


def test_no_other_distribution_claims_a_top_level_name() -> None:
    claimed = importlib.metadata.packages_distributions()
    assert {name for package in PACKAGES for name in claimed.get(package, [])} <= {"stockline"}


def test_the_version_stands_in_one_place() -> None:
    import engine

    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "engine.__version__"}
    assert importlib.metadata.version("stockline") == engine.__version__
    sources = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert [path.name for path in sources if "__version__ =" in path.read_text()] == ["__init__.py"]


def test_the_shipped_command_starts_without_what_few_commands_need() -> None:
    run = _run(Path(sys.executable).with_name("stockline"), "--help", PYTHONPROFILEIMPORTTIME="1")
    assert run.returncode == 0, run.stderr
    assert "demo" in run.stdout
    imported = set(re.findall(r"([\w.]+)$", run.stderr, re.M))
    assert "engine.cli.profile" in imported
    assert imported & {"aiokafka", "connectors.files.xlsx_reader", "numpy", "openpyxl", "rocksdict"} == set()


def test_the_lock_names_no_host_and_no_folder() -> None:
    assert not re.findall(r".*(?:/|index-url|find-links|trusted-host).*", LOCK + RUNTIME_LOCK)


@pytest.mark.parametrize("lock", [LOCK, RUNTIME_LOCK], ids=["full", "runtime"])
def test_every_line_of_the_lock_is_pinned_with_hashes(lock: str) -> None:
    requirements = [line for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
    entries = list(LOCKED.finditer(lock))
    assert len(entries) == len(requirements) > 40
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry["hashes"]) for entry in entries)


def test_the_lock_covers_every_direct_dependency() -> None:
    locked = {canonicalize_name(entry["name"]): entry["version"] for entry in LOCKED.finditer(LOCK)}
    direct = [*PROJECT["build-system"]["requires"], *PROJECT["project"]["dependencies"]]
    for extra in PROJECT["project"]["optional-dependencies"].values():
        direct += extra
    missed = [text for text in direct if not _satisfied(Requirement(text), locked)]
    assert not missed, f"make lock: {missed}"


def test_the_runtime_lock_has_the_versions_and_hashes_of_the_full_one() -> None:
    full, runtime = (
        {entry["name"]: (entry["version"], entry["hashes"]) for entry in LOCKED.finditer(lock)}
        for lock in (LOCK, RUNTIME_LOCK)
    )
    assert runtime == {name: full.get(name) for name in runtime}


def test_the_runtime_lock_covers_what_runs_and_builds_and_no_tool() -> None:
    locked = {canonicalize_name(entry["name"]): entry["version"] for entry in LOCKED.finditer(RUNTIME_LOCK)}
    direct = [*PROJECT["build-system"]["requires"], *PROJECT["project"]["dependencies"]]
    missed = [text for text in direct if not _satisfied(Requirement(text), locked)]
    assert not missed, f"make lock: {missed}"
    extras = PROJECT["project"]["optional-dependencies"]
    tools = {canonicalize_name(Requirement(text).name) for text in (*extras["test"], *extras["dev"])}
    # aiokafka needs it too.
    assert tools & set(locked) == {"packaging"}


def _satisfied(requirement: Requirement, locked: Mapping[NormalizedName, str]) -> bool:
    return requirement.specifier.contains(locked.get(canonicalize_name(requirement.name), "0"))


def test_libraries_whose_private_members_are_used_are_pinned_exactly() -> None:
    pinned = [text for text in PROJECT["project"]["dependencies"] if "==" in text]
    assert pinned == ["aiokafka==0.14.0", "faust-streaming==0.15.3"]


def test_every_container_of_ours_is_built_in_the_same_way_and_runs_the_shipped_command() -> None:
    services = _built_services()
    assert all(service["build"] == services[0]["build"] for service in services)
    assert {(service["image"], service["pull_policy"]) for service in services} == {("stockline:local", "build")}
    assert {service["command"][0] for service in services} <= set(PROJECT["project"]["scripts"])


def test_the_container_copies_files_that_exist_and_all_packages() -> None:
    copied = [words[0] for words in _dockerfile("COPY") if not words[0].startswith("--from=")]
    assert all((ROOT / name).exists() for name in copied)
    assert {*PACKAGES, "pyproject.toml", "requirements-runtime.lock"} <= set(copied)


def test_the_container_runs_without_root_and_may_write_where_its_volume_goes() -> None:
    (made,) = (words for words in _dockerfile("RUN") if "useradd" in words)
    (user,) = _dockerfile("USER")
    assert made[made.index("--owner") :] == ["--owner", *user, "/data"]
    assert user[0] in made[: made.index("&&")]
    mounted = [volume.partition(":")[2] for service in _built_services() for volume in service["volumes"]]
    assert set(mounted) == {"/data"}


@pytest.mark.parametrize("target", ["setup", "demo", "check", "test", "simulate", "bench", "lint", "format", "clean"])
def test_make_knows_every_target_that_people_are_told_of(target: str) -> None:
    dry = _run("make", "--dry-run", "--always-make", target, MAKEFLAGS="", MAKELEVEL="")
    assert dry.returncode == 0, dry.stderr


def test_ci_runs_the_tests_from_any_folder(tmp_path: Path) -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    (tmp_path / "make").write_text('#!/bin/sh\necho "$CI $1 in $(pwd -P)"\n')
    (tmp_path / "make").chmod(0o755)
    run = subprocess.run(
        [script], cwd=tmp_path, env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert run.stdout.split() == ["true", "test", "in", str(ROOT.resolve())], run.stderr


INTERPRETER = """#!/bin/sh
case "$1 $2" in
  *CONFIG_ARGS*) exit {is_plain} ;;
  -m*) echo "{name} makes the environment"; exit 9 ;;
  *) exit 0 ;;
esac
"""


@pytest.mark.parametrize(("plain", "chosen"), [((1, 0), "second"), ((0, 0), "first"), ((1, 1), "first")])
def test_of_two_interpreters_on_the_path_an_optimised_one_makes_the_environment(
    tmp_path: Path, plain: tuple[int, int], chosen: str
) -> None:
    for name, is_plain in zip(("first", "second"), plain, strict=True):
        interpreter = tmp_path / name / "python3.11"
        interpreter.parent.mkdir()
        interpreter.write_text(INTERPRETER.format(is_plain=is_plain, name=name))
        interpreter.chmod(0o755)
    path = f"{tmp_path / 'first'}:{tmp_path / 'second'}:{os.environ['PATH']}"
    run = _run("make", "setup", f"VENV={tmp_path / 'venv'}", PATH=path)
    assert f"{chosen} makes the environment" in run.stdout

"""The wheel, built and installed into an empty environment: what is shipped works by itself, and alone in its place."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.process import ROOT, environment

PACKAGES = ("engine", "agents", "tables", "connectors")
TWO_DAYS = ("demo", "--exit", "--from", "2011-03-01", "--to", "2011-03-02", "--port", "0")


def run(*command: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """A command without the variables that would let it find the sources."""
    settings = {name: value for name, value in environment().items() if name != "PYTHONPATH"}
    return subprocess.run(command, cwd=cwd, env=settings, capture_output=True, text=True, timeout=600, check=False)


def pip(*arguments: str | Path) -> None:
    done = run(sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources alone, without what earlier builds have left beside them."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source)
    (built,) = folder.glob("stockline-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the packages of an environment that holds the wheel, and sees the libraries of this environment.

    The libraries are named by a file of paths, which comes after what is installed and whose own path files are not
    read: so an editable Stockline among the libraries is not seen.
    """
    folder = tmp_path_factory.mktemp("environment") / "venv"
    venv.create(folder, symlinks=True)
    pip("--python", folder / "bin" / "python", "install", "--no-deps", "--no-index", wheel)
    (packages,) = folder.glob("lib/python*/site-packages")
    libraries = [path for path in sys.path if Path(path).name == "site-packages"]
    (packages / "libraries.pth").write_text("\n".join(libraries))
    return packages


@pytest.fixture
def packages(installed: Path, tmp_path: Path) -> Path:
    """An installation that the test may spoil."""
    folder = tmp_path / "venv"
    shutil.copytree(installed.parents[2], folder, symlinks=True)
    return folder / installed.relative_to(installed.parents[2])


def stockline(packages: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run(packages.parents[2] / "bin" / "python", "-m", "engine", *arguments, cwd=cwd)


def test_the_wheel_holds_every_source_and_data_file(source: Path, wheel: Path) -> None:
    expected = {
        str(path.relative_to(source))
        for package in PACKAGES
        for path in (source / package).rglob("*.*")
        if path.is_file()
    }
    names = set(zipfile.ZipFile(wheel).namelist())
    assert names >= expected, sorted(expected - names)
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == set(PACKAGES)


def test_every_package_says_that_it_is_typed(wheel: Path) -> None:
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(zipfile.ZipFile(wheel).namelist())


@pytest.mark.slow
def test_the_installed_command_runs_the_demo_from_another_folder(installed: Path, tmp_path: Path) -> None:
    """Without a terminal the summary is text; the engine is gone afterwards."""
    command = installed.parents[2] / "bin" / "stockline"
    done = run(command, *TWO_DAYS, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "units served at once" in done.stdout
    assert "events, " in done.stderr
    url = re.search(r"http://127\.0\.0\.1:(\d+)/", done.stderr)
    assert url is not None
    assert run(command, "positions", "--url", url.group(0).rstrip("/"), cwd=tmp_path).returncode == 3


def test_it_does_not_start_beside_a_distribution_with_a_package_of_the_same_name(
    packages: Path, tmp_path: Path
) -> None:
    record = packages / "tables-3.10.1.dist-info" / "RECORD"
    record.parent.mkdir()
    record.write_text("tables/__init__.py,sha256=x,10\ntables-3.10.1.dist-info/RECORD,,\n")
    done = stockline(packages, "--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"the distribution tables 3.10.1 installs files into {packages / 'tables'}" in done.stderr
    assert "environment of its own" in done.stderr


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda init: init.write_text("import numpy\n"), "is not the file that stockline installed"),
        (lambda init: init.unlink(), "is missing"),
        (lambda init: init.with_name("atom.py").touch(), "stockline did not install it"),
    ],
    ids=["overwritten", "taken away", "added"],
)
def test_it_does_not_start_on_files_that_are_not_its_own(
    packages: Path, tmp_path: Path, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(packages / "tables" / "__init__.py")
    done = stockline(packages, "--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{packages / 'tables'}{os.sep}" in done.stderr
    assert said in done.stderr


def test_it_does_not_start_on_a_package_that_comes_from_elsewhere(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "__init__.py").write_text("raise SystemExit('a foreign package was run')\n")
    done = stockline(installed, "--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"the package agents comes from {tmp_path / 'agents'}, not from stockline in {installed}" in done.stderr

"""The entry of every Stockline process: it refuses to start on packages that another distribution has overwritten.

The application installs the top-level packages `engine`, `agents`, `tables` and `connectors`. Other distributions bring
packages of these names too (PyTables brings `tables`, openai-agents brings `agents`), and an installer writes the files
of one over those of the other without a word. The check therefore runs before any other module of ours is imported.
"""

import csv
import gc
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from engine.core.errors import UsageError

PACKAGES = ("engine", "agents", "tables", "connectors")
REMEDY = "Install stockline into an environment of its own, with pipx, with `uv tool` or as a container."


def main() -> None:
    """Check the installation, then run the command; a foreign file is a line on standard error and exit code 2."""
    try:
        check(Path(__file__).parents[1])
    except UsageError as error:
        print(f"stockline: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    # Modules stay, so that looking for garbage among them only makes the start longer.
    gc.disable()
    # Only now: what a foreign package runs at its import, or lacks, would end in a traceback that names nobody.
    from engine.cli import main as run

    gc.freeze()
    gc.enable()
    run()


def check(folder: Path) -> None:
    """Check that the packages in `folder`, and only these, are ours.

    Raises:
        UsageError: Another distribution shares them, a file differs, or Python would import others of these names.
    """
    for findings in (claims(folder), differences(folder), shadows(folder)):
        if finding := next(findings, None):
            raise UsageError(f"{finding}. {REMEDY}")


def claims(folder: Path) -> Iterator[str]:
    """Each other distribution in `folder` that lists files in our packages."""
    beginnings = tuple(f"{package}/".encode() for package in PACKAGES)
    for found in os.scandir(folder):
        if not found.name.endswith(".dist-info") or found.name.startswith("stockline-"):
            continue
        record = Path(found.path, "RECORD")
        # Over a hundred records are searched as bytes, since parsing them would take longer than the rest of the check.
        listed = b"\n" + record.read_bytes() if record.exists() else b""
        if taken := [beginning for beginning in beginnings if b"\n" + beginning in listed]:
            name, _, version = found.name.removesuffix(".dist-info").partition("-")
            yield (
                f"the distribution {name} {version} installs files into {folder / taken[0].decode()}, which is a"
                " package of stockline; each of the two overwrites files of the other"
            )


def differences(folder: Path) -> Iterator[str]:
    """Each file in our packages that is missing, differs in size or was not installed; none in a source tree."""
    installed = _installed_sizes(folder)
    if not installed:
        return
    present = {
        path: os.path.getsize(path)
        for package in PACKAGES
        for parent, _, names in os.walk(folder / package)
        if not parent.endswith("__pycache__")
        for name in names
        for path in (os.path.join(parent, name),)
    }
    for path in sorted(installed.keys() | present.keys()):
        if path not in present:
            yield f"{path}, a file of stockline, is missing; another distribution may have taken it away"
        elif path not in installed:
            yield f"{path} is a file in a package of stockline, but stockline did not install it"
        elif present[path] != installed[path]:
            yield f"{path} is not the file that stockline installed; another distribution may have overwritten it"


def _installed_sizes(folder: Path) -> dict[str, int]:
    """The files of our packages with their sizes in bytes, as the installer recorded them."""
    sizes: dict[str, int] = {}
    for record in folder.glob("stockline-*.dist-info/RECORD"):
        with record.open(encoding="utf-8", newline="") as rows:
            sizes |= {
                os.path.join(folder, *name.split("/")): int(size)
                for name, _, size in csv.reader(rows)
                if size and name.partition("/")[0] in PACKAGES and "__pycache__" not in name
            }
    return sizes


def shadows(folder: Path) -> Iterator[str]:
    """Each of our packages that Python would import from somewhere else than `folder`."""
    for package in PACKAGES:
        ours = folder / package / "__init__.py"
        spec = importlib.util.find_spec(package)
        origin = Path(spec.origin) if spec and spec.origin else None
        if origin is None or not ours.exists():
            yield f"{ours}, a file of stockline, is missing"
        elif not origin.samefile(ours):
            yield f"the package {package} comes from {origin.parent}, not from stockline in {folder}"

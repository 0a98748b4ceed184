"""Packages of Debian, unpacked under `.cache` once for all processes: what is there is whole."""

import tempfile
from pathlib import Path

from tests.real.alone import CACHE, alone
from tests.real.podman import apt, checked, run


def unpacked(name: str, *packages: str) -> Path:
    """The folder of this name in `.cache` with what packages hold, fetched where it is not there; raises Missing."""
    folder = CACHE / name
    with alone(name):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=CACHE) as place:
                fetched, whole = Path(place), Path(place) / "whole"
                # apt's own user fetches the packages where it may write into the folder.
                fetched.chmod(0o755)
                apt("download", *packages, folder=fetched)
                for package in fetched.glob("*.deb"):
                    checked(run("dpkg-deb", "-x", str(package), str(whole)))
                # At last and at once, so that nobody takes a part for the whole.
                whole.replace(folder)
    return folder

"""The rooms of docs/architecture.md are the packages of the code."""

from engine.start import PACKAGES
from tests.unit.documents import ROOT, rows, section, text_of


def test_every_package_has_its_sentence() -> None:
    rooms = [name.strip("`") for name, _ in rows(section(text_of("architecture.md"), "Rooms"))]
    modules = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert sorted(rooms) == sorted({str(path.parent.relative_to(ROOT)) for path in modules})

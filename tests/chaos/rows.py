"""What lies in the caches of rows, read without the engine: to compare a cache that was mended with one made anew."""

from hashlib import blake2b
from pathlib import Path

from rocksdict import AccessType, Options, Rdict

FAMILIES = ("state", "dedupe", "names")
MARKER = b"m"
"""How far the log was folded: while no events come that moves on with every tick of the clock."""


def digests(data: Path) -> dict[str, str]:
    """For each task of a workers' directory a digest over all its rows; where there are several the newest counts.

    A directory without `CURRENT` is no database: the chaos has removed that file, and nobody has needed the task since.
    """
    newest: dict[str, Path] = {}
    whole = [path for path in data.glob("task-*") if (path / "db" / "CURRENT").exists()]
    for path in sorted(whole, key=lambda path: (path / "db" / "CURRENT").stat().st_mtime):
        newest[path.name.partition(".")[0]] = path
    return {name: _digest(path / "db") for name, path in newest.items()}


def _digest(database: Path) -> str:
    known = Rdict.list_cf(str(database), Options(raw_mode=True))
    families = {name: Options(raw_mode=True) for name in known if name != "default"}
    rows = Rdict(str(database), Options(raw_mode=True), families, AccessType.read_only(False))
    total = blake2b(digest_size=16)
    for name in FAMILIES:
        family = rows.get_column_family(name)
        for key, value in family.items():
            assert isinstance(key, bytes)
            assert isinstance(value, bytes)
            if key[:1] == MARKER:
                continue
            total.update(len(key).to_bytes(4, "big") + key + len(value).to_bytes(4, "big") + value)
        family.close()
    rows.close()
    return total.hexdigest()

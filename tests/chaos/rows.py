"""What lies in the caches of rows, read without the engine: to compare a cache that was mended with one made anew."""

from hashlib import blake2b
from pathlib import Path

from rocksdict import AccessType, Options, Rdict

FAMILIES = ("state", "dedupe", "names")
MARKER = b"m"
"""How far the log was folded: while no events come that moves on with every tick of the clock."""


def digests(data: Path) -> dict[str, str]:
    """For each task of a workers' directory a digest over all its rows; where there are several the newest counts.

    One without a marker counts behind all others: a process made it that lost the task before it had restored anything.
    A task is left out if the chaos has damaged it and nobody has needed the damaged part since: it has no `CURRENT`, or
    a table of it cannot be read to its end.
    """
    newest: dict[str, Path] = {}
    whole = [path for path in data.glob("task-*") if (path / "db" / "CURRENT").exists()]
    for path in sorted(whole, key=_age):
        newest[path.name.partition(".")[0]] = path
    found = {name: _digest(path / "db") for name, path in newest.items()}
    return {name: digest for name, digest in found.items() if digest is not None}


def _age(task: Path) -> tuple[bool, float]:
    """Whether a cache holds a marker, and when it was made: the newest of those that do comes last."""
    rows = _opened(task / "db")
    family = rows.get_column_family("state")
    walk = family.iter()
    walk.seek(MARKER)
    key = walk.key() if walk.valid() else b""
    family.close()
    rows.close()
    return bytes(key or b"")[:1] == MARKER, (task / "db" / "CURRENT").stat().st_mtime


def _opened(database: Path) -> Rdict:
    known = Rdict.list_cf(str(database), Options(raw_mode=True))
    families = {name: Options(raw_mode=True) for name in known if name != "default"}
    return Rdict(str(database), Options(raw_mode=True), families, AccessType.read_only(False))


def _digest(database: Path) -> str | None:
    rows = _opened(database)
    total, whole = blake2b(digest_size=16), True
    for name in FAMILIES:
        family = rows.get_column_family(name)
        whole = whole and _add(total, family)
        family.close()
    rows.close()
    return total.hexdigest() if whole else None


def _add(total: blake2b, family: Rdict) -> bool:
    """Add the rows of a family to the digest; False where it is damaged, which an iterator tells only when asked."""
    walk = family.iter()
    walk.seek_to_first()
    while walk.valid():
        key, value = walk.key(), walk.value()
        assert isinstance(key, bytes)
        assert isinstance(value, bytes)
        if key[:1] != MARKER:
            total.update(len(key).to_bytes(4, "big") + key + len(value).to_bytes(4, "big") + value)
        walk.next()
    try:
        walk.status()
    except Exception:  # noqa: BLE001 - rocksdict raises nothing more precise
        return False
    return True

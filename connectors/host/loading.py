"""From the path of a profile to the connector that it names."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from pydantic import ConfigDict

from connectors.catalogue import KINDS
from connectors.mapping.language import Declared, check_profile, read_toml
from connectors.ports import Connector, Tools
from connectors.profiles import ConnectorProfile
from engine.core.errors import UsageError

_GUARANTEE = re.compile(r"[^.:]*\bonce\b[^.]*\.", re.DOTALL)


class Kind(Protocol):
    """The module of a kind of connectors, as `connectors.catalogue` asks for it."""

    @property
    def Profile(self) -> type[ConnectorProfile]:
        """The type of its profiles."""
        ...

    def connect(self, profile: ConnectorProfile, tools: Tools) -> Connector:
        """A connector, which is not open yet."""
        ...


@dataclass(frozen=True)
class Loaded:
    """A profile that was read, the module of its kind, and where it was read."""

    profile: ConnectorProfile
    kind: Kind
    path: Path


class _Named(Declared):
    model_config = ConfigDict(extra="ignore")

    kind: str


def load(path: Path) -> Loaded:
    """Read a profile by the kind that it names. Raises `UsageError`, which names every fault."""
    content = read_toml(path)
    name = check_profile(path, _Named, content).kind
    if name not in KINDS:
        raise UsageError(f"the profile {path}: there is no kind {name!r}, only {', '.join(sorted(KINDS))}")
    kind = module_of(name)
    return Loaded(check_profile(path, kind.Profile, content), kind, path)


def load_all(paths: Sequence[Path]) -> list[Loaded]:
    """Read profiles, whose names differ. Raises `UsageError`."""
    loaded = [load(path) for path in paths]
    by_name: dict[str, Path] = {}
    for each in loaded:
        if (other := by_name.setdefault(each.profile.name, each.path)) != each.path:
            raise UsageError(f"{other} and {each.path} have the same name {each.profile.name!r}: give one another name")
    return loaded


def named(name: str) -> Loaded:
    """The profile at the path `name`, or the one in the current folder whose connector has this name."""
    if (path := Path(name)).suffix or path.exists():
        return load(path)
    found = [each for each in profiles_in(Path()) if isinstance(each, Loaded) and each.profile.name == name]
    if not found:
        raise UsageError(f"no profile here (*.toml) has the name {name!r}: give the path of its profile")
    return found[0]


def profiles_in(folder: Path) -> list[Loaded | UsageError]:
    """The profiles of connectors in a folder, by file name; one that is not right as its error."""
    found: list[Loaded | UsageError] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            found.append(load(path))
        except UsageError as error:
            found.append(error)
    return found


def module_of(kind: str) -> Kind:
    """The module of a kind of the catalogue; raises `UsageError` where this version lacks it."""
    try:
        return cast(Kind, import_module(KINDS[kind]))
    except ModuleNotFoundError as error:
        if error.name != KINDS[kind]:
            raise
        raise UsageError(f"this version has no connector of the kind {kind!r}") from None


def summary(kind: Kind) -> str:
    """The first sentence of what a kind says of itself."""
    return " ".join((kind.__doc__ or "").split("\n\n", 1)[0].split())


def guarantee(kind: Kind) -> str:
    """The sentence in which a kind states its delivery guarantee, the first that says "once"; empty without one."""
    found = _GUARANTEE.search(kind.__doc__ or "")
    return " ".join(found[0].split()) if found else ""


def kinds() -> list[tuple[str, str, str]]:
    """Every kind of the catalogue that this version has, with what it says of itself and its guarantee."""
    found = []
    for name in sorted(KINDS):
        with suppress(UsageError):
            module = module_of(name)
            found.append((name, summary(module), guarantee(module)))
    return found

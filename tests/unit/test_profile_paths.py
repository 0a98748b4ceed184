"""Paths in a profile are relative to its folder, wherever the command is run."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import cast

import pytest

from connectors.catalogue import KINDS
from connectors.edi.profile import PartnerProfile
from connectors.files import load_profile
from connectors.files.readers import FORMATS
from connectors.folder.profile import Profile as FolderProfile
from connectors.host.loading import load
from connectors.host.names import present_mapping
from connectors.mapping.language import Declared
from connectors.profiles import Secret

FOLDER = """
kind = "folder"
name = "acme"
path = "in"
identifiers = "names.csv"
files = [{ pattern = "*.csv", profile = "stock.toml" }, { pattern = "*.x", profile = "/far/x.toml" },
         { pattern = "*.ndjson", profile = "ndjson" }]
"""
SFTP = """
[sftp]
host = "h"
user = "u"
known_hosts = "hosts"
key = { file = "keys/id" }
"""
EDI = 'format = "edi"\nsource = "s"\npartner = "p"\nwe_are = "buyer"\nidentifiers = "names.csv"\n'
HEADING = "partner,kind,theirs,ours\n"


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for profiles, which is named by a relative path from where the command is run."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "profiles").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return Path("../profiles")


def written(folder: Path, text: str) -> Path:
    (folder / "acme.toml").write_text(text)
    return folder / "acme.toml"


async def test_paths_of_a_folder_and_what_reads_its_files_are_beside_the_profile(beside: Path) -> None:
    (beside / "names.csv").write_text(HEADING + "acme,item,1,PEN\n")
    loaded = load(written(beside, FOLDER))
    profile = cast(FolderProfile, loaded.profile)
    assert profile.path == str(beside / "in")
    assert [each.profile for each in profile.files] == [str(beside / "stock.toml"), "/far/x.toml", "ndjson"]
    assert (await present_mapping(profile)).ours("item", "acme", "1") == "PEN"


def test_keys_and_known_hosts_of_a_server_are_beside_the_profile_and_its_folder_is_its_own(beside: Path) -> None:
    profile = cast(FolderProfile, load(written(beside, FOLDER + SFTP)).profile)
    assert profile.sftp is not None
    assert profile.sftp.key is not None
    assert (profile.path, profile.sftp.known_hosts) == ("in", beside / "hosts")
    (beside / "keys").mkdir()
    (beside / "keys" / "id").write_text("hidden\n")
    assert profile.sftp.key.reveal() == "hidden"


def test_the_identifiers_of_a_partner_profile_are_beside_it(beside: Path) -> None:
    assert cast(PartnerProfile, load_profile(written(beside, EDI))).identifiers == beside / "names.csv"


def test_an_absolute_path_stays_and_one_without_a_file_is_as_it_is(beside: Path, tmp_path: Path) -> None:
    (tmp_path / "names.csv").write_text(HEADING)
    absolute = FOLDER.replace("names.csv", str(tmp_path / "names.csv"))
    assert load(written(beside, absolute)).profile.identifiers == tmp_path / "names.csv"
    assert Secret.model_validate({"file": "key"}).file == Path("key")


def parts(kind: type[Declared]) -> Iterator[type[Declared]]:
    for each in kind.__subclasses__():
        yield each
        yield from parts(each)


def test_every_key_that_is_a_path_is_beside_the_profile() -> None:
    for module in (*KINDS.values(), *(each.module for each in FORMATS.values()), "connectors.kafka_source"):
        import_module(module)
    fields = {
        f"{part.__qualname__}.{name}": f"{field.annotation} {field.metadata}"
        for part in parts(Declared)
        if part.__module__.startswith("connectors.")
        for name, field in part.model_fields.items()
    }
    paths = {name: said for name, said in fields.items() if "pathlib" in said}
    assert {"Secret.file", "Sftp.known_hosts", "ConnectorProfile.identifiers"} <= paths.keys()
    assert [name for name, said in paths.items() if "beside_profile" not in said] == []

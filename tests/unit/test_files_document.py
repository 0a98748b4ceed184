"""docs/connectors: every key of a profile is told there, and nothing that is none."""

import json
import re

import pytest

from connectors.files import FORMATS
from connectors.files.xlsx_reader import SheetProfile
from connectors.folder.arrivals import UNFINISHED
from connectors.folder.profile import Profile as FolderProfile
from connectors.folder.profile import Sftp
from connectors.mapping.language import Cell, Condition, Declared, Rule
from connectors.profiles import ConnectorProfile
from tests.unit.documents import rows, section, spans, text_of

FILES, FOLDER = text_of("connectors/files.md"), text_of("connectors/folder.md")


def keys_of(kind: type[Declared]) -> set[str]:
    return {field.alias or name for name, field in kind.model_fields.items()}


def told(text: str, heading: str) -> set[str]:
    own = section(text, heading).split("\n### ")[0]
    return {row[0].strip("`") for row in rows(own)}


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("Keys of a profile", SheetProfile),
        ("Keys of a rule", Rule),
        ("Keys of a condition", Condition),
        ("Keys of a column", Cell),
    ],
)
def test_every_key_of_a_profile_of_files_is_told(heading: str, kind: type[Declared]) -> None:
    assert told(FILES, heading) == keys_of(kind)


def test_every_key_of_a_folder_is_told() -> None:
    own = keys_of(FolderProfile) - keys_of(ConnectorProfile)
    assert told(FOLDER, "Keys") == own
    assert keys_of(ConnectorProfile) | keys_of(Sftp) <= set(spans(FOLDER))
    assert set(UNFINISHED) <= set(spans(FOLDER))


def test_every_default_is_the_one_of_the_model() -> None:
    for text, heading, kind in ((FILES, "Keys of a profile", SheetProfile), (FOLDER, "Keys", FolderProfile)):
        own = section(text, heading).split("\n### ")[0]
        for key, default, _ in rows(own):
            field = kind.model_fields[key.strip("`")]
            assert field.is_required() == (default == "required"), key
            if found := re.fullmatch(r"`(.*)`", default):
                value = json.loads(found[1])
                assert list(field.default) == value if isinstance(value, list) else field.default == value, key


def test_the_formats_are_told_with_their_suffixes() -> None:
    table = {row[0].strip("`"): row[1] for row in rows(FILES.split("## ")[0])}
    assert set(FORMATS) <= set(table)
    for name, each in FORMATS.items():
        assert all(f"`{suffix}`" in table[name] for suffix in each.suffixes), name

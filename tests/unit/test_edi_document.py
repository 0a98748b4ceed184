"""The guide to EDI says what the code declares."""

from __future__ import annotations

import tomllib
from pathlib import Path

from connectors.edi import PartnerProfile
from connectors.edi.codes import Purpose
from connectors.edi.messages import BY_CODE, KINDS
from connectors.edi.profile import Codes, Dates
from tests.unit.documents import blocks, rows, section, text_of

GUIDE = "connectors/edi.md"
PURPOSES: tuple[Purpose, ...] = ("original", "change", "replace", "cancel")


def test_the_table_of_messages_is_that_of_the_code() -> None:
    said = rows(section(text_of(GUIDE), "What becomes of a message"))
    assert said == [
        [", ".join(kind.codes), " or ".join(kind.we_are), *(kind.events[purpose] for purpose in PURPOSES)]
        for kind in KINDS
    ]


def test_every_message_has_a_translation() -> None:
    assert len(BY_CODE) == sum(len(kind.codes) for kind in KINDS)


def test_every_key_of_the_profile_is_explained() -> None:
    keys = set(PartnerProfile.model_fields) - {"codes", "dates", "name", "format", "source", "partner"}
    keys |= {f"codes.{name}" for name in Codes.model_fields} | {f"dates.{name}" for name in Dates.model_fields}
    explained = {key.strip(" `") for row in rows(section(text_of(GUIDE), "The profile")) for key in row[0].split(",")}
    assert explained == keys


def test_the_profile_of_the_guide_is_one() -> None:
    (example,) = blocks(text_of(GUIDE), "toml")
    assert PartnerProfile.model_validate(tomllib.loads(example)).identifiers == Path("identifiers.csv")

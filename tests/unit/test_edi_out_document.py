"""The guide to EDI that goes out says what the code declares."""

from __future__ import annotations

import tomllib

from connectors.edi.outbound.profile import Profile, Receipts, Side
from connectors.profiles import ConnectorProfile
from tests.unit.documents import blocks, rows, section, spans, text_of

GUIDE = "connectors/edi-out.md"


def test_every_key_of_the_profile_is_explained() -> None:
    explained = {key for row in rows(section(text_of(GUIDE), "The profile")) for key in spans(row[0])}
    assert explained == set(Profile.model_fields) - set(ConnectorProfile.model_fields)


def test_the_profile_of_the_guide_is_one() -> None:
    (example,) = blocks(text_of(GUIDE), "toml")
    profile = Profile.model_validate(tomllib.loads(example))
    assert isinstance(profile.receipts, Receipts)
    assert profile.ours == Side(id="5012345000008", qualifier="14")
    assert f"nothing of an order may alter before it is sent; {profile.gather_seconds:g} " in text_of(GUIDE)
    assert f"`stockline connectors check`; {profile.overdue_hours:g} " in text_of(GUIDE)

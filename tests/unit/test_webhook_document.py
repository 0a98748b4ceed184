"""docs/connectors/webhook.md names every key of the listener and of a subscriber, and its profile can be loaded."""

import re
import tomllib

from connectors.webhook.profile import Listen, Profile, Subscriber
from tests.unit.documents import blocks, rows, section, text_of

TEXT = text_of("connectors/webhook.md")


def keys(heading: str, before: str) -> set[str]:
    """The names in the first cells of the last table of a section; `before` is what its first row names first."""
    cells = [cell for cell, *_ in rows(section(TEXT, heading))]
    first = next(place for place, cell in enumerate(cells) if cell.startswith(before))
    return {key for cell in cells[first:] for key in re.findall(r"`(\w+)`", cell)}


def test_every_key_is_told() -> None:
    assert keys("What comes in", "`host`") == set(Listen.model_fields)
    assert keys("What goes out", "`name`") == set(Subscriber.model_fields)


def test_the_profile_of_the_document_can_be_loaded() -> None:
    profile = Profile.model_validate(tomllib.loads(blocks(TEXT, "toml")[0]))
    assert profile.listen is not None
    assert [subscriber.name for subscriber in profile.subscribers] == ["shop"]

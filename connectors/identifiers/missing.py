"""The identifiers that dead letters miss."""

import base64
from collections import Counter

from connectors.client import EngineClient
from connectors.host.refused import read_back
from connectors.identifiers.mapping import Mapping, Row
from connectors.ports import unmapped_in


async def missing_of(engine: EngineClient, mapping: Mapping, limit: int) -> Counter[Row]:
    """What the mapping lacks for the records in the dead letters: at most `limit` rows, with `ours` left empty.

    Each with how many dead letters name it, counted while there is room for its row.
    """
    found: Counter[Row] = Counter()
    async for letter in engine.dead_letters(sort="-arrived"):
        raw = letter["raw"].encode() if "raw" in letter else base64.b64decode(letter.get("raw_base64", ""))
        refused = read_back(raw)
        if refused is None or refused.reason != "unmapped_identifier":
            continue
        for unmapped in unmapped_in(refused.detail):
            row = Row(unmapped.partner, unmapped.kind, unmapped.name, "")
            known = mapping.ours(row.kind, row.partner, row.theirs) is not None
            if not known and (row in found or len(found) < limit):
                found[row] += 1
    return found

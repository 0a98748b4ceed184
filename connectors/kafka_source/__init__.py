"""Topics of other teams: read, translated to Stockline's events and appended to `stockline.events`, exactly once.

`connectors/kafka_source/data/example.toml` is a profile to begin with; `profile` says what may be in one.
"""

from connectors.kafka_source.profile import SourceProfile, load_profile
from connectors.kafka_source.source import Source, Tally

__all__ = ["Source", "SourceProfile", "Tally", "load_profile"]

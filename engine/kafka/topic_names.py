"""The topics of the contract as Kafka knows them."""

from engine.contract.schemas import CHANNELS

EVENTS = "stockline.events"
STATE = "stockline.state"
OUTPUTS = {name: f"stockline.{name}" for name in CHANNELS if name not in ("events", "state")}
DEAD_LETTERS = OUTPUTS["dead-letters"]
TOPICS = [EVENTS, STATE, *OUTPUTS.values()]

"""The topics of the contract under their names on Kafka."""

from collections.abc import Mapping

from engine.core import topics

EVENTS = topics.EVENTS.kafka_name
STATE = topics.STATE.kafka_name
OUTPUTS: Mapping[topics.Topic, str] = {name: declared.kafka_name for name, declared in topics.OUTPUT_TOPICS.items()}
DEAD_LETTERS = OUTPUTS["dead-letters"]
DECLARED: Mapping[str, topics.TopicDeclaration] = {each.kafka_name: each for each in topics.TOPICS.values()}
TOPICS = list(DECLARED)

"""The topics of the contract under their names on Kafka."""

from collections.abc import Mapping

from engine.core import topics

EVENTS = topics.EVENTS.kafka_name
STATE = topics.STATE.kafka_name
OUTPUTS: Mapping[topics.Topic, str] = {name: declared.kafka_name for name, declared in topics.OUTPUT_TOPICS.items()}
DEAD_LETTERS = OUTPUTS["dead-letters"]
TOPICS = [each.kafka_name for each in topics.TOPICS.values()]
LOGOUTS = topics.LOGOUTS.kafka_name
PROCESSES = topics.PROCESSES.kafka_name
DECLARED: Mapping[str, topics.TopicDeclaration] = {
    each.kafka_name: each for each in (*topics.TOPICS.values(), *topics.SIDE_TOPICS)
}

"""The composition root of `stockline source`: it translates topics of other teams into `stockline.events`."""

import asyncio

from connectors.kafka_source import Source, SourceProfile, Tally
from engine.bus.kafka.topics import existing_topics
from engine.kafka.connection import Connection
from engine.settings import KafkaSettings


async def run(settings: KafkaSettings, profile: SourceProfile, once: bool, stop: asyncio.Event) -> Tally:
    """Translate until `stop` is set; with `once`, up to the ends that the topics have now. Returns the counts.

    Raises:
        UsageError: a topic is missing or not what it was, or an operation is not allowed.
        EnvironmentFailure: the cluster cannot be reached at the start.
    """
    asyncio.get_running_loop().set_exception_handler(_handle_unawaited)
    connection = Connection(settings)
    topics = await existing_topics(connection)
    return await Source(profile, connection, topics.partitions).run(stop, once)


def _handle_unawaited(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """Log errors that no code awaits, but for those of futures that aiokafka drops after it has raised their error."""
    if not type(context.get("exception")).__module__.startswith("aiokafka."):
        loop.default_exception_handler(context)

"""`stockline source`: topics of other teams into `stockline.events`."""

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine import settings as settings_module
from engine.cli import show
from engine.processes.lifecycle import stop_when_asked

if TYPE_CHECKING:
    from connectors.kafka_source import SourceProfile, Tally

SHOWN_REASONS = 20


def source(
    profile: Annotated[Path, typer.Option(help="What the foreign topics mean: a TOML file.")],
    kafka: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Brokers, with commas between.", show_default="STOCKLINE_KAFKA"),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="End where the topics end now.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
) -> None:
    """Translate topics of other teams and append them to stockline.events, exactly once, until interrupted."""
    # What runs is imported here, so that the other commands start without it.
    from connectors.kafka_source import load_profile

    reading = load_profile(profile)
    settings = settings_module.load_kafka(kafka=kafka)
    level = logging.getLogger().level
    logging.getLogger("connectors.kafka_source").setLevel(min(logging.INFO, level))
    if level > logging.DEBUG:
        # The client repeats itself while a broker is away; the connector says it once.
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    tally = asyncio.run(_run(settings, reading, once))
    if as_json:
        show.document(
            {
                "translated": tally.translated,
                "refused": tally.refused.total(),
                "skipped": tally.skipped.total(),
                "refused_by_reason": dict(tally.refused),
                "skipped_by_reason": dict(tally.skipped),
            }
        )
    else:
        _tell(tally)


async def _run(settings: settings_module.KafkaSettings, profile: "SourceProfile", once: bool) -> "Tally":
    from connectors.kafka_source import Access, Source
    from engine.bus.kafka.topics import existing_topics
    from engine.kafka.connection import Connection

    asked = stop_when_asked()
    asyncio.get_running_loop().set_exception_handler(_overhear)
    connection = Connection(settings)
    topics = await existing_topics(connection)
    access = Access(
        options=connection.options,
        group=f"{settings.group}-source-{profile.name}",
        session_timeout_ms=settings.session_timeout_ms,
        transaction_timeout_ms=settings.transaction_timeout_ms,
        fetch_bytes=settings.fetch_bytes,
        compression=settings.compression,
    )
    return await Source(profile, access, topics.partitions).run(asked, once)


def _overhear(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say what nobody has waited for, save futures that the Kafka client leaves behind after an error it has told."""
    if not type(context.get("exception")).__module__.startswith("aiokafka."):
        loop.default_exception_handler(context)


def _tell(tally: "Tally") -> None:
    typer.echo(str(tally))
    for what, counts in (("refused", tally.refused), ("skipped", tally.skipped)):
        for reason, count in counts.most_common(SHOWN_REASONS):
            show.remark(f"  {what}: {count} ({reason})")

"""`stockline source`: topics of other teams into `stockline.events`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli import logs, options, show
from engine.processes.lifecycle import live
from engine.settings import load_kafka

if TYPE_CHECKING:
    from connectors.kafka_source import Tally

SHOWN_REASONS = 20


def source(
    profile: Annotated[Path, typer.Option(help="What the foreign topics mean: a TOML file.")],
    kafka: options.Brokers = None,
    once: Annotated[bool, typer.Option("--once", help="End where the topics end now.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
) -> None:
    """Translate topics of other teams and append them to stockline.events, exactly once, until interrupted."""
    # What runs is imported here, so that the other commands start without it.
    from connectors.kafka_source import load_profile
    from engine.processes.source import run

    reading = load_profile(profile)
    settings = load_kafka(kafka=kafka)
    logs.show_source()
    _print(live(lambda stop: run(settings, reading, once, stop)), as_json)


def _print(tally: "Tally", as_json: bool) -> None:
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
        return
    typer.echo(str(tally))
    for what, counts in (("refused", tally.refused), ("skipped", tally.skipped)):
        for reason, count in counts.most_common(SHOWN_REASONS):
            show.remark(f"  {what}: {count} ({reason})")

"""Which log messages a command shows on standard error; with STOCKLINE_DEBUG set, all of them."""

import logging

from connectors.redaction import redact_logs


def write_json() -> None:
    """Write every message as a JSON object from now on."""
    from engine.telemetry.logs import JsonFormatter

    for handler in logging.getLogger().handlers:
        handler.setFormatter(JsonFormatter())


def show_engine() -> None:
    """Show the engine's messages from INFO on."""
    _show_info("stockline")


def show_cluster() -> None:
    """Show the messages of a process on Kafka from INFO on, but for what the client repeats while a broker is away."""
    _show_info("engine", "stockline")
    _hide("aiokafka", "asyncio")
    if _level() > logging.DEBUG:
        logging.getLogger("engine.bus.kafka").setLevel(logging.WARNING)


def show_source() -> None:
    """Show the messages of the Kafka source from INFO on; it says once what the client repeats."""
    _show_info("connectors.kafka_source")
    _hide("aiokafka")


def show_connectors() -> None:
    """Show the messages of connectors from INFO on, without secrets."""
    _show_info("connectors")
    redact_logs()


def _level() -> int:
    return logging.getLogger().level


def _show_info(*names: str) -> None:
    for name in names:
        logging.getLogger(name).setLevel(min(logging.INFO, _level()))


def _hide(*names: str) -> None:
    if _level() > logging.DEBUG:
        for name in names:
            logging.getLogger(name).setLevel(logging.CRITICAL)

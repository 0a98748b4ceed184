"""`stockline worker` and `stockline web`: the processes on a Kafka cluster."""

import os
from typing import Annotated

import typer

from engine.cli import logs, options
from engine.processes.lifecycle import live
from engine.settings import load_access, load_kafka, load_settings


def worker(
    kafka: options.Brokers = None,
    workers: Annotated[int, typer.Option(min=1, help="How many processes.")] = 1,
    data: options.Cache = None,
    host: options.Host = None,
    port: Annotated[int, typer.Option(help="For metrics and health; each worker takes the next. 0: any.")] = 8090,
    insecure: options.Insecure = None,
    tokens: options.Tokens = None,
    tls_certificate: options.TlsCertificate = None,
    tls_key: options.TlsKey = None,
) -> None:
    """Fold the events of a Kafka cluster until interrupted.

    Options that are not given are read from environment variables such as STOCKLINE_KAFKA.
    """
    brokers, access = load_kafka(kafka=kafka), load_access(tokens=tokens)
    https = {"tls_certificate": tls_certificate, "tls_key": tls_key}
    settings = load_settings(data=data, host=host, port=port, insecure=insecure, **https)
    logs.show_cluster()
    # What runs is imported here, so that the other commands start without it.
    if workers > 1:
        from engine.processes.supervisor import Supervisor

        raise typer.Exit(Supervisor(brokers.kafka, settings, workers, access.tokens).run())
    from engine.processes.worker import run

    def announce(url: str) -> None:
        typer.echo(f"stockline worker {os.getpid()} is in group {brokers.group}; metrics at {url}/metrics")

    live(lambda stop: run(settings, access, brokers, announce, stop))


def web(
    kafka: options.Brokers = None,
    data: options.Cache = None,
    host: options.Host = None,
    port: options.Port = None,
    insecure: options.Insecure = None,
    tokens: options.Tokens = None,
    tls_certificate: options.TlsCertificate = None,
    tls_key: options.TlsKey = None,
) -> None:
    """Serve HTTP and the live view over a Kafka cluster until interrupted; any number of copies may run."""
    brokers, access = load_kafka(kafka=kafka), load_access(tokens=tokens)
    https = {"tls_certificate": tls_certificate, "tls_key": tls_key}
    settings = load_settings(data=data, host=host, port=port, insecure=insecure, **https)
    logs.show_cluster()
    from engine.processes.web import run

    def announce(url: str) -> None:
        typer.echo(f"stockline serves {url} from Kafka at {brokers.kafka}")

    live(lambda stop: run(settings, access, brokers, announce, stop))

"""docker-compose.yml as podman-compose runs it, with ports that are free and the probes that systemd would run."""

import os
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.real import images, orphans, podman
from tests.real.alone import MACHINE, alone
from tests.real.kafka import ROOT, free_port
from tests.real.podman import run

FILES = [ROOT / "docker-compose.yml", Path(__file__).with_name("podman.yml")]
PROJECT = "stockline-test"
NETWORK = f"{PROJECT}_default"
HEALTHY_SECONDS, PAUSE_SECONDS = 300.0, 2.0


class Compose:
    """The services of docker-compose.yml; a context manager that removes all that it started.

    `ports` are those of `web` and of the embedded engine, `stockline`, on 127.0.0.1. One process of a machine is in it
    at a time, so that what bears the names of its containers and is not its own is known to be left behind.
    """

    def __init__(self) -> None:
        self.ports = {"web": free_port(), "stockline": free_port()}
        self._held = ExitStack()

    def __enter__(self) -> Self:
        """Fetch what is needed and build the image; raises Missing where no container can run."""
        podman.prepare()
        with ExitStack() as held:
            held.enter_context(alone("stockline-containers", MACHINE))
            self.clear()
            images.make()
            # A machine may have podman and still allow no containers, no limits or no networks.
            podman.podman("run", "--rm", "--read-only", "--cap-drop=ALL", "--memory=64m", images.BASE, "true")
            self("build", "stockline")
            self._held = held.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._held:
            self.clear()

    def clear(self) -> None:
        """Remove every container, volume and network, also those that a run which was killed has left."""
        podman.clear()
        orphans.remove(NETWORK)

    def __call__(self, *arguments: str) -> str:
        """What a command of podman-compose prints; it must succeed."""
        command = [sys.executable, "-m", "podman_compose", "--in-pod", "false", "--project-name", PROJECT]
        for path in FILES:
            command += ["--file", str(path)]
        ports = [f"WEB_PORT={self.ports['web']}", f"EMBEDDED_PORT={self.ports['stockline']}"]
        done = run("env", *ports, *command, "--profile", "embedded", *arguments)
        assert done.returncode == 0, f"podman-compose {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def up(self, *services: str) -> None:
        """Start services and wait until they are healthy."""
        self("up", "--detach", "--no-build", "--no-deps", *services)
        self.wait_healthy(*services)

    def wait_healthy(self, *services: str) -> None:
        """Probe services until each is healthy: podman 4.3 runs no probes without systemd."""
        deadline = time.monotonic() + HEALTHY_SECONDS
        for service in services:
            while (probed := run("podman", "healthcheck", "run", self.container(service))).returncode:
                assert time.monotonic() < deadline, f"{service}: {probed.stdout}{probed.stderr}\n{self.logs(service)}"
                time.sleep(PAUSE_SECONDS)

    def container(self, service: str) -> str:
        """The name of the container of a service."""
        return f"{PROJECT}_{service}_1"

    def inspect(self, service: str, template: str) -> str:
        """What podman knows of a container, by a template of Go."""
        return podman.podman("inspect", "--format", template, self.container(service))

    def inside(self, service: str, *command: str) -> str:
        """What a command in a container prints."""
        return podman.podman("exec", self.container(service), *command)

    def pid(self, service: str) -> int:
        """The first process of a container, as this machine numbers it; AssertionError where none runs."""
        pid = int(self.inspect(service, "{{.State.Pid}}"))
        # A signal to the process 0 would reach all of the caller's own.
        assert pid > 0, f"{service} does not run\n{self.logs(service)}"
        return pid

    def kill(self, service: str) -> None:
        """End a service as a crash does: podman did not ask for it, so that it is started again."""
        os.kill(self.pid(service), signal.SIGKILL)

    def logs(self, service: str) -> str:
        """What a service has written so far."""
        done = run("podman", "logs", self.container(service))
        return done.stdout + done.stderr

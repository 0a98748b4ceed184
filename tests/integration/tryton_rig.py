"""An ERP with a clerk, an engine, and the connector between them as the shipped command: what tests of Tryton share."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.integration.process import COMMAND, ROOT, Stockline, environment, stockline
from tests.real.kafka import Missing, free_port
from tests.real.tryton import Tryton
from tests.real.tryton_clerk import Clerk
from tests.real.tryton_world import PASSWORD

AnyRig = TypeVar("AnyRig", bound="Rig")
PROFILE = """\
kind = "tryton"
name = "erp"
url = "{url}"
database = "erp"
user = "stockline"
password = {{ env = "ERP_PASSWORD" }}
held = ["Quarantine"]
page = 50
interval_seconds = 0.3
balances_seconds = 0.001
engine = "{engine}"
"""
BASE = {"FLOUR": 1000}
"""Base units in one unit of Tryton's stock report."""


class Rig:
    """An ERP with a clerk, an engine, and the connector between them."""

    def __init__(self, folder: Path, erp: Tryton | None = None) -> None:
        """Start an ERP, by default the current one, and an engine in a folder."""
        self.folder = folder
        # It is killed and started again at the same address, which nobody else may be given in between.
        self._port = str(free_port())
        self.engine = self._started_engine()
        try:
            self.erp = (erp or Tryton(folder / "tryton")).start()
        except BaseException:
            self.engine.end()
            raise
        self.clerk = Clerk(self.erp)
        self._running: subprocess.Popen[bytes] | None = None

    def _started_engine(self) -> Stockline:
        return Stockline(self.folder / "data", "--clock", "log", "--port", self._port)

    def profile(self) -> Path:
        path = self.folder / "erp.toml"
        path.write_text(PROFILE.format(url=self.erp.url, engine=self.engine.url))
        return path

    def round(self) -> None:
        """One round of the connector, to its end."""
        arguments = ["connectors", "run", str(self.profile()), "--once", "--state", str(self.folder / "state")]
        done = stockline(*arguments, ERP_PASSWORD=PASSWORD)
        assert done.returncode == 0, (done.stdout, done.stderr)
        self.engine.get("/v1/sync?wait=240")

    def run(self) -> None:
        """Start the connector beside the test."""
        command = [*COMMAND, "connectors", "run", str(self.profile()), "--state", str(self.folder / "state")]
        with (self.folder / "connector.log").open("ab") as log:
            self._running = subprocess.Popen(
                command, cwd=ROOT, env=environment() | {"ERP_PASSWORD": PASSWORD}, stdout=log, stderr=log
            )

    def kill_connector(self) -> None:
        if self._running is not None:
            self._running.kill()
            self._running.wait()
            self._running = None

    def restart_engine(self) -> None:
        """Kill the engine, and start it on the same port and data."""
        self.engine.kill()
        self.engine = self._started_engine()

    def restart_erp(self) -> None:
        self.erp.kill()
        self.erp.start()

    def row(self, sku: str, location: str) -> tuple[int, int, int, int]:
        """Available, held, on order, in transit."""
        answer = self.engine.call("GET", f"/v1/positions/{sku}/{location}")
        if answer.status == 404:
            return (0, 0, 0, 0)
        found = answer.json
        return found["available"], found["held"], found["on_order"], found["in_transit"]

    def on_hand(self) -> dict[tuple[str, str], int]:
        """What the engine has on hand, in the units of Tryton's stock report times `BASE`."""
        rows = self.engine.everything("/v1/positions")
        return {(row["sku"], row["location"]): row["on_hand"] for row in rows if row["on_hand"]}

    def reported(self) -> dict[tuple[str, str], int]:
        """The same by Tryton's own stock report."""
        stock = {row: int(quantity * BASE.get(row[0], 1)) for row, quantity in self.clerk.stock().items()}
        return {row: quantity for row, quantity in stock.items() if quantity}

    def alerts(self, kind: str) -> list[dict[str, Any]]:
        return [
            each for each in self.engine.everything("/v1/alerts") if each["kind"] == kind and each["status"] == "open"
        ]

    def end(self) -> None:
        self.kill_connector()
        self.engine.end()
        self.erp.kill()


def running(make: Callable[[], AnyRig]) -> Iterator[AnyRig]:
    """A rig for a fixture, which is ended; the test is skipped where this machine cannot have its ERP."""
    try:
        rig = make()
    except Missing as error:
        pytest.skip(f"no Tryton: {error}")
    try:
        yield rig
    finally:
        rig.end()

"""`make erp`: a Tryton with a small company in it, an engine, and the connector between the two, until interrupted."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

from tests.real.alone import CACHE
from tests.real.kafka import ROOT, Missing
from tests.real.tryton import Tryton
from tests.real.tryton_clerk import Clerk
from tests.real.tryton_template import DATABASE
from tests.real.tryton_world import PASSWORD

FOLDER = CACHE / "erp"
PORT, ENGINE_PORT = int(os.environ.get("ERP_PORT", "8000")), int(os.environ.get("ENGINE_PORT", "8080"))
PROFILE = """\
kind = "tryton"
name = "erp"
url = "{url}"
database = "{database}"
user = "stockline"
password = {{ env = "ERP_PASSWORD" }}
held = ["Quarantine"]
interval_seconds = 2
balances_seconds = 30
engine = "http://127.0.0.1:{engine}"
promises = true
auto = {{ max_qty = 1000000 }}

[orders]
"""
ADVICE = """
  The ERP        {url}  database {database}, user admin or clerk, password {password}
                 Tryton's own client speaks to it (`host` {host}), and `python -m tests.real.erp receive`
  The live view  http://127.0.0.1:{engine}
  The connector  {profile}

  What to try, in a second terminal:
    .venv/bin/python -m tests.real.erp buy       a purchase of five cases of tea: on order
    .venv/bin/python -m tests.real.erp receive   two of them come: the position moves
    .venv/bin/python -m tests.real.erp issue     ten bolts go to a customer: below the minimum a draft is made
    .venv/bin/python -m tests.real.erp order     the oldest draft is confirmed: it is on order
    .venv/bin/python -m tests.real.erp plant     somebody changes a move in the database: an alert, within 30 s
  Ctrl+C ends all three; they go on from here the next time.
"""


def act(erp: Tryton, what: str) -> str:
    """Do what a person would do in the ERP, and say it."""
    clerk = Clerk(erp)
    if what == "buy":
        return f"purchase {clerk.buy('BETA', 'NORTH', ('TEA-250', 5, 'Case of 12'))} is confirmed"
    if what == "receive":
        purchases = erp.find("purchase.purchase", [["state", "=", "processing"], ["shipment_state", "!=", "received"]])
        return f"shipment {clerk.receive(purchases[0]['id'], 2)} is received" if purchases else "nothing is on order"
    if what == "issue":
        return f"shipment {clerk.issue('NORTH', 'BOLT-M8', 10)} has left"
    if what == "order":
        drafts = erp.find("purchase.purchase", [["state", "=", "draft"], ["reference", "like", "stockline %"]])
        if not drafts:
            return "no draft of ours waits: issue until a signal opens"
        clerk.confirm(drafts[0]["id"])
        return f"purchase {drafts[0]['id']} is confirmed"
    moves = erp.find("stock.move", [["state", "=", "done"], ["product.code", "=", "TEA-250"]])
    erp.sql("UPDATE stock_move SET quantity = quantity * 12 WHERE id = ?", moves[0]["id"])
    return f"the quantity of move {moves[0]['id']} is twelvefold now"


def serve() -> None:
    """Run the three until interrupted."""
    is_new = not FOLDER.exists()
    with Tryton(FOLDER / "tryton", PORT) as erp:
        if is_new:
            erp.set_time(datetime.now(UTC))
            Clerk(erp).count("N-A1", **{"BOLT-M8": 50, "TEA-250": 30, "FLOUR": 12.5})
        profile = FOLDER / "erp.toml"
        profile.write_text(PROFILE.format(url=erp.url, database=DATABASE, engine=ENGINE_PORT))
        run = [sys.executable, "-m", "engine"]
        environment = os.environ | {"ERP_PASSWORD": PASSWORD}
        commands = (
            [*run, "run", "--data", str(FOLDER / "data"), "--port", str(ENGINE_PORT)],
            [*run, "connectors", "run", str(profile), "--state", str(FOLDER / "state")],
        )
        children = [subprocess.Popen(command, cwd=ROOT, env=environment) for command in commands]
        host = erp.url.removeprefix("http://")
        names = {"url": erp.url, "host": host, "database": DATABASE, "password": PASSWORD, "engine": ENGINE_PORT}
        print(ADVICE.format(profile=profile, **names), flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print("erp: ends", flush=True)
        finally:
            for child in reversed(children):
                child.terminate()
                child.wait()


def main(arguments: list[str]) -> int:
    """Serve, or act in the ERP that is served."""
    try:
        if not arguments:
            serve()
            return 0
        (what,) = arguments
        print(act(Tryton(FOLDER / "tryton", PORT), what))
    except Missing as error:
        print(f"erp: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))

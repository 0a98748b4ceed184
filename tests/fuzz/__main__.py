"""`make fuzz-api`: about 2,000 cases that schemathesis makes from the OpenAPI document, against an engine with data.

`--cases N` asks for another number, `--seed S` for other cases. It ends with 1 where an answer is not as the document
says, and prints how to repeat the case.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.integration.process import ROOT, Stockline, environment

HERE = Path(__file__).parent
STORY = ROOT / "engine" / "contract" / "events.ndjson"
ENDLESS = r"^/v1/stream$|^/v1/live$|^/static/|^/\{page\}$|^/login|^/logout$"
"""A stream has no end to wait for, nor has a WebSocket; the parts of the page and the ways to log in are no JSON."""


def fuzz(cases: int, seed: int) -> subprocess.CompletedProcess[str]:
    """Run about so many cases against an engine of its own that knows the story of one item."""
    with TemporaryDirectory() as folder, Stockline(Path(folder) / "data", "--clock", "log") as engine:
        engine.call("POST", "/v1/events", STORY.read_bytes() + b"nonsense\n", "application/x-ndjson")
        engine.get("/v1/sync?wait=10")
        operations = sum(len(methods) for methods in engine.get("/openapi.json")["paths"].values())
        command = [
            *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"),
            *("--config-file", str(HERE / "schemathesis.toml"), "run", f"{engine.url}/openapi.json"),
            *("--phases", "fuzzing", "--max-examples", str(max(1, cases // operations)), "--seed", str(seed)),
            *("--exclude-path-regex", ENDLESS, "--request-timeout", "120", "--continue-on-failure", "--no-color"),
            # How long its own cases take to make says how busy the machine is.
            *("--warnings", "off", "--generation-database", "none", "--suppress-health-check", "too_slow"),
        ]
        hooks = {"STOCKLINE_FUZZ_IDS": json.dumps(_ids(engine)), "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks"}
        # What it notes of failures goes with the folder, so that one run does not decide what the next tries.
        known = environment() | hooks | {"PYTHONPATH": str(ROOT)}
        return subprocess.run(command, cwd=folder, env=known, capture_output=True, text=True)


def _ids(engine: Stockline) -> dict[str, list[str]]:
    """What there is, by table, as in a path."""
    rows = [f"{row['sku']}/{row['location']}" for row in engine.get("/v1/positions")["items"]]
    named = ("signals", "alerts", "dead-letters")
    return {"positions": rows} | {
        table: [each["id"] for each in engine.get(f"/v1/{table}")["items"]] for table in named
    }


def main() -> int:
    """The command."""
    options = argparse.ArgumentParser(prog="make fuzz-api")
    options.add_argument("--cases", type=int, default=3_200)
    options.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    given = options.parse_args()
    ran = fuzz(given.cases, given.seed)
    print(ran.stdout + ran.stderr)
    return ran.returncode


if __name__ == "__main__":
    sys.exit(main())

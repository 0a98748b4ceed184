"""A bounded part of `make chaos`, which has every kind of fault: the commonest once, under load, against the oracle."""

import json
import subprocess
import sys

import pytest

from tests.integration.process import ROOT

FAULTS = "zombie,kill_broker,cut_network,kill_at_points"


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.usefixtures("broker_parts")
def test_nothing_is_lost_or_doubled_whatever_breaks() -> None:
    command = [sys.executable, "-m", "tests.chaos", "--json", "--seed", "1", "--kills", "1", "--faults", FAULTS]
    # A quarter of the usual load: the faults need their time, and other tests share the machine meanwhile.
    command += ["--per-second", "75"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=1200)
    assert done.returncode == 0, done.stdout.decode()[-4000:] + done.stderr.decode()[-8000:]
    outcome = json.loads(done.stdout)
    assert (outcome["lost"], outcome["doubled"], outcome["wrong"]) == (0, 0, [])
    assert outcome["signals"] > 0
    assert outcome["dead_letters"] > 0
    assert outcome["compacted"] > 0
    assert len(outcome["actions"]) == 1 + len(FAULTS.split(","))

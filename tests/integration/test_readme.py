"""What the README shows, followed from the top: its blocks in their order, word for word, in an empty directory."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.integration.process import ROOT, environment, stockline
from tests.real.kafka import free_port

README = (ROOT / "README.md").read_text(encoding="utf-8")
ONE_MACHINE, KAFKA = "## A first minute\n", "## On Kafka\n"
SECONDS = 600

# The command where the README has it. It chooses nothing but the port of the workers' metrics.
COMMAND = f"""\
#!/bin/sh
[ "$1" = worker ] && set -- "$@" --port 0
exec '{sys.executable}' -m engine "$@"
"""


class Block(NamedTuple):
    """A fenced block, and the text between it and the block before."""

    kind: str
    text: str
    before: str


def section(heading: str) -> list[Block]:
    """The blocks of a section of the README."""
    text = README.split(heading, 1)[1].split("\n## ", 1)[0]
    found = re.findall(r"(.*?)^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [Block(kind, body, before) for before, kind, body in found]


def script(blocks: list[Block]) -> str:
    """The commands of blocks, and the files that the text says to write, as one script that stops at a failure."""
    lines = ["set -e", "trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT"]
    for block in blocks:
        if block.kind == "json":
            (name,) = re.findall(r"Put this into `(\S+)`", block.before)
            lines += [f"cat > {name} <<'END'", block.text + "END"]
        elif block.kind == "sh":
            lines.append(block.text)
    return "\n".join(lines)


def follow(blocks: list[Block], directory: Path, kafka: str = "127.0.0.1:9092") -> str:
    """Follow blocks in a directory with the command installed; what was said. All parts use one port, as on 8080."""
    command = directory / ".venv" / "bin" / "stockline"
    command.parent.mkdir(parents=True)
    command.write_text(COMMAND)
    command.chmod(0o755)
    port = str(free_port())
    settings = {"STOCKLINE_PORT": port, "STOCKLINE_URL": f"http://127.0.0.1:{port}", "PYTHONPATH": str(ROOT)}
    with (directory / "said").open("wb") as said:
        shell = subprocess.Popen(
            ["bash", "-c", script(blocks).replace("127.0.0.1:9092", kafka)],
            cwd=directory,
            env={**environment(), **settings},
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            code = shell.wait(SECONDS)
        finally:
            if shell.poll() is None:
                os.killpg(shell.pid, signal.SIGTERM)
                shell.wait()
    text = (directory / "said").read_text()
    assert code == 0, text
    return text


def test_the_first_minute_gives_the_signal_and_the_sentence_that_are_shown(tmp_path: Path) -> None:
    blocks = section(ONE_MACHINE)
    said = follow(blocks, tmp_path)
    (shown,) = [block.text for block in blocks if not block.kind]
    assert "first.ndjson: 4 accepted, 1 duplicate" in said
    assert shown.strip() in " ".join(said.split())
    assert stockline("audit", "--data", str(tmp_path / "try")).returncode == 0


@pytest.mark.real
@pytest.mark.slow
def test_one_machine_first_and_then_kafka_from_the_same_directory(kafka: str, tmp_path: Path) -> None:
    said = follow([*section(ONE_MACHINE), *section(KAFKA)], tmp_path, kafka)
    # On Kafka only the fold tells duplicates apart, after the answer.
    assert [line.split(", ")[0] for line in said.splitlines() if " accepted, " in line] == [
        "first.ndjson: 4 accepted",
        "first.ndjson: 5 accepted",
    ], said
    assert f"from Kafka at {kafka}" in said
    # The workers in the background may still speak after it.
    assert any(line.endswith("no differences") for line in said.splitlines()), said

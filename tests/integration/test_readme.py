"""What the README shows: its first minute, word for word, through the shipped command."""

import re
from pathlib import Path

from tests.integration.process import ROOT, Stockline, stockline

README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(kind: str, containing: str) -> str:
    """The fenced block of a kind that contains a text."""
    blocks: list[tuple[str, str]] = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    (found,) = [text for of, text in blocks if of == kind and containing in text]
    return found


def test_the_first_minute_gives_the_signal_and_the_sentence_that_are_shown(tmp_path: Path) -> None:
    events = tmp_path / "first.ndjson"
    events.write_text(block("json", "item.defined"))
    commands = block("sh", "stockline explain")
    name = re.findall(r"stockline explain (\S+)", commands)[0]
    with Stockline(tmp_path / "try", "--clock", "log") as engine:
        sent = stockline("send", str(events), "--url", engine.url)
        assert sent.returncode == 0, sent.stderr
        explained = stockline("explain", name, "--url", engine.url)
        assert explained.returncode == 0, explained.stderr
        assert block("", "Order 84").strip() in " ".join(explained.stdout.decode().split())
        assert engine.stop() == 0
    assert stockline("audit", "--data", str(tmp_path / "try")).returncode == 0


def test_every_command_target_and_file_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`?make (\w+)", README):
        assert f"\n{target}:" in makefile, target
    for path in re.findall(r"`((?:engine|agents|tables|connectors|tests|benchmarks)(?:/[\w.]+)*)`", README):
        assert (ROOT / path).exists(), path

"""docs/connectors/README.md lists every connector that this version has."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.catalogue import KINDS
from connectors.host import running
from connectors.host.delivery import MOST_BEHIND
from connectors.identifiers import read_rows
from tests.unit.documents import DOCS, ROOT, blocks, rows, section, spans, text_of

TEXT = text_of("connectors/README.md")
LISTED = {cells[0].strip("`"): spans(cells[1]) for cells in rows(TEXT[: TEXT.index("## A profile")])}


def test_every_kind_is_listed_with_its_command_and_no_other() -> None:
    kinds = {kind for kind, module in KINDS.items() if (ROOT / module.replace(".", "/")).is_dir()}
    assert kinds - LISTED.keys() == set(), "docs/connectors/README.md lacks connectors"
    run_by_the_host = {kind for kind, commands in LISTED.items() if commands == ["stockline connectors run"]}
    assert run_by_the_host == kinds, "docs/connectors/README.md lists kinds that are not in the catalogue"


def test_every_document_of_a_connector_is_linked() -> None:
    others = {path.name for path in (DOCS / "connectors").glob("*.md")} - {"README.md"}
    assert {name for name in others if f"({name})" not in TEXT} == set()


def test_the_mapping_that_is_shown_is_one(tmp_path: Path) -> None:
    (shown,) = [block for block in blocks(TEXT, "") if block.startswith("partner,")]
    (tmp_path / "shown.csv").write_text(shown)
    assert read_rows(tmp_path / "shown.csv").ours("unit", "anybody", "EA") == "each"


def test_the_figures_are_those_of_the_host() -> None:
    assert f"more than {MOST_BEHIND:,} events" in section(TEXT, "Running")
    assert (running.FIRST_PAUSE_SECONDS, running.LONGEST_PAUSE_SECONDS) == (1.0, 300.0)


@pytest.mark.parametrize("status", ["running", "waiting", "failing", "stopped", "silent"])
def test_every_status_is_told(status: str) -> None:
    assert status in {cells[0].strip("`") for cells in rows(section(TEXT, "Health"))}

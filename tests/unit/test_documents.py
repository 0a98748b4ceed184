"""Whatever the documents name exists: files, functions, links, commands, options, make targets, settings, metrics."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path
from typing import cast

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from engine.cli import app
from engine.core.topics import SIDE_TOPICS, TOPICS
from engine.settings import AccessSettings, KafkaSettings, Settings
from tests.unit.documents import DOCS, DOCUMENTS, ROOT, blocks, defined, functions, outside_code, spans

FOLDERS = ("engine", "agents", "tables", "connectors", "tests", "benchmarks", "docs", ".monitoring", ".ci")
NAMED_FILE = re.compile(
    rf"(?:(?:{'|'.join(map(re.escape, FOLDERS))})(?:/[\w.*-]+)*/?|[\w.-]+\.(?:yml|lock|toml)|Makefile)"
)
VARIABLE = re.compile(r"STOCKLINE_[A-Z_]*[A-Z]")
TOPIC = re.compile(r"stockline\.[a-z-]+")
FOREIGN = {"server.properties", "profile.toml"}
"""Files of others that a text speaks of."""


@cache
def made_by_patches() -> frozenset[str]:
    """The files that the recipes make."""
    patches = "".join(path.read_text() for path in (DOCS / "examples").glob("*.patch"))
    return frozenset(re.findall(r"^--- /dev/null\n\+\+\+ b/(.*)$", patches, re.MULTILINE))


def texts() -> list[object]:
    return [pytest.param(path.read_text(encoding="utf-8"), id=str(path.relative_to(ROOT))) for path in DOCUMENTS]


everywhere = pytest.mark.parametrize("text", texts())


@everywhere
def test_every_file_that_is_named_exists(text: str) -> None:
    named = [span.partition(":")[0] for span in spans(text)]
    files = [name for name in named if NAMED_FILE.fullmatch(name) and name not in FOREIGN]
    assert [name for name in files if not any(ROOT.glob(name)) and name not in made_by_patches()] == []


@everywhere
def test_every_function_that_is_named_exists(text: str) -> None:
    assert [f"{each.file}:{each.name}" for each in functions(text) if each.name not in defined(each.file)] == []


def anchors(path: Path) -> set[str]:
    """The names by which links reach the headings of a document."""
    headings = re.findall(r"^#+ (.*)$", outside_code(path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", outside_code(path.read_text(encoding="utf-8"))):
        if target.startswith("http"):
            continue
        name, _, anchor = target.partition("#")
        found = (path.parent / name).resolve() if name else path
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


@everywhere
def test_every_make_target_that_is_named_exists(text: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    lines = [*spans(text), *"\n".join(blocks(text, "sh")).splitlines()]
    named = [match[1] for line in lines if (match := re.match(r"make ([a-z-]+)", line.strip()))]
    assert [target for target in named if f"\n{target}:" not in makefile] == []


@cache
def variables() -> frozenset[str]:
    """The environment variables that the settings, the command line or a part of the tests read."""
    fields = [*Settings.model_fields, *AccessSettings.model_fields, *KafkaSettings.model_fields]
    sources = [
        p.read_text(encoding="utf-8") for f in ("engine", "tests", "connectors") for p in (ROOT / f).rglob("*.py")
    ]
    quoted = re.findall(r'"(STOCKLINE_[A-Z_]+)"', "\n".join(sources))
    return frozenset([*(f"STOCKLINE_{name.upper()}" for name in fields), *quoted])


@everywhere
def test_every_setting_that_is_named_exists(text: str) -> None:
    assert set(VARIABLE.findall(text)) - variables() == set()


@everywhere
def test_every_topic_that_is_named_exists(text: str) -> None:
    named = {topic for span in spans(text) for topic in [span.strip()] if TOPIC.fullmatch(topic)}
    assert named - {topic.kafka_name for topic in (*TOPICS.values(), *SIDE_TOPICS)} == set()


# commands -------------------------------------------------------------------------------------------------------------


Command = TyperCommand | TyperGroup
PROGRAM = cast(TyperGroup, get_command(app))


def command_lines(text: str) -> list[str]:
    """Every call of `stockline` in a text, whether within a sentence or in a block."""
    lines = [*spans(text), *"\n".join(blocks(text, "sh")).splitlines()]
    found = [re.match(r"(?:\S*/)?stockline( .*)?$", line.strip()) for line in lines]
    return [(match[1] or "").strip(" &") for match in found if match]


def called(words: list[str]) -> tuple[Command, list[str]]:
    """The command that words call, and what is left of them."""
    command: Command = PROGRAM
    while words and words[0] in children(command):
        command, words = children(command)[words[0]], words[1:]
    return command, words


def children(command: Command) -> dict[str, Command]:
    return cast(dict[str, Command], command.commands) if isinstance(command, TyperGroup) else {}


def options_of(command: Command) -> set[str]:
    return {option for parameter in command.params for option in [*parameter.opts, *parameter.secondary_opts]}


def offences(line: str) -> list[str]:
    """What a call names that the command does not have."""
    command, rest = called(shlex.split(re.sub(r"[\[\]]", " ", line)))
    if children(command) and rest and not rest[0].startswith("-"):
        return [f"stockline {line}: there is no command {rest[0]}"]
    options = [word.partition("=")[0] for word in rest if word.startswith("--") and word != "--help"]
    return [f"stockline {line}: there is no option {option}" for option in options if option not in options_of(command)]


@everywhere
def test_every_command_that_is_named_exists(text: str) -> None:
    assert [offence for line in command_lines(text) for offence in offences(line)] == []


def all_options(command: Command) -> set[str]:
    return options_of(command).union(*map(all_options, children(command).values()))


@everywhere
def test_every_option_that_is_named_is_one_of_some_command(text: str) -> None:
    named = {span.split()[0].partition("=")[0] for span in spans(text) if re.match(r"--[a-z]", span)}
    assert named - all_options(PROGRAM) - {"--help", "--version"} == set()


@pytest.mark.parametrize("line", ["fold", "run --clok log", "clock stop", "send first.ndjson --prophile x"])
def test_a_command_that_does_not_exist_is_found(line: str) -> None:
    assert offences(line)


# the index ------------------------------------------------------------------------------------------------------------


def test_the_index_names_every_document() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    links = set(re.findall(r"\]\(([\w/.-]+)\)", index))
    written = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")} - {"README.md"}
    assert links & written == written


def test_no_document_is_longer_than_a_reader_stays() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 150

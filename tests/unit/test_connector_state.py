"""Positions, the lock, profiles, pauses and secrets: what the host of connectors stands on."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from connectors import catalogue
from connectors.host import load, load_all
from connectors.host.health import PartHealth, worst
from connectors.host.loading import guarantee
from connectors.host.running import LONGEST_PAUSE_SECONDS, back_off
from connectors.host.state import ConnectorState
from connectors.profiles import Secret, Unreachable
from connectors.redaction import redacted
from engine.core.errors import DirectoryInUse, UsageError
from tests.connectors.scripted import Scripted

SOON = 30.0

# positions and the lock -----------------------------------------------------------------------------------------------


def _hold(root: str, held: Any, leave: Any) -> None:
    with ConnectorState(Path(root), "one"):
        held.set()
        leave.wait(SOON)


def test_a_second_host_refuses_a_connector_that_is_running(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    held, leave = spawn.Event(), spawn.Event()
    other = spawn.Process(target=_hold, args=(str(tmp_path), held, leave))
    other.start()
    try:
        assert held.wait(SOON * 4)
        with (
            pytest.raises(DirectoryInUse, match="another process runs the connector 'one'"),
            ConnectorState(tmp_path, "one"),
        ):
            pass
        with ConnectorState(tmp_path, "two"):
            pass
    finally:
        leave.set()
        other.join(SOON)
    with ConnectorState(tmp_path, "one"):
        pass


def test_a_position_is_valid_for_one_log(tmp_path: Path) -> None:
    with ConnectorState(tmp_path, "one") as state:
        assert state.kept("source a/b", "log").position is None
        state.keep("source a/b", "log", {"at": 1})
        state.keep("source a/b", "log", {"at": 2})
        assert (state.kept("source a/b", "log").position, state.kept("source a/b", "log").anew) == ({"at": 2}, None)
        other = state.kept("source a/b", "another")
        assert other.position is None
        assert other.anew is not None
        assert state.kept("source c", "log").position is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"log": "x"}', b"\xff"])
def test_a_damaged_position_is_not_taken_for_none(tmp_path: Path, content: bytes) -> None:
    with ConnectorState(tmp_path, "one") as state:
        (tmp_path / "one" / "source-a.json").write_bytes(content)
        with pytest.raises(UsageError, match="holds no position: restore it, or delete it"):
            state.kept("source a", "log")


# profiles -------------------------------------------------------------------------------------------------------------

ERP = 'kind = "tryton"\nname = "erp"\nurl = "http://127.0.0.1"\ndatabase = "erp"\nuser = "stockline"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('name = "a"', "kind: this key is missing"),
        ('kind = "telex"\nname = "a"', "there is no kind 'telex', only "),
        ("kind = ", "is not TOML"),
        ('kind = "listed"\nname = "Not so"\npath = "x"\nother = 1', "name: .*other: there is no such key"),
        (f'{ERP}password = "hunter2"', "password: a secret is never in the profile: say { env = "),
        (f'{ERP}password = {{ env = "A" }}\nheld = "Q"', "held: a list belongs here$"),
        (f"{ERP}password = 5", "password: a table belongs here$"),
        (f'{ERP}password = {{ env = "A" }}\npage = "many"', "page: a whole number belongs here$"),
        (ERP.replace("//", "//u:hunter2@"), "url: a user and a password do not belong into an address"),
        (f'{ERP}engine = "http://u:hunter2@127.0.0.1"', "engine: a user and a password do not belong"),
    ],
)
def test_a_fault_of_a_profile_is_named(tmp_path: Path, text: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalogue.KINDS, "listed", "tests.connectors.listed")
    (tmp_path / "p.toml").write_text(text)
    with pytest.raises(UsageError, match=words) as caught:
        load(tmp_path / "p.toml")
    assert "hunter2" not in str(caught.value)


def test_two_profiles_with_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalogue.KINDS, "listed", "tests.connectors.listed")
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text('kind = "listed"\nname = "same"\npath = "x"')
    with pytest.raises(UsageError, match="have the same name 'same'"):
        load_all([tmp_path / "a.toml", tmp_path / "b.toml"])


def test_the_guarantee_is_the_sentence_that_says_once() -> None:
    class Kind(Scripted):
        """Reads things. They are many.

        It delivers exactly
        once, because it does. Nothing else is said at once.
        """

    assert guarantee(Kind()) == "It delivers exactly once, because it does."
    assert guarantee(Scripted()) == ""


# back-off, exit codes, secrets ----------------------------------------------------------------------------------------


def test_pauses_grow_with_jitter_up_to_a_cap() -> None:
    for failures in range(1, 2000):
        longest = min(2.0 ** min(failures - 1, 60), LONGEST_PAUSE_SECONDS)
        assert longest / 2 <= back_off(failures) <= longest
    assert len({back_off(5) for _ in range(20)}) > 1


@pytest.mark.parametrize(("codes", "code"), [((0, 0), 0), ((0, 1), 1), ((1, 3), 3), ((3, 2), 2), ((2, 70, 1), 70)])
def test_the_exit_code_is_that_of_the_worst(codes: tuple[int, ...], code: int) -> None:
    assert worst(*codes) == code


def test_a_revealed_secret_is_blotted_out_in_every_form(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cr/t &key\n")
    secret = Secret(file=tmp_path / "secret").reveal()
    part = PartHealth()
    part.failed(Unreachable(f"GET https://user:s3cr%2Ft%20%26key@erp/ failed for {secret}"), 1)
    assert part.error == "GET https://user:[secret]@erp/ failed for [secret]"
    assert redacted(repr(ValueError(secret))) == "ValueError('[secret]')"


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe"])
def test_a_secret_that_is_none_is_said_with_its_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(UsageError, match=str(tmp_path / "secret")):
        Secret(file=tmp_path / "secret").reveal()

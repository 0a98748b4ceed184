"""What is said where containers cannot be tried: one line that names what is lacking."""

from __future__ import annotations

import subprocess

import pytest

from tests.real import podman
from tests.real.kafka import Missing


def test_another_user_than_root_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(Missing, match="as root only"):
        podman.prepare()


def test_another_system_is_told_the_packages_that_lack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(podman, "PROGRAMS", {"no-such-program": "no-such-package", "sh": "dash"})
    monkeypatch.setattr(podman, "SUITE", "a system that is not this one")
    with pytest.raises(Missing, match=r"containers need no-such-package, and only"):
        podman.prepare()


def test_packages_are_asked_for_again_with_fresh_lists_and_the_last_failure_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def fail(*command: str, **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command[-1])
        return subprocess.CompletedProcess(command, 100, "", "E: no route\nto the mirror\n")

    monkeypatch.setattr(podman, "run", fail)
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(Missing, match=r"failed: E: no route to the mirror$"):
        podman.apt("install", "podman")
    assert asked == ["podman", "update", "podman", "update", "podman"]

"""Which files of a folder are complete."""

from typing import Any

from connectors.folder.arrivals import Arrivals
from connectors.folder.places import Entry
from connectors.folder.profile import Profile


def arrivals(**change: Any) -> Arrivals:
    keys = {"kind": "folder", "name": "a", "path": "x", "files": [{"pattern": "*", "profile": "ndjson"}]}
    return Arrivals(Profile.model_validate(keys | change))


def test_files_that_are_being_written_wait() -> None:
    names = ["b.csv", "a.csv", ".a.csv", "c.csv.part", "d.tmp", "e.FILEPART", "f~"]
    entries = [Entry(name, 1, 10 - place) for place, name in enumerate(names)]
    assert [entry.name for entry in arrivals(ready="renamed").wanted(entries)] == ["a.csv", "b.csv"]
    assert [entry.name for entry in arrivals(ready="renamed", order="time").wanted(entries)] == ["a.csv", "b.csv"]
    late = [Entry("a.csv", 1, 20), Entry("b.csv", 1, 10)]
    assert [entry.name for entry in arrivals(ready="renamed", order="time").wanted(late)] == ["b.csv", "a.csv"]


def test_a_marker_says_that_a_file_is_complete() -> None:
    entries = [Entry(name, 1, 1) for name in ("a.csv", "a.csv.done", "b.csv")]
    assert [entry.name for entry in arrivals(ready="marker").wanted(entries)] == ["a.csv"]


def test_a_file_is_stable_when_nothing_of_it_has_changed_for_long_enough() -> None:
    found = arrivals(stable_seconds=5)
    small, grown = Entry("a.csv", 1, 1), Entry("a.csv", 2, 2)
    assert (found.look([small], 100.0), found.stable([small], 100.0)) == (5.0, [])
    assert (found.look([grown], 104.0), found.stable([grown], 106.0)) == (5.0, [])
    assert (found.look([grown], 109.5), found.stable([grown], 109.5)) == (0.0, [grown])

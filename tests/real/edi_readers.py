"""Readers of EDI by other authors, pydifact and pyx12, in an environment of their own under `.cache`."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.real.alone import CACHE, alone
from tests.real.kafka import Missing

PINS = Path(__file__).parent / "edi-readers.txt"
PYTHON = CACHE / "edi-readers" / "bin" / "python"
COMPLETE = CACHE / "edi-readers" / "complete"

READ = """
import json, sys, warnings
import pyx12.x12file
from pydifact.segmentcollection import Interchange

warnings.simplefilter("ignore")

def x12(path):
    reader = pyx12.x12file.X12Reader(path)
    tags, errors = [], []
    for segment in reader:
        tags.append(segment.get_seg_id())
        errors += reader.pop_errors()
    reader.cleanup()
    return tags, errors + reader.pop_errors()

def edifact(path):
    with open(path, encoding="latin-1") as file:
        interchange = Interchange.from_str(file.read())
    interchange.validate()
    return [segment.tag for message in interchange.get_messages() for segment in message.segments], []

print(json.dumps([x12(path) if path.endswith(".x12") else edifact(path) for path in sys.argv[1:]]))
"""


def read_by_others(files: Sequence[Path]) -> list[tuple[list[str], list[str]]]:
    """The tags of the segments that the other reader finds in each file, and its errors. Raises Missing."""
    with alone("edi-readers"):
        if not COMPLETE.exists():
            _run([sys.executable, "-m", "venv", str(PYTHON.parents[1])])
            _run([str(PYTHON), "-m", "pip", "install", "--quiet", "--no-compile", "--no-deps", "-r", str(PINS)])
            # Last: the interpreter is there before what it is to read with.
            COMPLETE.touch()
    done = subprocess.run([str(PYTHON), "-c", READ, *map(str, files)], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return [(tags, errors) for tags, errors in json.loads(done.stdout)]


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise Missing(f"`{' '.join(command)[:120]}` failed: {done.stderr[-400:]}")

"""The parser of the AsyncAPI initiative, from npm: what it does not take, no tool of that world takes."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.real.alone import CACHE, alone
from tests.real.kafka import Missing

VERSION = "3.6.3"
PACKAGE = CACHE / f"asyncapi-parser-{VERSION}"
INSTALL_SECONDS, PARSE_SECONDS = 600, 240
ERROR = 0
"""The severity of a diagnostic that makes a document unusable."""

SCRIPT = """
const { Parser } = require("@asyncapi/parser");
const text = require("fs").readFileSync(0, "utf8");
new Parser().parse(text).then(({ document, diagnostics }) => console.log(JSON.stringify({
  messages: document ? document.allMessages().all().map((each) => each.name()) : null,
  diagnostics: diagnostics.map(({ severity, path, message }) => ({ severity, path: path.join("."), message })),
})));
"""


def package() -> Path:
    """The folder of the parser, fetched where it is not there yet; raises Missing."""
    if not PACKAGE.exists():
        with alone(PACKAGE.name):
            if not PACKAGE.exists():
                _fetch()
    return PACKAGE


def _fetch() -> None:
    for program in ("node", "npm"):
        if not shutil.which(program):
            raise Missing(f"the AsyncAPI parser needs Node (no `{program}` on the path)")
    with tempfile.TemporaryDirectory(dir=PACKAGE.parent) as fresh:
        quietly = ["--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=5"]
        command = ["npm", "install", "--prefix", f"{fresh}/parser", *quietly, f"@asyncapi/parser@{VERSION}"]
        _run(command, INSTALL_SECONDS)
        (Path(fresh) / "parser").replace(PACKAGE)


def parse(document: bytes) -> dict[str, Any]:
    """What the parser makes of a document: its messages (None for no document) and its diagnostics."""
    parsed: dict[str, Any] = json.loads(_run(["node", "-e", SCRIPT], PARSE_SECONDS, document, package()))
    return parsed


def _run(command: list[str], seconds: float, given: bytes = b"", folder: Path | None = None) -> bytes:
    try:
        done = subprocess.run(command, cwd=folder, input=given, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        raise Missing(f"`{command[0]}` did not end within {seconds:g} s") from None
    if done.returncode:
        raise Missing(f"`{command[0]}` failed: {done.stderr.decode(errors='replace').strip()[-500:]}")
    return done.stdout

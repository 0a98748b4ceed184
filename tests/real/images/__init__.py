"""The images that docker-compose.yml names, made on this machine: a base from Debian's packages, the rest on top of it.

They answer to the names of those in a registry, so that docker-compose.yml is run as it stands. Kafka is the version
that it names; Python and Prometheus are Debian's.
"""

import hashlib
import shutil
import tempfile
from pathlib import Path

from ruamel.yaml import YAML

from tests.real.kafka import ROOT, Missing, jars
from tests.real.podman import STORE, SUITE, apt, podman, run

RECIPES = Path(__file__).parent
SERVICES = YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"]
BASE = f"localhost/{SERVICES['stockline']['build']['dockerfile_inline'].split()[1]}"
KAFKA = f"localhost/{SERVICES['kafka']['image']}"
PROMETHEUS = f"localhost/{SERVICES['prometheus']['image']}"
IN_BASE = "python3,python3-venv,ca-certificates"
HOOKS = (
    'ln -s python3 "$1/usr/bin/python"',
    # A machine behind a proxy has certificates of its own.
    'cp /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/ca-certificates.crt"',
)


def make() -> None:
    """Make what is not there yet; raises Missing where a part cannot be fetched."""
    if run("podman", "image", "exists", BASE).returncode:
        _make_base()
    _make(KAFKA, "kafka", {"java": "openjdk-17-jre-headless"}, {"jars": jars()})
    _make(PROMETHEUS, "prometheus", {"prometheus": "prometheus"}, {})


def _make_base() -> None:
    with tempfile.TemporaryDirectory(dir=STORE) as folder:
        tarball = f"{folder}/base.tar"
        hooks = [f"--customize-hook={hook}" for hook in HOOKS]
        options = ["--mode=root", "--variant=minbase", "--dpkgopt=force-unsafe-io", f"--include={IN_BASE}", *hooks]
        made = run("mmdebstrap", "--aptopt=Acquire::Retries 3", *options, SUITE, tarball)
        if made.returncode:
            raise Missing(f"Debian's base could not be fetched: {' '.join(made.stderr.split())[-300:]}")
        podman("import", tarball, BASE)


def _make(image: str, recipe: str, packages: dict[str, str], folders: dict[str, Path]) -> None:
    """Build `recipe` with packages of Debian, unpacked, and folders beside it, unless it was built of the same."""
    texts = sorted(path for path in RECIPES.iterdir() if path.is_file())
    version = hashlib.sha256(b"".join(path.read_bytes() for path in texts)).hexdigest()[:16]
    known = run("podman", "image", "inspect", "--format", '{{index .Labels "recipe"}}', image)
    if known.stdout.strip() == version:
        return
    with tempfile.TemporaryDirectory(dir=STORE) as name:
        context = Path(name)
        for path in texts:
            shutil.copy(path, context)
        for folder, package in packages.items():
            _unpack(package, context / folder)
        for folder, source in folders.items():
            shutil.copytree(source, context / folder)
        podman("build", "--quiet", "--layers=false", "--label", f"recipe={version}", "--build-arg", f"BASE={BASE}",
               "--tag", image, "--file", context / f"{recipe}.dockerfile", context)  # fmt: skip


def _unpack(package: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=STORE) as name:
        apt("download", package, folder=Path(name))
        (archive,) = Path(name).glob("*.deb")
        unpacked = run("dpkg-deb", "--extract", archive, folder)
        if unpacked.returncode:
            raise Missing(f"`{archive.name}` could not be unpacked: {unpacked.stderr.strip()[-300:]}")

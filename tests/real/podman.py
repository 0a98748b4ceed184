"""Containers without a Docker engine: podman from Debian's packages, with everything that it keeps under `.cache`.

Images, volumes, locks and configuration lie in one folder, which `make clean` removes with the rest of `.cache`. What
networks leave to the machine is removed by `tests.real.orphans`. No registry of images is asked.
"""

import os
import resource
import shutil
import subprocess
import time
from pathlib import Path

from tests.real.alone import alone
from tests.real.kafka import ROOT, Missing

STORE = ROOT / ".cache" / "containers"
SUITE = "bookworm"
PROGRAMS = {
    "podman": "podman",
    "runc": "runc",
    "iptables": "iptables",
    "mmdebstrap": "mmdebstrap",
    "netavark": "netavark",
    "aardvark-dns": "aardvark-dns",
    "ip": "iproute2",
}
"""Every program that is run here or by podman, and the package of Debian that holds it."""
FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/lib/podman")
APT = ["apt-get", "-q", "-y", "-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=120"]
ATTEMPTS = 3
LIMIT = 16384

CONTAINERS = """\
[containers]
default_ulimits = ["nofile={files}:{files}", "nproc={processes}:{processes}"]
log_driver = "k8s-file"
[engine]
compat_api_enforce_docker_hub = false
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
runtime = "runc"
static_dir = "{store}/graph/libpod"
tmp_dir = "{store}/run/libpod"
volume_path = "{store}/graph/volumes"
[network]
network_backend = "netavark"
network_config_dir = "{store}/networks"
"""
STORAGE = """\
[storage]
driver = "overlay"
graphroot = "{store}/graph"
runroot = "{store}/run"
[storage.options.overlay]
skip_mount_home = "true"
"""
REGISTRIES = """\
unqualified-search-registries = []
"""
"""A name without a host means an image of this machine."""


def environment() -> dict[str, str]:
    """The variables that podman and podman-compose run with."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "CONTAINER_"))}
    return kept | {
        "PATH": os.pathsep.join([os.environ.get("PATH", os.defpath), *FOLDERS]),
        "CONTAINERS_CONF": f"{STORE}/containers.conf",
        "CONTAINERS_STORAGE_CONF": f"{STORE}/storage.conf",
        "CONTAINERS_REGISTRIES_CONF": f"{STORE}/registries.conf",
        # Steps of a build use the network of the machine, as pip does outside.
        "BUILDAH_ISOLATION": "chroot",
        # Without systemd nothing runs the probes by the clock: the tests do.
        "DISABLE_HC_SYSTEMD": "true",
        "TMPDIR": f"{STORE}/tmp",
    }


def run(*command: str | Path, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a program with podman's environment; its output is kept, its exit code is the caller's to look at."""
    return subprocess.run(
        command, cwd=folder, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def podman(*arguments: str | Path) -> str:
    """What a command of podman prints; raises Missing with the last of what it says when it fails."""
    return checked(run("podman", *arguments))


def prepare() -> None:
    """Make podman ready to run images; raises Missing where no container can run on this machine."""
    if os.geteuid():
        raise Missing("containers are tried as root only")
    if lacking := [package for program, package in PROGRAMS.items() if not _found(program)]:
        if not is_debian():
            raise Missing(f"containers need {', '.join(lacking)}, and only on Debian {SUITE} they are fetched")
        apt("install", "--no-install-recommends", *lacking)
    _configure()


def clear() -> None:
    """Remove every container, volume and network, also those that a run which was killed has left."""
    podman("rm", "--all", "--force", "--time", "0")
    podman("volume", "prune", "--force")
    podman("network", "prune", "--force")
    # The steps of builds are kept for the next one, a day long.
    podman("image", "prune", "--force", "--filter", "until=24h")


def apt(*arguments: str, folder: Path = ROOT) -> None:
    """Run apt-get, again with fresh lists of packages when it fails; raises Missing when it fails for good.

    One process at a time: who finds the lists locked by another would go on without them.
    """
    command = ["env", "DEBIAN_FRONTEND=noninteractive", *APT, *arguments]
    with alone("apt"):
        for pause in range(ATTEMPTS - 1):
            if run(*command, folder=folder).returncode == 0:
                return
            time.sleep(pause)
            run(*APT, "update")
        checked(run(*command, folder=folder))


def checked(done: subprocess.CompletedProcess[str]) -> str:
    """What a command has printed; raises Missing with the last of what it says where it has failed."""
    if done.returncode:
        said = " ".join((done.stdout + done.stderr).split())[-500:]
        raise Missing(f"`{' '.join(map(str, done.args))[:120]}` failed: {said}")
    return done.stdout.strip()


def _found(program: str) -> bool:
    return shutil.which(program, path=environment()["PATH"]) is not None


def is_debian() -> bool:
    """Whether packages can be had from Debian as it is here."""
    release = Path("/etc/os-release")
    return release.exists() and f"VERSION_CODENAME={SUITE}" in release.read_text().splitlines()


def _configure() -> None:
    files, processes = (
        min(hard if hard != resource.RLIM_INFINITY else LIMIT, LIMIT)
        for hard in (resource.getrlimit(kind)[1] for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC))
    )
    written = {
        STORE / "containers.conf": CONTAINERS.format(store=STORE, files=files, processes=processes),
        STORE / "storage.conf": STORAGE.format(store=STORE),
        STORE / "registries.conf": REGISTRIES,
    }
    if any(not path.exists() or path.read_text() != text for path, text in written.items()):
        # What podman keeps names its own folder and settings: it is made anew with them.
        shutil.rmtree(STORE, ignore_errors=True)
        (STORE / "tmp").mkdir(parents=True)
        for path, text in written.items():
            path.write_text(text)

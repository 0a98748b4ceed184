"""An SFTP server: Debian's OpenSSH, unpacked under `.cache`, as a process without rights on a port of this machine."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncssh

from tests.real.debian import unpacked
from tests.real.kafka import Missing, free_port

PACKAGES = ("openssh-server", "libwrap0")
NOBODY = 65534
START_SECONDS = 60.0
CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM yes
PasswordAuthentication no
Subsystem sftp internal-sftp
"""


def sshd() -> Path:
    """The server's program; raises Missing where it cannot be had."""
    if shutil.which("dpkg-deb") is None:
        raise Missing("an SFTP server is unpacked from a package of Debian")
    return unpacked("sftp", *PACKAGES) / "usr" / "sbin" / "sshd"


class SftpServer:
    """The server, with the folder `files` in it; killed at the end. It is started without rights also for root."""

    def __init__(self) -> None:
        program = sshd()
        # Not below a folder that only its owner may enter.
        self.folder = Path(tempfile.mkdtemp(prefix="stockline-sftp-"))
        self.folder.chmod(0o755)
        self.files = self.folder / "files"
        self.files.mkdir()
        shutil.copytree(program.parents[1] / "lib", self.folder / "lib")
        self._program = Path(shutil.copy(program, self.folder / "sshd"))
        self.port = free_port()
        self.user = "nobody" if os.geteuid() == 0 else os.environ.get("USER", "")
        self.key, self.known_hosts = self.folder / "client_key", self.folder / "known_hosts"
        self._write_keys()
        (self.folder / "config").write_text(CONFIG.format(port=self.port, folder=self.folder))
        if os.geteuid() == 0:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, NOBODY, NOBODY)

    def _write_keys(self) -> None:
        host, client = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
        for path, key in ((self.folder / "host_key", host), (self.key, client)):
            path.write_bytes(key.export_private_key())
            path.chmod(0o600)
        (self.folder / "authorized_keys").write_bytes(client.export_public_key())
        self.known_hosts.write_bytes(f"[127.0.0.1]:{self.port} ".encode() + host.export_public_key())

    def start(self) -> None:
        """Start it, and wait until it listens."""
        nobody = NOBODY if os.geteuid() == 0 else None
        libraries = os.pathsep.join(str(path) for path in (self.folder / "lib").iterdir() if path.is_dir())
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self._program, "-D", "-e", "-f", self.folder / "config"],
                env={"PATH": os.defpath, "LD_LIBRARY_PATH": libraries},
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
                user=nobody,
                group=nobody,
                extra_groups=None if nobody is None else [],
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._listens():
            said = (self.folder / "log").read_text()
            assert self.process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.05)

    def _listens(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        """Kill it with all of its connections, which are processes of their own."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, 9)
            self.process.wait()
        for pid in _children_of(self.folder / "sshd"):
            # One whose client has just left ends by itself, in between.
            with suppress(ProcessLookupError):
                os.kill(pid, 9)

    def put(self, name: str, content: bytes) -> Path:
        """Lay a file into the folder, as its partner would: under another name first."""
        draft = self.files / f"{name}.part"
        draft.write_bytes(content)
        if os.geteuid() == 0:
            os.chown(draft, NOBODY, NOBODY)
        return draft.rename(self.files / name)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self.folder)


def _children_of(program: Path) -> list[int]:
    """The processes that run a program: a connection leaves the group of the server that it was made by."""
    found = []
    for path in Path("/proc").iterdir():
        try:
            if path.name.isdigit() and (path / "exe").readlink() == program:
                found.append(int(path.name))
        except OSError:
            continue
    return found

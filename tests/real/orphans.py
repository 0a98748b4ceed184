"""What a killed run of containers leaves to the whole machine, for which no podman can be asked any more.

Networks are the machine's: the names of their containers, their bridges and their published ports are kept outside of
the folder of the podman that made them. Where that folder is gone (a checkout was removed, say) they stay. Then the
next network gets another address, but its names are still served at the old one, and no container finds another.
"""

import json
import re
import shlex
from pathlib import Path

from tests.real.podman import run

SERVED = Path("/run/containers/networks/aardvark-dns")
"""A file for each network: the address at which its names are served, then its containers; and the server's pid."""
SERVER = "aardvark-dns"
PID = "aardvark.pid"


def remove(network: str) -> None:
    """Remove all that is left of a network, of which the caller knows that its containers are gone."""
    _forget_a_dead_server()
    served = SERVED / network
    if (told := _read(served)) is None:
        return
    address = re.split(r"[,\s]", told, maxsplit=1)[0]
    served.unlink(missing_ok=True)
    _unpublish(network)
    for bridge in _links("address", "show", "to", address):
        for link in [*_links("link", "show", "master", bridge), bridge]:
            run("ip", "link", "delete", link)


def _forget_a_dead_server() -> None:
    """Remove a number that is not the server's: another process would be taken for it, and no server be started."""
    path = SERVED / PID
    number = _read(path)
    if number is not None and (_read(Path("/proc", number.strip(), "comm")) or "").strip() != SERVER:
        path.unlink(missing_ok=True)


def _read(path: Path) -> str | None:
    """The text of a file; None where there is none, or the process that it tells of ends meanwhile."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _links(*question: str) -> list[str]:
    """The names of network interfaces, as `ip` answers a question."""
    return [each["ifname"] for each in json.loads(run("ip", "-json", *question).stdout or "[]") if each]


def _unpublish(network: str) -> None:
    """Remove the rules that lead to the containers' ports: nobody else who listens on one would be reached."""
    for rule in run("iptables", "--table", "nat", "--list-rules").stdout.splitlines():
        words = shlex.split(rule)
        if any(word.startswith(f"dnat name: {network} ") for word in words):
            run("iptables", "--table", "nat", "--delete", *words[1:])

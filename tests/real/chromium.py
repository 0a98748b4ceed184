"""The machine's Chromium, or Debian's, for tests that use the page as a person does."""

import shutil

from tests.real.alone import alone
from tests.real.kafka import Missing
from tests.real.podman import apt, is_debian

NAMES = ("chromium", "chromium-browser", "google-chrome")
PACKAGES = ("chromium", "fonts-dejavu-core")
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # Without these it looks up hosts of its maker at every start.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str:
    """The path of a Chromium; installed from Debian's packages where the machine has none. Raises Missing."""
    # A program is there before its libraries are, while another process installs it.
    with alone("chromium"):
        if found := _installed():
            return found
        if not is_debian():
            raise Missing("no chromium is installed, and only on Debian it is fetched")
        apt("install", "--no-install-recommends", *PACKAGES)
        if found := _installed():
            return found
    raise Missing("Debian's package chromium has no program of that name")


def _installed() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)

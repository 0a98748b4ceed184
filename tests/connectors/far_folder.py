"""The far side of a folder whose files stay where they are: a partner that keeps them."""

from pathlib import Path
from typing import Self

from tests.connectors.folder import HEAD, PROFILE, rows
from tests.connectors.harness import FarSide


class PartnerFolder(FarSide):
    kind = "folder"

    @property
    def _inbox(self) -> Path:
        return self.folder / "in"

    @property
    def _profile(self) -> Path:
        return self.folder / "wms" / "profile.toml"

    async def __aenter__(self) -> Self:
        for path in (self._inbox, self._profile.parent):
            path.mkdir()
        self._profile.write_text(PROFILE)
        for number in range(1, 4):
            (self._inbox / f"{number}.csv").write_text(HEAD + rows(number * 10, 4))
        files = [{"pattern": "*.csv", "profile": self._profile}]
        self.keys = {"path": self._inbox, "ready": "renamed", "after": "keep", "files": files}
        return self

    async def spoil(self) -> None:
        (self._inbox / "2.csv").write_text(HEAD + rows(20, 2) + rows(99, 1, unit="PAL") + rows(22, 2))

    async def mend(self) -> None:
        self._profile.write_text(PROFILE.replace("DZ = 12", "DZ = 12\nPAL = 480"))

    async def leave(self) -> None:
        self._inbox.rename(self.folder / "away")

    async def come_back(self) -> None:
        (self.folder / "away").rename(self._inbox)

"""Paths in a profile: they are relative to the folder of the profile, wherever the command is run."""

from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, ValidationInfo

FOLDER: Final = "folder"
"""The key of the folder of the profile in the context with which a profile is validated."""


def beside_profile(path: Path, info: ValidationInfo) -> Path:
    """The path below the folder of the profile; an absolute one stays, and so does one of a profile without a file."""
    folder = (info.context or {}).get(FOLDER)
    return path if folder is None else Path(folder) / path


ProfilePath = Annotated[Path, AfterValidator(beside_profile)]
"""The type of a key that names a file or a folder."""

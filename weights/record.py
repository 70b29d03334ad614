"""What is read from or written to disk: the base class and the types that several floors share."""

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints


class Record(BaseModel):
    """Immutable; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _inside_an_archive(member: str) -> str:
    path = PurePosixPath(member)
    if path.is_absolute() or ".." in path.parts or "\\" in member or not path.name:
        raise ValueError(f"{member!r} is not the path of a file inside an archive")
    return member


Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Sha256Prefix = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{8,64})?$")]
"""As much of a hash as is known; empty where nothing is."""
MemberPath = Annotated[str, AfterValidator(_inside_an_archive)]

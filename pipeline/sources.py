"""The video file of a clip, found and checked."""

from dataclasses import dataclass
from pathlib import Path

from manifests.samples import resolve
from manifests.schema import Clip
from pipeline.verdicts import ClipRejectedError, RejectReason
from weights.errors import HeadshotError
from weights.files import sha256_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A video file as it is now."""

    path: Path
    sha256: str


def find_source(clip: Clip, clip_folder: Path) -> Path:
    """Return where the video of a clip lies.

    Raises:
        ClipRejectedError: It is not there.
    """
    try:
        return resolve(clip, clip_folder)
    except HeadshotError as error:
        raise ClipRejectedError(RejectReason.MISSING_SOURCE, str(error)) from error


def check_source(clip: Clip, clip_folder: Path) -> Source:
    """Return the video of a clip, after comparing it with the hash in the manifest (where there is one).

    Raises:
        ClipRejectedError: It is not there, or it is another file.
    """
    path = find_source(clip, clip_folder)
    digest = sha256_of(path)
    expected = clip.source.sha256
    if expected not in (None, digest):
        raise ClipRejectedError(
            RejectReason.SOURCE_CHANGED,
            f"{path.name} has sha256 {digest[:12]}..., the manifest says {str(expected)[:12]}...; "
            "fetch it again, or correct the manifest",
        )
    return Source(path=path, sha256=digest)

"""Why a clip is not in the dataset: a closed vocabulary, so that rejects can be counted."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class RejectReason(StrEnum):
    """One word for each way a clip can fail."""

    MISSING_SOURCE = "missing_source"
    """The video file is not there."""
    SOURCE_CHANGED = "source_changed"
    """The file is not the one the manifest's sha256 names."""
    UNREADABLE = "unreadable"
    """Not a video that can be decoded: empty, truncated before its index, text, a playlist, impossible times."""
    NO_VIDEO = "no_video"
    """The file has no video stream, or the stretch has no frame."""
    UNSUPPORTED = "unsupported"
    """The video is fine but would come out wrong, such as HDR without a tone map."""
    TOO_SHORT = "too_short"
    NO_FACE = "no_face"
    AMBIGUOUS_FACE = "ambiguous_face"
    """Two people of similar size, and no hint which one is meant."""
    FACE_TOO_SMALL = "face_too_small"
    FACE_LOST = "face_lost"
    """The face is found in too few of the frames."""
    WITHDRAWN = "withdrawn"
    """The person asked to be removed."""
    CRASHED = "crashed"
    """The decoder or a network took its process down."""
    TIMEOUT = "timeout"
    FAILED = "failed"
    """An unexpected exception; its text is the detail."""


class SoundFlaw(StrEnum):
    """One word for each way the sound of a clip can be absent, or end early; the clip itself stays."""

    NO_TRACK = "no_track"
    """The video file has no sound."""
    NO_SAMPLES = "no_samples"
    """The track has nothing at the time of the clip."""
    UNSUPPORTED = "unsupported"
    """A codec that is not known."""
    DAMAGED = "damaged"
    """It cannot be decoded from some place on; what came before is kept."""
    DISCONTINUOUS = "discontinuous"
    """Its time stamps leave a gap or jump back; what came before is kept."""
    TOO_LARGE = "too_large"
    TIMEOUT = "timeout"
    FAILED = "failed"
    """An unexpected exception; its text is the detail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """The verdict on a clip that is left out."""

    reason: RejectReason
    detail: str
    """What was seen and, where there is something to do, what to do."""
    picture: bytes | None = None
    """A small JPEG of the frame that shows why; None where there is nothing to show."""


def withdrawn_on(day: date) -> Reject:
    """Return the verdict on a clip of somebody who asked to be removed."""
    return Reject(reason=RejectReason.WITHDRAWN, detail=f"withdrawn on {day.isoformat()}")


class ClipRejectedError(Exception):
    """Raised inside the work on a clip to leave it out; never leaves `pipeline.clip_work`."""

    def __init__(self, reason: RejectReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.verdict = Reject(reason=reason, detail=detail)

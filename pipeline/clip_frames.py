"""The frames of one clip as columns: crops, landmarks, times and quality, row by row."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from manifests.schema import Clip

NO_FACE = "no_face"
NOT_SEARCHED = "not_searched"
"""Reasons of rows that are not `ok`: no face was found, or no network was asked to find one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFrames:
    """Frames of a clip after cropping; what was not found is NaN, never invented."""

    clip: Clip
    size_px: int
    crop: Float[np.ndarray, "frames 2 3"]
    """Affine maps from pixels of the source frame to pixels of the crop."""
    pad: Float[np.ndarray, " frames"]
    """Share of the crop that lies outside the source frame."""
    images: UInt8[np.ndarray, "frames size size 3"]
    landmarks: Float[np.ndarray, "frames 68 2"]
    """In pixels of the crop."""
    landmark_scores: Float[np.ndarray, "frames 68"]
    box: Float[np.ndarray, "frames 4"]
    """Face from hairline to chin: x0, y0, x1, y1 in pixels of the source frame."""
    det_score: Float[np.ndarray, " frames"]
    face_px: Float[np.ndarray, " frames"]
    """Side of the face box in source pixels (geometric mean)."""
    sharpness: Float[np.ndarray, " frames"]
    pose_deg: Float[np.ndarray, "frames 3"]
    """Yaw, pitch, roll."""
    eye_openness: Float[np.ndarray, " frames"]
    mouth_openness: Float[np.ndarray, " frames"]
    """See `pipeline.landmarks`."""
    irises: Float[np.ndarray, "frames 2 2"]
    """Right and left, in pixels of the crop; NaN unless asked for."""
    gaze_deg: Float[np.ndarray, "frames 2"]
    """Yaw and pitch relative to the head; NaN unless asked for."""
    identity_similarity: Float[np.ndarray, " frames"]
    """Cosine with the first face of the clip; NaN in frames that were not compared."""
    searched: bool
    """Faces were looked for; if not, no row is `ok`."""
    ok: Bool[np.ndarray, " frames"]
    """A face was found: only these rows serve as support, driving or target."""
    frame: Int[np.ndarray, " frames"]
    """Time slot at the dataset's frame rate, counted from the start of the clip; gaps where the source is slower."""
    pts_s: Float[np.ndarray, " frames"]
    source_frame: Int[np.ndarray, " frames"]

    def __len__(self) -> int:
        return len(self.ok)

    @classmethod
    def concatenate(cls, parts: list["ClipFrames"]) -> "ClipFrames":
        """Return consecutive parts of one clip as one; there must be at least one."""
        per_clip = {"clip", "size_px", "searched"}
        values: dict[str, Any] = {
            field.name: getattr(parts[0], field.name)
            if field.name in per_clip
            else np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(cls)
        }
        return cls(**values)

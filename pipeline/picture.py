"""Decoded frames to upright RGB pictures with square pixels and true colours."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from jaxtyping import UInt8

from pipeline.verdicts import ClipRejectedError, RejectReason

UNSPECIFIED_MATRIX = 2
HD_LINES = 720
HDR_TRANSFERS = {16: "PQ (SMPTE ST 2084)", 18: "HLG (ARIB STD-B67)"}
EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRule:
    """How the frames of a stream become pictures."""

    width: int
    """Before turning, with square pixels."""
    height: int
    rotation_deg: int
    """Clockwise turn that makes the picture upright."""
    colour_rule: str
    """`tagged` (as the stream says), `untagged-hd-bt709`, `untagged-sd-bt601` or `rgb`."""

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height after turning."""
        return (self.height, self.width) if self.rotation_deg % 180 else (self.width, self.height)

    @property
    def matrix(self) -> Colorspace | None:
        """Matrix to convert with; None for the one the stream names."""
        return {"untagged-hd-bt709": Colorspace.ITU709, "untagged-sd-bt601": Colorspace.ITU601}.get(self.colour_rule)


def picture_rule(frame: Any, stream: Any) -> PictureRule:
    """Return how a frame is to be converted.

    Raises:
        ClipRejectedError: It would come out wrong.
    """
    if int(frame.color_trc) in HDR_TRANSFERS:
        raise ClipRejectedError(
            RejectReason.UNSUPPORTED,
            f"HDR video ({HDR_TRANSFERS[int(frame.color_trc)]}) would come out grey; convert it to BT.709 first",
        )
    aspect = float(stream.sample_aspect_ratio or 1)
    return PictureRule(
        width=max(1, round(frame.width * aspect)),
        height=frame.height,
        rotation_deg=round(-frame.rotation / 90) * 90 % 360,
        colour_rule=_colour_rule(frame),
    )


def _colour_rule(frame: Any) -> str:
    """Return the name of the colour rule: untagged video of 720 lines or more is BT.709, as cameras make it."""
    if frame.format.is_rgb or frame.format.has_palette:
        return "rgb"
    if int(frame.colorspace) != UNSPECIFIED_MATRIX:
        return "tagged"
    return "untagged-hd-bt709" if frame.height >= HD_LINES else "untagged-sd-bt601"


class PictureMaker:
    """Converts decoded frames.

    Args:
        exact: False is many times faster and off by a few grey levels where colours change: enough to find a face,
            not to be kept.
    """

    def __init__(self, *, exact: bool) -> None:
        self._reformatter = VideoReformatter()
        self._method = EXACT if exact else Interpolation.BILINEAR

    def __call__(self, frame: Any, stream: Any) -> UInt8[np.ndarray, "height width 3"]:
        """Return the picture of a frame."""
        rule = picture_rule(frame, stream)
        rgb = self._reformatter.reformat(
            frame,
            width=rule.width,
            height=rule.height,
            format="rgb24",
            src_colorspace=rule.matrix,
            interpolation=self._method,
            threads=1,
        ).to_ndarray()
        # rot90 turns anticlockwise, and rows may come with gaps between them.
        return np.ascontiguousarray(np.rot90(rgb, k=-rule.rotation_deg // 90))

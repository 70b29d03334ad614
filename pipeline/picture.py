"""Decoded frames to upright RGB pictures with square pixels and true colours."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av.filter
import cv2
import numpy as np
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from jaxtyping import UInt8

from pipeline.container import MAX_SIDE_PX
from pipeline.verdicts import ClipRejectedError, RejectReason

UNSPECIFIED_MATRIX = 2
HD_LINES = 720
HDR_TRANSFERS = {16: "PQ (SMPTE ST 2084)", 18: "HLG (ARIB STD-B67)"}
SHRINK = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
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
    width = max(1, round(frame.width * aspect))
    if max(width, frame.height) > MAX_SIDE_PX:
        raise ClipRejectedError(
            RejectReason.UNSUPPORTED,
            f"{width} x {frame.height} square pixels; sides up to {MAX_SIDE_PX} are read",
        )
    return PictureRule(
        width=width,
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


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of whole pixels inside an upright picture."""

    left: int
    top: int
    right: int
    bottom: int


class PictureMaker:
    """Converts decoded frames of one video.

    Args:
        exact: False is many times faster and off by a few grey levels where colours change: enough to find a face,
            not to be kept.
    """

    def __init__(self, *, exact: bool) -> None:
        self._reformatter = VideoReformatter()
        self._method = EXACT if exact else Interpolation.BILINEAR
        self._crops: dict[tuple[object, ...], Any] = {}

    def __call__(self, frame: Any, rule: PictureRule, shrink: int = 1) -> UInt8[np.ndarray, "height width 3"]:
        """Return the picture of a frame, its sides divided by `shrink`."""
        width, height = max(1, rule.width // shrink), max(1, rule.height // shrink)
        rgb = self._converted(frame, rule, width, height)
        # rot90 turns anticlockwise, and rows may come with gaps between them.
        return np.ascontiguousarray(np.rot90(rgb, k=-rule.rotation_deg // 90))

    def part(self, frame: Any, rule: PictureRule, area: Area) -> UInt8[np.ndarray, "height width 3"]:
        """Return an area of the picture, converting little more than that.

        Where the stored frame has to be turned or stretched to become the picture, all of it is converted.
        """
        if rule.rotation_deg or (rule.width, rule.height) != (frame.width, frame.height):
            return np.ascontiguousarray(self(frame, rule)[area.top : area.bottom, area.left : area.right])
        left, top = (max(0, start - MARGIN_PX) // ALIGNED_PX * ALIGNED_PX for start in (area.left, area.top))
        right, bottom = (
            min(-(-(end + MARGIN_PX) // ALIGNED_PX) * ALIGNED_PX, whole)
            for end, whole in ((area.right, frame.width), (area.bottom, frame.height))
        )
        cropped = self._cropped(frame, Area(left, top, right, bottom))
        rgb = self._converted(cropped, rule, cropped.width, cropped.height)
        return rgb[area.top - top : area.bottom - top, area.left - left : area.right - left]

    def shrunk(
        self, frame: Any, rule: PictureRule, area: Area, size_px: int
    ) -> UInt8[np.ndarray, "size size 3"] | None:
        """Return a square area brought to a smaller size, by averaging areas; None where that takes two steps.

        Brightness and colour are averaged as they are stored, then converted: a third of the time of converting
        first, and a fifth of a grey level away from it.
        """
        if rule.rotation_deg or (rule.width, rule.height) != (frame.width, frame.height):
            return None
        edges = (area.left, area.top, area.right - area.left, area.bottom - area.top)
        if any(edge % 2 for edge in edges) or area.right - area.left < size_px:
            return None  # colour is stored for pairs of pixels, and enlarging is another matter
        return self._converted(self._cropped(frame, area), rule, size_px, size_px, SHRINK)

    def _converted(
        self, frame: Any, rule: PictureRule, width: int, height: int, method: Interpolation | None = None
    ) -> np.ndarray:
        method = method or self._method
        exact = bool(method & Interpolation.FULL_CHR_H_INT)
        reformatted = self._reformatter.reformat(
            frame,
            width=width,
            height=height,
            # FFmpeg's exact conversion is twice as fast where it need not interleave the colours.
            format="gbrp" if exact else "rgb24",
            src_colorspace=rule.matrix,
            interpolation=method,
            threads=1,
        )
        if not exact:
            return np.asarray(reformatted.to_ndarray())
        green, blue, red = (_plane(plane, width, height) for plane in reformatted.planes)
        return np.asarray(cv2.merge([red, green, blue]))

    def _cropped(self, frame: Any, area: Area) -> Any:
        """Return a view of an area of a frame; FFmpeg's crop filter moves pointers and copies no pixel."""
        key = (area, frame.width, frame.height, frame.format.name)
        if key not in self._crops:
            self._crops = {key: _crop_graph(frame, area)}  # one clip at a time: the last one is enough
        graph = self._crops[key]
        graph.push(frame)
        return graph.pull()


def _plane(plane: Any, width: int, height: int) -> UInt8[np.ndarray, "height width"]:
    """Return a plane of bytes without the gaps between its rows; nothing is copied."""
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:height, :width]


MARGIN_PX = 8
"""Converted around an area, because colour is interpolated from neighbouring samples."""
ALIGNED_PX = 16
"""Areas begin and end on multiples of this, where samples of colour and the steps of fast kernels begin too."""


def _crop_graph(frame: Any, area: Area) -> Any:
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or Fraction(1, 1000)
    )
    size = f"w={area.right - area.left}:h={area.bottom - area.top}:x={area.left}:y={area.top}"
    graph.link_nodes(source, graph.add("crop", f"{size}:exact=1"), graph.add("buffersink")).configure()
    return graph

"""Which part of each frame becomes the picture that is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float, UInt8

from pipeline.config import PipelineConfig
from pipeline.crop import Square, fitted, tube
from pipeline.facemesh import Region
from pipeline.faces import Face
from pipeline.region_crop import area_of, cut_region, ffhq_region, pad_fraction, picture_to_region, smooth_regions
from pipeline.video import RawFrame, VideoInfo, VideoReader


class Framing(Protocol):
    """The crop of a clip, slot by slot."""

    def affine(self, slot: int, size_px: int) -> Float[np.ndarray, "2 3"]:
        """Return the map from pixels of the source to pixels of the crop."""

    def pad(self, slot: int) -> float:
        """Return the share of the crop that lies outside the source."""

    def side_px(self) -> float:
        """Return the median side of the crop in source pixels."""

    def cut(self, reader: VideoReader, raw: RawFrame, size_px: int) -> UInt8[np.ndarray, "size size 3"]:
        """Return the crop of a frame."""


@dataclass(frozen=True, slots=True)
class FixedSquare:
    """One upright square of whole pixels for the whole clip: no jitter, and nothing resampled twice."""

    square: Square
    info: VideoInfo

    def affine(self, slot: int, size_px: int) -> Float[np.ndarray, "2 3"]:  # noqa: ARG002
        """Return the same map for every slot."""
        return self.square.affine(size_px)

    def pad(self, slot: int) -> float:  # noqa: ARG002
        """Return the same share for every slot."""
        return self.square.pad_fraction(self.info.width_px, self.info.height_px)

    def side_px(self) -> float:
        """Return the side of the square."""
        return float(self.square.side)

    def cut(self, reader: VideoReader, raw: RawFrame, size_px: int) -> UInt8[np.ndarray, "size size 3"]:
        """Return the square of a frame."""
        area = self.square.inside(self.info.width_px, self.info.height_px)
        whole = area.right - area.left == area.bottom - area.top == self.square.side
        shrunk = reader.shrunk(raw, area, size_px) if whole else None
        return fitted(reader.part(raw, area), self.square, size_px) if shrunk is None else shrunk


@dataclass(frozen=True, slots=True)
class Regions:
    """A rotated square per slot."""

    regions: Mapping[int, Region]
    info: VideoInfo

    def affine(self, slot: int, size_px: int) -> Float[np.ndarray, "2 3"]:
        """Return the map of this slot."""
        return picture_to_region(self.regions[slot], size_px)

    def pad(self, slot: int) -> float:
        """Return the share of this slot."""
        return pad_fraction(self.regions[slot], self.info.width_px, self.info.height_px)

    def side_px(self) -> float:
        """Return the median side of the squares."""
        return float(np.median([region.side_px for region in self.regions.values()]))

    def cut(self, reader: VideoReader, raw: RawFrame, size_px: int) -> UInt8[np.ndarray, "size size 3"]:
        """Return the square of this slot."""
        region = self.regions[raw.index]
        area = area_of(region, self.info.width_px, self.info.height_px)
        return cut_region(reader.part(raw, area), area, region, size_px)


def frame_faces(faces: Mapping[int, Face], info: VideoInfo, config: PipelineConfig) -> Framing:
    """Return the crop around a person who was found in the given slots, in the mode that the config names."""
    slots = sorted(faces)
    boxes = np.stack([faces[slot].box for slot in slots])
    match config.crop_mode:
        case "tube":
            return FixedSquare(tube(boxes, info.width_px, info.height_px, config), info)
        case "smooth":
            return Regions(smooth_regions(slots, boxes, config), info)
        case "ffhq":
            region = ffhq_region(np.mean([faces[slot].points for slot in slots], axis=0))
            return Regions(dict.fromkeys(range(slots[0], slots[-1] + 1), region), info)

"""Face, mouth and eyes of the target as masks, and image metrics within them."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float

from eval.features import FeatureCache, Frames
from eval.metrics.geometry import POINTS, FaceLandmarks
from eval.metrics.measured import TARGET_NO_FACE, TARGET_NO_REGION, Measured
from eval.specs.regions import MARGIN, Region
from eval.specs.spec import MetricSpec
from pipeline.landmarks import LEFT_EYE, RIGHT_EYE, interocular

_HULLS: dict[Region, tuple[slice, ...]] = {
    "face": (slice(0, 68),),
    "mouth": (slice(48, 68),),
    "eyes": (RIGHT_EYE, LEFT_EYE),
}
Masks = Bool[np.ndarray, "frames size size"]
MeasureWithin = Callable[[Frames, Frames, Masks], Float[np.ndarray, " frames"]]


@dataclass(frozen=True, slots=True)
class RegionMetric:
    """An image metric within a region of the target's face."""

    spec: MetricSpec
    key: str
    region: Region
    landmarks: FaceLandmarks
    measure_within: MeasureWithin
    """Gives NaN where the mask holds nothing that can be measured."""

    def measure(self, generated: Frames, target: Frames, cache: FeatureCache) -> Float[np.ndarray, " frames"]:
        """Return the value of each pair; NaN where the target has no such region."""
        masks = self.masks(target, cache)
        values, known = np.full(len(target), np.nan), np.flatnonzero(masks.any(axis=(1, 2)))
        if len(known):
            values[known] = self.measure_within(generated.take(known), target.take(known), masks[known])
        return values

    def score(self, generated: Frames, target: Frames, cache: FeatureCache) -> Measured:
        """Compare each generated frame with its target."""
        values = cache.pair_values(self, generated, target)
        points = cache.features(self.landmarks, target)
        missing = {TARGET_NO_REGION: np.isnan(values), TARGET_NO_FACE: np.isnan(points).any(axis=1)}
        return Measured.of(values, missing)

    def masks(self, target: Frames, cache: FeatureCache) -> Masks:
        """Return the region of each target frame, empty where it has no face."""
        points = cache.features(self.landmarks, target).reshape(-1, POINTS, 2)
        return np.stack([region_mask(face, self.region, target.pixels.shape[1]) for face in points])


def region_mask(points: Float[np.ndarray, "68 2"], region: Region, size_px: int) -> Bool[np.ndarray, "size size"]:
    """Return which pixels of a square picture belong to a region of the face.

    A pixel belongs to it if its centre lies in the convex hull of the region's points, or nearer to it than a tenth of
    the distance between the outer eye corners.

    Args:
        points: The 68 landmarks in pixels; where one is NaN, nothing belongs to the region.
        region: `face`, `mouth`, or `eyes`, which are two hulls.
        size_px: Side of the picture.
    """
    mask = np.zeros((size_px, size_px), bool)
    if np.isfinite(points).all():
        mask |= _mask_of(np.asarray(points, np.float32).tobytes(), region, size_px)
    return mask


@functools.lru_cache(maxsize=512)
def _mask_of(points_bytes: bytes, region: Region, size_px: int) -> Bool[np.ndarray, "size size"]:
    """Return the mask of finite landmarks; remembered, since systems and metrics share their targets."""
    points = np.frombuffer(points_bytes, np.float32).reshape(POINTS, 2)
    mask = np.zeros((size_px, size_px), bool)
    margin = MARGIN * float(interocular(points))
    for part in _HULLS[region]:
        hull = cv2.convexHull(points[part].astype(np.float32))[:, 0].astype(np.float64)
        first = np.clip(np.floor(hull.min(axis=0) - margin), 0, size_px).astype(int)
        last = np.clip(np.ceil(hull.max(axis=0) + margin) + 1, 0, size_px).astype(int)
        columns, rows = np.meshgrid(np.arange(first[0], last[0]), np.arange(first[1], last[1]))
        near = _distance_to(hull, np.stack([columns, rows], axis=-1).astype(np.float64)) <= margin
        mask[first[1] : last[1], first[0] : last[0]] |= near
    return mask


def masked_mean(maps: Float[np.ndarray, "frames size size"], masks: Masks) -> Float[np.ndarray, " frames"]:
    """Return the mean of each map over the pixels of its mask that have a value; NaN where there are none."""
    counted = masks & ~np.isnan(maps)
    sums = np.where(counted, maps, 0).sum(axis=(1, 2))
    counts = counted.sum(axis=(1, 2))
    return np.asarray(np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0))


def _distance_to(
    hull: Float[np.ndarray, "corners 2"], pixels: Float[np.ndarray, "height width 2"]
) -> Float[np.ndarray, "height width"]:
    """Return how far each pixel is from a convex polygon; 0 inside."""
    edges = np.roll(hull, -1, axis=0) - hull
    gaps = pixels[:, :, None] - hull  # (height, width, corners, 2)
    along = np.clip(np.sum(gaps * edges, axis=-1) / np.maximum(np.sum(edges**2, axis=-1), 1e-12), 0, 1)
    distance = np.linalg.norm(gaps - along[..., None] * edges, axis=-1).min(axis=-1)
    sides = edges[:, 0] * gaps[..., 1] - edges[:, 1] * gaps[..., 0]
    inside = (sides >= 0).all(axis=-1) | (sides <= 0).all(axis=-1)
    return np.where(inside & (len(hull) > 2), 0.0, distance)

"""From metric specifications to metrics that are ready to measure."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float

from eval.features import Extractor, Frames
from eval.metrics.face_loading import FACE_LOADERS
from eval.metrics.failure import MissingFace
from eval.metrics.frechet import FrechetMetric
from eval.metrics.geometry import FaceLandmarks
from eval.metrics.image import SSIM_BORDER_PX, SsimMaps, l1, mean_of_maps, psnr, ssim_skimage_default
from eval.metrics.kernel import KernelMetric
from eval.metrics.measured import FrameMetric, PairMetric, SetMetric
from eval.metrics.members import RUNS
from eval.metrics.multiscale import MsSsim
from eval.metrics.regions import (
    Masks,
    MeasureWithin,
    RegionMetric,
    absolute_error_within,
    masked_mean,
    psnr_within,
)
from eval.metrics.spectral import spectral_distance
from eval.metrics.temporal import FlickerMetric, dtssd
from eval.specs.regions import REGIONS
from eval.specs.spec import MetricSpec
from pipeline.backends import load_backend
from weights.errors import HeadshotError
from weights.fetch import fetch

if TYPE_CHECKING:
    from eval.metrics.perceptual import Lpips


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """The metrics of a run, in the order asked for."""

    frame: tuple[FrameMetric, ...]
    over_set: tuple[SetMetric, ...]


def load_metrics(specs: Sequence[MetricSpec], *, workers: int = 1) -> Metrics:
    """Fetch the networks that the specifications name and return the metrics.

    Args:
        specs: What to measure.
        workers: Frames that a network computes at the same time.

    Raises:
        WeightUnavailable: A network cannot be had; the message says how to get it.
        HeadshotError: This version does not know a metric.
    """
    unknown = [spec.versioned_id for spec in specs if not can_load(spec)]
    if unknown:
        raise HeadshotError(f"this version cannot compute the metric {', '.join(unknown)}")
    return Metrics(
        frame=tuple(_LOADERS[spec.id](spec, workers) for spec in specs if spec.id in _LOADERS),
        over_set=tuple(_SET_LOADERS[spec.id](spec, workers) for spec in specs if spec.id in _SET_LOADERS),
    )


def can_load(spec: MetricSpec) -> bool:
    """Return whether this version can compute a metric."""
    return spec.id in _LOADERS or spec.id in _SET_LOADERS


def _load_psnr(spec: MetricSpec, workers: int) -> PairMetric:  # noqa: ARG001
    return PairMetric(spec, spec.versioned_id, lambda one, other: psnr(one.pixels, other.pixels))


def _load_l1(spec: MetricSpec, workers: int) -> PairMetric:  # noqa: ARG001
    return PairMetric(spec, spec.versioned_id, lambda one, other: l1(one.pixels, other.pixels))


def _load_ssim(spec: MetricSpec, workers: int) -> PairMetric:  # noqa: ARG001
    return PairMetric(spec, spec.versioned_id, lambda one, other: mean_of_maps(_ssim_maps()(one, other)))


def _load_ssim_skimage(spec: MetricSpec, workers: int) -> PairMetric:  # noqa: ARG001
    return PairMetric(spec, spec.versioned_id, lambda one, other: ssim_skimage_default(one.pixels, other.pixels))


def _load_ms_ssim(spec: MetricSpec, workers: int) -> MsSsim:  # noqa: ARG001
    return MsSsim(spec)


def _load_spectrum(spec: MetricSpec, workers: int) -> PairMetric:  # noqa: ARG001
    return PairMetric(spec, spec.versioned_id, lambda one, other: spectral_distance(one.pixels, other.pixels))


def _load_lpips(spec: MetricSpec, workers: int) -> PairMetric:  # noqa: ARG001
    network = _lpips(spec)
    return PairMetric(spec, network.key, network)


def _load_region(spec: MetricSpec, workers: int) -> RegionMetric:  # noqa: ARG001
    name, _, region = spec.id.partition("@")
    measure, key = _WITHIN.get(name), spec.versioned_id
    if measure is None:
        network = _lpips(spec)
        measure, key = network.within, network.key
    landmarks = FaceLandmarks.load(load_backend())
    (wanted,) = (known for known in REGIONS if known == region)
    return RegionMetric(spec, f"{key}@{region}.{spec.version}+{landmarks.key}", wanted, landmarks, measure)


def _load_t_lpips(spec: MetricSpec, workers: int) -> FlickerMetric:  # noqa: ARG001
    from eval.metrics.perceptual import ChangeLpips

    return FlickerMetric(spec, ChangeLpips(_lpips(spec)))


def _load_dtssd(spec: MetricSpec, workers: int) -> FlickerMetric:  # noqa: ARG001
    return FlickerMetric(spec, dtssd)


def _load_missing_face(spec: MetricSpec, workers: int) -> MissingFace:  # noqa: ARG001
    return MissingFace(spec, FaceLandmarks.load(load_backend()))


def _load_fd(spec: MetricSpec, workers: int) -> FrechetMetric:
    return FrechetMetric(spec, _lite0(spec, workers))


def _load_kd(spec: MetricSpec, workers: int) -> KernelMetric:
    return KernelMetric(spec, _lite0(spec, workers))


def _load_fid(spec: MetricSpec, workers: int) -> FrechetMetric:
    return FrechetMetric(spec, _inception(spec, workers))


def _load_fvd(spec: MetricSpec, workers: int) -> FrechetMetric:  # noqa: ARG001
    from eval.metrics.i3d import I3dLogits

    return FrechetMetric(spec, I3dLogits.load(fetch(spec.weights[0])), RUNS)


def _load_kid(spec: MetricSpec, workers: int) -> KernelMetric:
    return KernelMetric(spec, _inception(spec, workers))


@functools.cache
def _ssim_maps() -> SsimMaps:
    """Return what remembers the maps of the frames at hand, for SSIM of all regions."""
    return SsimMaps()


def _lpips(spec: MetricSpec) -> "Lpips":
    """Return the network of a metric; one for all of a run, since it remembers its activations."""
    return _read_lpips(fetch(spec.weights[0]), "vgg" if "lpips.vgg" in spec.id else "alex")


@functools.lru_cache(maxsize=2)
def _read_lpips(path: Path, trunk: Literal["alex", "vgg"]) -> "Lpips":
    from eval.metrics.perceptual import Lpips

    return Lpips.load(path, trunk)


def _lite0(spec: MetricSpec, workers: int) -> Extractor:
    from eval.metrics.efficientnet import EfficientNetLite0

    return EfficientNetLite0.load(fetch(spec.weights[0]), workers=workers)


def _inception(spec: MetricSpec, workers: int) -> Extractor:
    from eval.metrics.inception import InceptionFeatures

    return InceptionFeatures.load(fetch(spec.weights[0]), workers=workers)


def _ssim_within(one: Frames, other: Frames, masks: Masks) -> Float[np.ndarray, " frames"]:
    inside = slice(SSIM_BORDER_PX, -SSIM_BORDER_PX)
    return masked_mean(_ssim_maps()(one, other), masks[:, inside, inside])


_WITHIN: dict[str, MeasureWithin] = {"psnr": psnr_within, "l1": absolute_error_within, "ssim": _ssim_within}

_LOADERS: dict[str, Callable[[MetricSpec, int], FrameMetric]] = {
    "psnr": _load_psnr,
    "l1": _load_l1,
    "ssim": _load_ssim,
    "ssim.skimage-default": _load_ssim_skimage,
    "ms-ssim": _load_ms_ssim,
    "lpips.alex": _load_lpips,
    "lpips.vgg": _load_lpips,
    **{f"{name}@{region}": _load_region for name in (*_WITHIN, "lpips.alex", "lpips.vgg") for region in REGIONS},
    "spectrum.radial": _load_spectrum,
    "flicker.t-lpips.alex": _load_t_lpips,
    "flicker.dtssd": _load_dtssd,
    "failure.missing-face": _load_missing_face,
    **FACE_LOADERS,
}
"""The heavy libraries are imported by whichever metric needs them."""

_SET_LOADERS: dict[str, Callable[[MetricSpec, int], SetMetric]] = {
    "fd.efficientnet-lite0": _load_fd,
    "kd.efficientnet-lite0": _load_kd,
    "fid.inception-v3-2015": _load_fid,
    "kid.inception-v3-2015": _load_kid,
    "fvd.i3d-kinetics400": _load_fvd,
}

"""From metric specifications to metrics that are ready to measure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eval.metrics.frechet import FrechetMetric
from eval.metrics.geometry import FaceLandmarks, Nme
from eval.metrics.image import psnr, ssim
from eval.metrics.measured import FrameMetric, PairMetric, SetMetric
from eval.specs.spec import MetricSpec
from pipeline.backends import load_backend
from weights.errors import HeadshotError
from weights.fetch import fetch


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
    unknown = [spec.versioned_id for spec in specs if spec.id not in _LOADERS]
    if unknown:
        raise HeadshotError(f"this version cannot compute the metric {', '.join(unknown)}")
    loaded = [_LOADERS[spec.id](spec, workers) for spec in specs]
    return Metrics(
        frame=tuple(metric for metric in loaded if not isinstance(metric, FrechetMetric)),
        over_set=tuple(metric for metric in loaded if isinstance(metric, FrechetMetric)),
    )


def _load_psnr(spec: MetricSpec, workers: int) -> PairMetric:  # noqa: ARG001
    return PairMetric(spec, spec.versioned_id, lambda one, other: psnr(one.pixels, other.pixels))


def _load_ssim(spec: MetricSpec, workers: int) -> PairMetric:  # noqa: ARG001
    return PairMetric(spec, spec.versioned_id, lambda one, other: ssim(one.pixels, other.pixels))


def _load_lpips(spec: MetricSpec, workers: int) -> PairMetric:  # noqa: ARG001
    from eval.metrics.perceptual import LpipsAlex

    network = LpipsAlex.load(fetch(spec.weights[0]))
    return PairMetric(spec, network.key, network)


def _load_nme(spec: MetricSpec, workers: int) -> Nme:  # noqa: ARG001
    return Nme(spec, FaceLandmarks.load(load_backend()))


def _load_nme_fan(spec: MetricSpec, workers: int) -> Nme:  # noqa: ARG001
    return Nme(spec, FaceLandmarks.load(load_backend("fan")))


def _load_movement(spec: MetricSpec, workers: int) -> FrameMetric:  # noqa: ARG001
    from eval.metrics.movement import MovementError

    return MovementError(spec, FaceLandmarks.load(load_backend()))


def _load_csim(spec: MetricSpec, workers: int) -> FrameMetric:
    from eval.metrics.identity import Csim, FaceEmbedding

    landmarks = FaceLandmarks.load(load_backend())
    return Csim(spec, FaceEmbedding.load(fetch(spec.weights[0]), landmarks, workers=workers))


def _load_fd(spec: MetricSpec, workers: int) -> FrechetMetric:
    from eval.metrics.efficientnet import EfficientNetLite0

    return FrechetMetric(spec, EfficientNetLite0.load(fetch(spec.weights[0]), workers=workers))


def _load_fid(spec: MetricSpec, workers: int) -> FrechetMetric:  # noqa: ARG001
    from eval.metrics.inception import InceptionFeatures

    return FrechetMetric(spec, InceptionFeatures.load(fetch(spec.weights[0])))


_LOADERS: dict[str, Callable[[MetricSpec, int], FrameMetric | FrechetMetric]] = {
    "psnr": _load_psnr,
    "ssim": _load_ssim,
    "lpips.alex": _load_lpips,
    "nme.interocular": _load_nme,
    "nme.fan-2dfan4": _load_nme_fan,
    "nme.movement": _load_movement,
    "csim.fr-feature-512": _load_csim,
    "csim.arcface-w600k-r50": _load_csim,
    "fd.efficientnet-lite0": _load_fd,
    "fid.inception-v3-2015": _load_fid,
}
"""The heavy libraries are imported by whichever metric needs them."""

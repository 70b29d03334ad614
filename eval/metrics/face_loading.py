"""Loaders of the metrics of faces; all of them find faces with one backend, so that the search is shared."""

from collections.abc import Callable

from eval.metrics.eyes import EYES_METRICS, Eyes
from eval.metrics.geometry import (
    Compare,
    FaceFit,
    FaceLandmarks,
    LandmarkMetric,
    akd_l1,
    akd_l2,
    nme_bbox,
    nme_interocular,
)
from eval.metrics.identity import AED, EmbeddingMetric, FaceEmbedding, cosine
from eval.metrics.measured import FrameMetric
from eval.metrics.mouth import mouth_openness_error
from eval.metrics.movement import MovementError
from eval.metrics.pose import AXES, PoseMetric
from eval.metrics.steadiness import IdentityDrift, LandmarkJitter
from eval.specs.spec import MetricSpec
from pipeline.backends import load_backend
from weights.fetch import fetch

Loader = Callable[[MetricSpec, int], FrameMetric]
"""From a specification and the number of frames that a network computes at the same time to the metric."""


def _landmarks(compare: Compare, backend: str = "mesh468") -> Loader:
    return lambda spec, _: LandmarkMetric(spec, FaceLandmarks.load(load_backend(backend)), compare)


def _movement(spec: MetricSpec, workers: int) -> FrameMetric:  # noqa: ARG001
    return MovementError(spec, FaceLandmarks.load(load_backend()))


def _pose(*axes: str) -> Loader:
    return lambda spec, _: PoseMetric(spec, FaceFit.load(load_backend()), axes)


def _eyes(spec: MetricSpec, workers: int) -> FrameMetric:  # noqa: ARG001
    return EYES_METRICS[spec.id](spec, Eyes.load(FaceLandmarks.load(load_backend())))


def _identity(spec: MetricSpec, workers: int) -> FrameMetric:
    return EmbeddingMetric(spec, _embedding(spec, workers), AED.get(spec.id, cosine))


def _jitter(spec: MetricSpec, workers: int) -> FrameMetric:  # noqa: ARG001
    return LandmarkJitter(spec, FaceLandmarks.load(load_backend()))


def _drift(spec: MetricSpec, workers: int) -> FrameMetric:
    return IdentityDrift(spec, _embedding(spec, workers))


def _embedding(spec: MetricSpec, workers: int) -> FaceEmbedding:
    landmarks, weights = FaceLandmarks.load(load_backend()), spec.weights[0]
    if weights == "mobilefacenet-192":
        return FaceEmbedding.load_mobile(fetch(weights), landmarks)
    return FaceEmbedding.load(fetch(weights), landmarks, workers=workers)


FACE_LOADERS: dict[str, Loader] = {
    "nme.interocular": _landmarks(nme_interocular),
    "nme.fan-2dfan4": _landmarks(nme_interocular, "fan"),
    "nme.bbox": _landmarks(nme_bbox),
    "nme.movement": _movement,
    "akd.l1": _landmarks(akd_l1),
    "akd.l2": _landmarks(akd_l2),
    "openness.mouth": _landmarks(mouth_openness_error),
    "apd": _pose(*AXES),
    "apd.yaw": _pose("yaw"),
    "apd.pitch": _pose("pitch"),
    "apd.roll": _pose("roll"),
    "openness.eyes": _eyes,
    "blink.agreement": _eyes,
    "blink.recall": _eyes,
    "gaze.angular": _eyes,
    "csim.fr-feature-512": _identity,
    "csim.arcface-w600k-r50": _identity,
    "csim.mobilefacenet-192": _identity,
    "aed.fomm": _identity,
    "aed.fomm-squared": _identity,
    "aed.root-mean-square": _identity,
    "jitter.landmarks": _jitter,
    "drift.fr-feature-512": _drift,
}

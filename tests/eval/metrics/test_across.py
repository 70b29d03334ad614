"""Scores where another person drives: what each metric compares with, and movement without proportions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from eval.features import FeatureCache, Frames
from eval.metrics.frechet import FrechetMetric
from eval.metrics.loading import Metrics
from eval.metrics.measured import Measured
from eval.metrics.movement import movement_error
from eval.progress import silent
from eval.rendering.render import render_missing
from eval.scoring import score
from eval.specs.across import NME_MOVEMENT, across_specs
from eval.specs.distribution import FD_EFFICIENTNET
from eval.specs.identity import CSIM_EMBEDDED
from eval.specs.image import SSIM
from eval.specs.profiles import SPECS
from eval.specs.spec import MetricSpec
from eval.systems.baselines import CopySource
from eval.tasks.making import make_tasks
from eval.tasks.queries import target_frames
from tests.eval.conftest import DrawnStore


@dataclass
class Noting:
    """A frame metric that notes what it is given to compare with."""

    spec: MetricSpec
    targets: list[np.ndarray] = field(default_factory=list)

    def score(self, generated: Frames, target: Frames, _cache: FeatureCache) -> Measured:
        self.targets.append(target.pixels)
        return Measured.of(np.zeros(len(generated)))


@dataclass
class NotingExtractor:
    key: str = "noting@1"
    width: int = 3
    seen: set[bytes] = field(default_factory=set)

    def extract(self, frames: Frames, _cache: FeatureCache) -> np.ndarray:
        self.seen.update(frames.digests)
        return frames.pixels.mean(axis=(1, 2))


@pytest.mark.parametrize("protocol", ["self", "cross"])
def test_each_metric_is_given_what_it_compares_with(protocol: str, store: DrawnStore, tmp_path: Path) -> None:
    tasks = make_tasks(store, [1], size_px=32, protocol=protocol)
    outcomes = render_missing(store, [CopySource()], tasks, tmp_path, silent)
    identity, movement = Noting(CSIM_EMBEDDED), Noting(NME_MOVEMENT)
    extractor = NotingExtractor()
    metrics = Metrics(frame=(identity, movement), over_set=(FrechetMetric(FD_EFFICIENTNET, extractor),))
    scores = score(store, tasks, outcomes, tmp_path, metrics=metrics, cache=FeatureCache(), progress=silent)
    person = [target_frames(store, task.real or task.queries, 32) for task in tasks.tasks]
    driver = [target_frames(store, task.queries, 32) for task in tasks.tasks]
    assert all(np.array_equal(*pair) for pair in zip(identity.targets, person, strict=True))
    assert all(np.array_equal(*pair) for pair in zip(movement.targets, driver, strict=True))
    digests = {digest for frames in person for digest in Frames.of(frames).digests}
    copied = {Frames.of(store.frames(store.clip(task.clip), task.support)).digests[0] for task in tasks.tasks}
    assert extractor.seen == digests | copied
    assert set(scores["identity"].to_pylist()) == {"", "ann", "bob", "eve"}


def test_a_failed_task_keeps_the_set_whole_where_another_person_drives(store: DrawnStore, tmp_path: Path) -> None:
    tasks = make_tasks(store, [1], size_px=32, protocol="cross")
    outcomes = dict(render_missing(store, [CopySource()], tasks, tmp_path, silent))
    outcomes["copy-source", tasks.tasks[0].id] = "system_error: no"
    metrics = Metrics(frame=(), over_set=(FrechetMetric(FD_EFFICIENTNET, NotingExtractor()),))
    scores = score(store, tasks, outcomes, tmp_path, metrics=metrics, cache=FeatureCache(), progress=silent)
    members = [row for row in scores.to_pylist() if row["frame"] >= 0]
    assert len(members) == sum(len(task.frames) for task in tasks.tasks)
    assert any(row["status"] == "measured-only" for row in scores.to_pylist())


@pytest.mark.parametrize("profile", ["embedded", "paper"])
def test_no_metric_of_cross_reenactment_needs_a_target(profile: str) -> None:
    specs = across_specs(SPECS[profile])
    families = {spec.id.partition(".")[0] for spec in specs}
    assert families >= {"csim", "nme"}
    assert families & {"fd", "fid"}
    assert not families & {"ssim", "psnr", "lpips"}
    assert [spec.id for spec in specs if spec.id.startswith("nme")] == ["nme.movement"]
    assert all(spec.across for spec in specs)
    assert across_specs((*specs, SSIM)) == specs


def faces(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return a resting face and 20 frames of movement around nothing, 68 points in pixels."""
    movement = 2 * rng.normal(size=(20, 68, 2))
    return 40 * rng.normal(size=(68, 2)), movement - movement.mean(axis=0)


def test_the_same_movement_of_another_face_elsewhere_and_larger_is_no_error() -> None:
    rng = np.random.default_rng(0)
    rest, movement = faces(rng)
    other, _ = faces(rng)
    place = rng.normal(size=(20, 1, 2))
    driving = rest / np.sqrt(np.mean(np.sum((rest - rest.mean(axis=0)) ** 2, axis=-1))) + movement / 50
    generated = other / np.sqrt(np.mean(np.sum((other - other.mean(axis=0)) ** 2, axis=-1))) + movement / 50
    assert movement_error(3 * generated + place, driving).max() < 0.01
    assert movement_error(3 * driving + place, driving).max() < 1e-12


def test_a_face_at_rest_errs_by_what_the_driver_moved() -> None:
    """Golden: two frames in which one of four points moves by d and back; the sizes stay 1 by construction."""
    square = np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    turned = np.array([[0.6, 0.8], [-0.8, 0.6], [-0.6, -0.8], [0.8, -0.6]])
    error = movement_error(np.stack([square, square]), np.stack([square, turned]))
    assert error == pytest.approx([np.hypot(0.4, 0.8) / 2] * 2)


def test_more_of_the_movement_is_a_smaller_error() -> None:
    rng = np.random.default_rng(1)
    rest, movement = faces(rng)
    errors = [movement_error(rest + share * movement, rest + movement).mean() for share in (0.0, 0.5, 1.0)]
    assert errors == sorted(errors, reverse=True)
    assert errors[2] < 1e-12


@pytest.mark.parametrize("lost", [[3], list(range(20))])
def test_frames_without_a_face_have_no_error_and_leave_the_others_alone(lost: Sequence[int]) -> None:
    rng = np.random.default_rng(2)
    rest, movement = faces(rng)
    generated = rest + movement
    generated[list(lost)] = np.nan
    errors = movement_error(generated, rest + movement)
    assert np.isnan(errors[list(lost)]).all()
    assert np.nan_to_num(errors).max() < 1e-12

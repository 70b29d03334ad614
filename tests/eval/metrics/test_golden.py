"""A value that changes fails here, until the version of its spec is raised."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from eval.features import FeatureCache, Frames
from eval.metrics.loading import load_metrics
from eval.specs.spec import MetricSpec
from tests.eval.metrics import golden

OWN = [spec for spec in golden.EMBEDDED if not spec.weights]
NETWORKS = [spec for spec in golden.EMBEDDED if spec.weights]
EACH_SPEC = [
    *(pytest.param(spec, id=spec.id) for spec in OWN),
    *(pytest.param(spec, id=spec.id, marks=pytest.mark.slow) for spec in NETWORKS),
]
EACH_FRAME_SPEC = [
    pytest.param(*one.values, id=one.id, marks=one.marks) for one in EACH_SPEC if one.values[0].level == "frame"
]
CALM = ("flicker", "jitter", "drift", "nme.movement")
"""Metrics over time have no value, or another one, for a frame alone."""


def score(spec: MetricSpec, generated: Frames, target: Frames) -> np.ndarray:
    return load_metrics([spec]).frame[0].score(generated, target, FeatureCache()).values


@pytest.mark.parametrize("spec", EACH_SPEC)
def test_values_are_those_on_record_for_this_version(spec: MetricSpec) -> None:
    """If a value was meant to change, raise `version` in its spec and run `python -m tests.eval.metrics.golden`."""
    record = golden.known()
    assert spec.versioned_id in record, "run `python -m tests.eval.metrics.golden`"
    # Networks differ in their last digits between processors.
    tolerance = {"rel": 2e-3, "abs": 2e-4} if spec.weights else {"rel": 1e-8, "abs": 1e-10}
    assert golden.values(spec) == pytest.approx(record[spec.versioned_id], nan_ok=True, **tolerance)


def test_a_changed_metric_without_a_new_version_fails() -> None:
    """The guard itself: what PSNR would give if somebody changed it by a thousandth of a decibel."""
    record = golden.known()["psnr@1"]
    changed = [value + 0.001 for value in golden.values(next(spec for spec in OWN if spec.id == "psnr"))]
    assert changed != pytest.approx(record, rel=1e-8)


def test_a_value_on_record_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "golden.json"
    file.write_text(json.dumps({"psnr@1": [1.0]}))
    monkeypatch.setattr(golden, "FILE", file)
    psnr = next(spec for spec in OWN if spec.id == "psnr")
    raised = psnr.model_copy(update={"version": 2})
    assert golden.add_missing((psnr, raised)) == ["psnr@2"]
    assert golden.known()["psnr@1"] == [1.0]
    assert golden.known()["psnr@2"] == golden.values(psnr)


def test_everything_on_record_has_a_version() -> None:
    """Old versions stay, so that a number of an old run can be traced to what it meant."""
    newest = {spec.id: spec.version for spec in golden.EMBEDDED}
    for name in golden.known():
        metric, _, version = name.rpartition("@")
        assert 1 <= int(version) <= newest.get(metric, int(version)), name


@pytest.mark.parametrize("spec", EACH_FRAME_SPEC)
def test_neither_batch_nor_order_nor_threads_change_a_value(spec: MetricSpec) -> None:
    generated, target = golden.portraits()
    expected = golden.known()[spec.versioned_id]
    tolerance = {"rel": 2e-3, "abs": 2e-4} if spec.weights else {"rel": 1e-8, "abs": 1e-10}
    order = [4, 3, 2, 1, 0]
    backwards = Frames.of(target.pixels[order], np.array([1, -1, 3, 4, -1]))
    threads = torch.get_num_threads(), cv2.getNumThreads()
    try:
        torch.set_num_threads(2)
        cv2.setNumThreads(1)
        found = score(spec, generated.take(order), backwards)
    finally:
        torch.set_num_threads(threads[0])
        cv2.setNumThreads(threads[1])
    assert found.tolist() == pytest.approx([expected[place] for place in order], nan_ok=True, **tolerance)
    if not spec.id.startswith(CALM):
        (alone,) = score(spec, generated.take([2]), target.take([2]))
        assert alone == pytest.approx(expected[2], **tolerance)


@pytest.mark.parametrize("spec", EACH_FRAME_SPEC)
def test_ground_truth_is_perfect_and_more_damage_is_not_better(spec: MetricSpec) -> None:
    _, target = golden.portraits()
    perfect = score(spec, target, target)
    assert np.nanmax(np.abs(perfect - spec.perfect)) <= 1e-5
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, target.pixels.shape)
    means = []
    for scale in (10, 60):
        damaged = Frames.of(np.clip(target.pixels + scale * noise, 0, 255).astype(np.uint8))
        measured = load_metrics([spec]).frame[0].score(damaged, target, FeatureCache())
        failed = np.array([not one.startswith("target_") for one in measured.statuses]) & np.isnan(measured.values)
        means.append(np.nanmean(np.where(failed, spec.worst, measured.values)))
    sign = 1 if spec.higher_is_better else -1
    assert sign * spec.perfect >= sign * means[0] - 1e-9
    assert sign * means[0] >= sign * means[1] - 1e-9

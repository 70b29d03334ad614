"""A distance over runs of frames: what is in the set, and what a missing frame does to it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from eval.features import FeatureCache, Frames
from eval.metrics.frechet import FrechetMetric, frechet_distance
from eval.metrics.loading import Metrics
from eval.metrics.members import Members
from eval.progress import silent
from eval.rendering import predictions
from eval.rendering.predictions import PredictionHeader
from eval.rendering.references import RealFrames, render_references
from eval.rendering.render import Outcome, render_missing
from eval.scoring import score
from eval.specs.video import FVD_I3D
from eval.statistics.cells import summarise
from eval.systems.baselines import CopySource
from eval.tasks.making import make_tasks
from eval.tasks.motion import STRATA
from eval.tasks.queries import target_frames
from eval.tasks.task_set import TaskSet
from tests.eval.conftest import DrawnStore

FEW = Members(frames=16, refused_below=4, unreliable_below=100)
"""Runs are 16 frames as in the metric; fewer of them suffice here."""


class Movement:
    """Two numbers for each run: mean and spread of its change over time."""

    key = "movement@1"
    width = 2

    def __init__(self) -> None:
        self.runs = 0

    def extract(self, frames: Frames, _cache: FeatureCache) -> np.ndarray:
        assert frames.pixels.shape[1:] == (16, 32, 32, 3)
        self.runs += len(frames)
        change = np.diff(frames.pixels.astype(np.float64).mean(axis=(3, 4)), axis=1)
        return np.stack([frames.pixels.mean(axis=(1, 2, 3, 4)), change.std(axis=(1, 2))], axis=1)


@pytest.fixture
def store(store: DrawnStore) -> DrawnStore:
    clips = tuple(replace(clip, usable_frames=150) for clip in store.clips)
    return replace(store, clips=clips, gap_every=60)


@pytest.fixture
def tasks(store: DrawnStore) -> TaskSet:
    return make_tasks(store, [1], size_px=32, protocol="video")


@pytest.fixture
def outcomes(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> dict[tuple[str, str], Outcome]:
    return dict(render_missing(store, [CopySource()], tasks, tmp_path, silent))


def scored(
    store: DrawnStore,
    tasks: TaskSet,
    outcomes: Mapping[tuple[str, str], Outcome],
    folder: Path,
    *,
    members: Members = FEW,
    extractor: Movement | None = None,
) -> pa.Table:
    metrics = Metrics(frame=(), over_set=(FrechetMetric(FVD_I3D, extractor or Movement(), members),))
    return score(store, tasks, outcomes, folder, metrics=metrics, cache=FeatureCache(), progress=silent)


def rows(scores: pa.Table, **wanted) -> list[dict]:
    return [row for row in scores.to_pylist() if all(row[name] == value for name, value in wanted.items())]


def whole(scores: pa.Table, status: str) -> float:
    (row,) = rows(scores, frame=-1, identity="", stratum="", status=status)
    return float(row["value"])


def in_runs(frames: np.ndarray) -> np.ndarray:
    return frames.reshape(-1, 16, *frames.shape[1:])


def test_the_distance_is_over_all_runs(store: DrawnStore, tasks: TaskSet, outcomes, tmp_path: Path) -> None:
    sides: list[list[np.ndarray]] = [[], []]
    for task in tasks.tasks:
        shown = predictions.load(tmp_path, "copy-source", task), target_frames(store, task.queries, 32)
        for side, frames in zip(sides, shown, strict=True):
            side.append(Movement().extract(Frames(in_runs(frames), ()), FeatureCache()))
    expected = frechet_distance(*[np.concatenate(side).astype(np.float32) for side in sides])
    scores = scored(store, tasks, outcomes, tmp_path)
    assert whole(scores, "unreliable") == pytest.approx(expected, rel=1e-6)
    assert len(rows(scores, status="member")) == sum(len(task.frames) for task in tasks.tasks)
    assert {row["identity"] for row in rows(scores, status="leave-one-out", stratum="")} == {"ann", "bob", "eve"}
    cell = summarise(scores, [FVD_I3D])[0]
    assert (cell.value, cell.n_identities) == (pytest.approx(expected, rel=1e-6), 3)


def test_a_frame_that_was_not_delivered_is_black_in_its_run_and_costs(
    store: DrawnStore, tasks: TaskSet, outcomes, tmp_path: Path
) -> None:
    before = scored(store, tasks, outcomes, tmp_path)
    task = tasks.tasks[0]
    header = outcomes["copy-source", task.id]
    assert isinstance(header, PredictionHeader)
    outcomes["copy-source", task.id] = lossy = header.model_copy(update={"failures": {3: "missing: no"}})
    predictions.save(tmp_path, lossy, task, predictions.load(tmp_path, "copy-source", task))
    after = scored(store, tasks, outcomes, tmp_path)
    assert [row["frame"] for row in rows(after, status="missing: no")] == [task.frames[3].row]
    assert whole(after, "unreliable") > whole(before, "unreliable")
    assert np.isfinite(whole(after, "measured-only"))
    assert whole(after, "measured-only") != whole(after, "unreliable")
    assert not rows(before, status="measured-only")


def test_a_system_that_delivers_nothing_is_measured_over_as_many_black_runs(
    store: DrawnStore, tasks: TaskSet, outcomes, tmp_path: Path
) -> None:
    before = scored(store, tasks, outcomes, tmp_path)
    lost = dict.fromkeys(outcomes, "system_error: no")
    after = scored(store, tasks, lost, tmp_path)
    assert len(rows(after, status="system_error: no")) == len(rows(before, status="member"))
    assert whole(after, "unreliable") > whole(before, "unreliable")


def test_a_run_is_in_the_stratum_of_its_farthest_frame(
    store: DrawnStore, tasks: TaskSet, outcomes, tmp_path: Path
) -> None:
    farthest = [
        max((frame.stratum for frame in task.frames[start : start + 16]), key=STRATA.index)
        for task in tasks.tasks
        for start in (0, 16)
    ]
    found = rows(scored(store, tasks, outcomes, tmp_path), frame=-1, identity="")
    refused = {row["stratum"] for row in found if row["status"] == "refused"}
    assert {row["stratum"] for row in found} == {"", *farthest}
    assert refused == {stratum for stratum in set(farthest) if farthest.count(stratum) < FEW.refused_below}


def test_tasks_without_runs_have_no_number(store: DrawnStore, tmp_path: Path) -> None:
    """Also where some frames follow each other: a run is 16."""
    apart = make_tasks(store, [1], size_px=32)
    extractor = Movement()
    outcomes = render_missing(store, [CopySource()], apart, tmp_path, silent)
    scores = scored(store, apart, outcomes, tmp_path, extractor=extractor)
    assert np.isnan(whole(scores, "refused"))
    assert (len(scores), extractor.runs) == (1, 0)
    (cell,) = summarise(scores, [FVD_I3D])
    assert np.isnan(cell.value)


def test_targets_are_looked_at_once(store: DrawnStore, outcomes, tasks: TaskSet, tmp_path: Path) -> None:
    extractor = Movement()
    scored(store, tasks, outcomes, tmp_path, extractor=extractor)
    runs = {(frame.clip, frame.row) for task in tasks.tasks for frame in task.frames[::16]}
    assert extractor.runs <= len(runs) + len(tasks.tasks), "copy-source shows one run for each task"


def test_real_frames_are_shown_in_runs_too(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    """Else the distance between real videos would be one between a video and a slide show."""
    roomy = replace(store, clips=tuple(replace(clip, usable_frames=240) for clip in store.clips))
    tasks = make_tasks(roomy, [1], size_px=32, protocol="video")
    for task in tasks.tasks:
        places = RealFrames().places(roomy, tasks, task)
        assert len(places) == len(task.frames)
        asked = {(frame.clip, frame.row) for frame in task.frames}
        assert asked.isdisjoint(places)
        for start in (0, 16):
            clip, first = places[start]
            assert places[start : start + 16] == [(clip, first + step) for step in range(16)]
    outcomes = render_references(roomy, [RealFrames()], tasks, tmp_path)
    assert all(isinstance(outcome, PredictionHeader) for outcome in outcomes.values())

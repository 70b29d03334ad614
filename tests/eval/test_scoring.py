from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from eval.features import FeatureCache, Frames
from eval.metrics.frechet import FrechetMetric, frechet_distance
from eval.metrics.loading import Metrics, load_metrics
from eval.metrics.measured import TARGET_NO_NEIGHBOUR, Measured
from eval.progress import Progress, silent
from eval.rendering import predictions
from eval.rendering.predictions import PredictionHeader
from eval.rendering.render import Outcome, render_missing
from eval.scoring import score
from eval.specs.distribution import FD_EFFICIENTNET
from eval.specs.image import PSNR, SSIM
from eval.specs.time import DTSSD
from eval.statistics.panel import is_failure
from eval.systems.baselines import CopySource, MeanFrame
from eval.tasks.making import make_tasks
from eval.tasks.neighbours import ALONE, neighbours
from eval.tasks.queries import target_frames
from eval.tasks.task_set import TaskSet
from tests.eval.conftest import DrawnStore, drawn_store


class ColourMoments:
    """A small feature extractor, so that a Frechet distance costs nothing."""

    key = "colour-moments@1"
    width = 6

    def __init__(self) -> None:
        self.seen = 0

    def extract(self, frames: Frames, _cache: FeatureCache) -> np.ndarray:
        self.seen += len(frames)
        pixels = frames.pixels.astype(np.float64)
        return np.concatenate([pixels.mean(axis=(1, 2)), pixels.std(axis=(1, 2))], axis=1)


@pytest.fixture
def tasks(store: DrawnStore) -> TaskSet:
    return make_tasks(store, [1, 8], size_px=32)


def run(
    store: DrawnStore, tasks: TaskSet, folder: Path, *, lose: str | None = None, extractor: ColourMoments | None = None
) -> tuple[pa.Table, Mapping[tuple[str, str], Outcome]]:
    """Score two baselines; `lose` marks the tasks of copy-source on one person as failed."""
    outcomes = dict(render_missing(store, [CopySource(), MeanFrame()], tasks, folder, silent))
    for task in tasks.tasks:
        if task.identity == lose:
            outcomes["copy-source", task.id] = "system_error: ValueError: no"
    metrics = Metrics(
        frame=load_metrics([SSIM, PSNR]).frame,
        over_set=(FrechetMetric(FD_EFFICIENTNET, extractor or ColourMoments()),),
    )
    scores = score(store, tasks, outcomes, folder, metrics=metrics, cache=FeatureCache(), progress=silent)
    return scores, outcomes


def rows(scores: pa.Table, **wanted) -> list[dict]:
    return [row for row in scores.to_pylist() if all(row[name] == value for name, value in wanted.items())]


def test_every_query_frame_has_one_row_for_each_metric(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    scores, _ = run(store, tasks, tmp_path)
    for metric in ("ssim", "psnr", FD_EFFICIENTNET.id):
        for system in ("copy-source", "mean-frame"):
            for task in tasks.tasks:
                found = rows(scores, metric=metric, system=system, shots=task.shots, clip=task.clip)
                frames = [(row["query_clip"], row["frame"], row["stratum"]) for row in found]
                assert frames == [tuple(frame) for frame in task.frames]
                assert {row["identity"] for row in found} == {task.identity}
    assert all(np.isfinite(row["value"]) for row in rows(scores, metric="ssim"))


def test_values_are_those_of_the_metric_on_the_decoded_frames(
    store: DrawnStore, tasks: TaskSet, tmp_path: Path
) -> None:
    from eval.metrics.image import psnr

    scores, _ = run(store, tasks, tmp_path)
    task = tasks.tasks[3]
    clip = store.clip(task.clip)
    target = target_frames(store, task.queries, 32)
    copied = np.repeat(store.frames(clip, task.support[:1]), len(target), axis=0)
    found = rows(scores, metric="psnr", system="copy-source", shots=task.shots, clip=task.clip)
    assert [row["value"] for row in found] == pytest.approx(list(psnr(copied, target)))


def test_the_set_level_value_is_the_distance_over_all_clips(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    scores, _ = run(store, tasks, tmp_path)
    wanted = [task for task in tasks.tasks if task.shots == 8]
    sides = [[], []]
    for task in wanted:
        for side, frames in zip(
            sides,
            (predictions.load(tmp_path, "mean-frame", task), target_frames(store, task.queries, 32)),
            strict=True,
        ):
            side.append(ColourMoments().extract(Frames.of(frames), FeatureCache()))
    members = {task.identity: [] for task in wanted}
    for task, one, other in zip(wanted, *sides, strict=True):
        members[task.identity].append((one, other))
    found = {row["identity"]: row for row in rows(scores, system="mean-frame", shots=8, frame=-1, stratum="")}
    expected = frechet_distance(*[np.concatenate(side) for side in sides])
    assert found[""]["value"] == pytest.approx(expected, rel=1e-5)
    assert found[""]["status"] == "unreliable"
    kept = [pair for name, pairs in members.items() if name != "bob" for pair in pairs]
    expected = frechet_distance(*[np.concatenate(side) for side in zip(*kept, strict=True)])
    assert found["bob"]["value"] == pytest.approx(expected, rel=1e-5)
    assert found["bob"]["status"] == "leave-one-out"
    assert set(found) == {"", "ann", "bob", "eve"}


def test_frames_that_were_not_delivered_are_rows_with_the_reason(
    store: DrawnStore, tasks: TaskSet, tmp_path: Path
) -> None:
    whole, _ = run(store, tasks, tmp_path)
    scores, _ = run(store, tasks, tmp_path, lose="bob")
    lost = rows(scores, system="copy-source", identity="bob", metric="ssim")
    assert {row["status"] for row in lost} == {"system_error: ValueError: no"}
    assert np.isnan([row["value"] for row in lost]).all()
    assert rows(scores, system="mean-frame", metric="ssim") == rows(whole, system="mean-frame", metric="ssim")
    kept = {"system": "copy-source", "identity": "ann", "metric": "ssim"}
    assert rows(scores, **kept) == rows(whole, **kept)


class BesideNeighbours:
    """Measures frames that have a neighbour, and nothing else."""

    spec = PSNR.model_copy(update={"id": "beside"})

    def score(self, generated: Frames, target: Frames, cache: FeatureCache) -> Measured:  # noqa: ARG002
        return Measured.of(np.zeros(len(target)), {TARGET_NO_NEIGHBOUR: target.previous == ALONE})


def test_frames_that_nobody_can_be_measured_on_are_no_failures_of_a_system_that_delivered_nothing(
    store: DrawnStore, tasks: TaskSet, tmp_path: Path
) -> None:
    outcomes = dict(render_missing(store, [CopySource(), MeanFrame()], tasks, tmp_path, silent))
    outcomes |= {("copy-source", task.id): "system_error: no" for task in tasks.tasks}
    metrics = Metrics(frame=(BesideNeighbours(),), over_set=())
    scores = score(store, tasks, outcomes, tmp_path, metrics=metrics, cache=FeatureCache(), progress=silent)
    failed, measured = (
        [(row["clip"], row["shots"], row["frame"], row["status"]) for row in rows(scores, system=system)]
        for system in ("copy-source", "mean-frame")
    )
    assert {row[-1] for row in measured} == {"ok", "target_no_neighbour"}
    assert failed == [(*row, "system_error: no") if status == "ok" else (*row, status) for *row, status in measured]


def test_a_set_with_missing_frames_is_worse_and_keeps_its_size(
    store: DrawnStore, tasks: TaskSet, tmp_path: Path
) -> None:
    """Black frames stand in, so that losing a person is no way to a better distance."""
    whole, _ = run(store, tasks, tmp_path)
    scores, _ = run(store, tasks, tmp_path, lose="bob")

    def distance(table: pa.Table, status: str) -> float:
        (row,) = rows(table, system="copy-source", shots=8, identity="", status=status, stratum="")
        return row["value"]

    assert distance(scores, "unreliable") > distance(whole, "unreliable")
    assert np.isfinite(distance(scores, "measured-only"))
    assert not rows(whole, status="measured-only")


def test_a_frame_that_was_not_delivered_fails_alone_and_counts_black_in_sets(
    store: DrawnStore, tasks: TaskSet, tmp_path: Path
) -> None:
    whole, outcomes = run(store, tasks, tmp_path)
    task = tasks.tasks[1]
    frames = predictions.load(tmp_path, "copy-source", task)
    known = outcomes["copy-source", task.id]
    assert isinstance(known, PredictionHeader)
    predictions.save(tmp_path, known.model_copy(update={"failures": {3: "missing: no"}}), task, frames)
    scores, _ = run(store, tasks, tmp_path)
    for metric in ("ssim", "psnr", FD_EFFICIENTNET.id):
        wanted = {"system": "copy-source", "metric": metric, "shots": task.shots, "clip": task.clip}
        before, after = rows(whole, **wanted), rows(scores, **wanted)
        assert [row["status"] == "missing: no" for row in after] == [place == 3 for place in range(len(frames))]
        assert np.isnan(after[3]["value"])
        kept = [place for place in range(len(frames)) if place != 3]
        np.testing.assert_equal([after[place] for place in kept], [before[place] for place in kept])

    def distance(table: pa.Table, status: str) -> float:
        (row,) = rows(table, system="copy-source", shots=task.shots, identity="", status=status, stratum="")
        return float(row["value"])

    assert distance(scores, "unreliable") > distance(whole, "unreliable")
    assert distance(scores, "measured-only") == pytest.approx(distance(whole, "unreliable"), rel=0.1)


def test_a_frame_whose_neighbour_was_not_delivered_fails_where_time_is_measured(
    store: DrawnStore, tasks: TaskSet, tmp_path: Path
) -> None:
    """Else leaving out every other frame would hide all flicker. What no system is asked for stays left out."""
    outcomes = dict(render_missing(store, [MeanFrame()], tasks, tmp_path, silent))
    task = tasks.tasks[0]
    metrics = load_metrics([DTSSD])

    def statuses() -> list[str]:
        scores = score(store, tasks, outcomes, tmp_path, metrics=metrics, cache=FeatureCache(), progress=silent)
        return [row["status"] for row in rows(scores, shots=task.shots, clip=task.clip)]

    before, previous = statuses(), neighbours(task.frames)
    later = before.index("ok")
    lost = {int(previous[later]): "missing: no"}
    known = outcomes["mean-frame", task.id]
    assert isinstance(known, PredictionHeader)
    outcomes["mean-frame", task.id] = header = known.model_copy(update={"failures": lost})
    predictions.save(tmp_path, header, task, predictions.load(tmp_path, "mean-frame", task))
    after = statuses()
    assert after[later] == "no_neighbour"
    assert is_failure(after[later])
    changed = {place for place in range(len(before)) if before[place] != after[place]}
    assert changed == {later, *(place for place in lost if before[place] == "ok")}


def test_each_stratum_has_a_set_level_value_over_its_own_frames(tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    store = drawn_store(root, frames=300)
    tasks = make_tasks(store, [1], size_px=32, query_frames=64)
    scores, _ = run(store, tasks, tmp_path)
    far = [np.array([frame.stratum == "far" for frame in task.frames]) for task in tasks.tasks]
    sides = [
        np.concatenate(
            [
                ColourMoments().extract(Frames.of(side(task)[chosen]), FeatureCache())
                for task, chosen in zip(tasks.tasks, far, strict=True)
            ]
        )
        for side in (
            lambda task: predictions.load(tmp_path, "mean-frame", task),
            lambda task: target_frames(store, task.queries, 32),
        )
    ]
    (value,) = rows(scores, system="mean-frame", frame=-1, identity="", stratum="far")
    assert len(sides[0]) == np.concatenate(far).sum() > 64
    assert value["value"] == pytest.approx(frechet_distance(*sides), rel=1e-5)


def test_a_stratum_without_enough_frames_has_no_set_level_value(
    store: DrawnStore, tasks: TaskSet, tmp_path: Path
) -> None:
    scores, _ = run(store, tasks, tmp_path)
    near = sum(frame.stratum == "near" for task in tasks.tasks for frame in task.frames if task.shots == 1)
    assert 0 < near < 64
    (value,) = rows(scores, system="copy-source", shots=1, frame=-1, stratum="near")
    assert (value["status"], np.isnan(value["value"])) == ("refused", True)


def test_few_frames_have_no_set_level_value(tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    store = drawn_store(root, people=("ann",), frames=30)
    scores, _ = run(store, make_tasks(store, [1], size_px=32), tmp_path)
    (row,) = rows(scores, system="copy-source", frame=-1, stratum="")
    assert row["status"] == "refused"
    assert np.isnan(row["value"])


def test_target_features_are_computed_once_for_all_systems_and_shots(
    store: DrawnStore, tasks: TaskSet, tmp_path: Path
) -> None:
    extractor = ColourMoments()
    run(store, tasks, tmp_path, extractor=extractor)
    targets = {(frame.clip, frame.row) for task in tasks.tasks for frame in task.frames}
    stills = 2 * len(tasks.tasks)  # either baseline shows one frame for each task
    assert extractor.seen <= len(targets) + stills


def test_progress_counts_every_pair_once(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    told: list[Progress] = []
    render_missing(store, [CopySource(), MeanFrame()], tasks, tmp_path, told.append)
    assert [one.done for one in told] == list(range(2 * len(tasks.tasks) + 1))
    assert {one.total for one in told} == {2 * len(tasks.tasks)}

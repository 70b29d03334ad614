"""Scoring again from what is on disk."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eval.benchmark import benchmark
from eval.rendering import predictions
from eval.rescoring import current_specs, rescore
from eval.runs.results import SCORES_FILE, Run
from eval.specs.image import PSNR, SSIM
from eval.statistics.cells import summarise
from eval.systems.baselines import CopySource, MeanFrame, StillHead
from eval.systems.protocol import Support
from eval.tasks.making import make_tasks
from eval.tasks.task_set import TaskSet
from tests.eval.conftest import DrawnStore, drawn_store
from weights.errors import HeadshotError
from weights.files import sha256_of


class FailsAtEight(CopySource):
    name, title = "fails", "Fails at eight shots"

    def adapt(self, support: Support) -> StillHead:
        if len(support.frames) == 8:
            raise RuntimeError("no luck")
        return super().adapt(support)


@pytest.fixture
def tasks(store: DrawnStore) -> TaskSet:
    return make_tasks(store, [1, 8], size_px=32)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run. Not to be changed."""
    store, folder = drawn_store(tmp_path_factory.mktemp("data")), tmp_path_factory.mktemp("finished")
    tasks = make_tasks(store, [1, 8], size_px=32)
    benchmark(store, [MeanFrame(), FailsAtEight()], tasks, folder / "run", specs=[SSIM])
    return folder / "run"


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Run:
    """The same run, to be changed."""
    return Run.open(shutil.copytree(finished, tmp_path / "run"))


def test_other_metrics_give_what_a_benchmark_with_them_gives(
    run: Run, store: DrawnStore, tasks: TaskSet, tmp_path: Path
) -> None:
    """Nobody renders: no system is handed over. Failures stay failures, with their reasons."""
    again = rescore(run.folder, store, [PSNR, SSIM])
    whole = benchmark(store, [MeanFrame(), FailsAtEight()], tasks, tmp_path / "whole", specs=[PSNR, SSIM])
    assert sha256_of(run.folder / SCORES_FILE) == sha256_of(whole.folder / SCORES_FILE)
    assert again.record.score_key == whole.record.score_key
    assert again.record.failures == whole.record.failures
    assert {one.reason for one in again.record.undelivered} == {"system_error: RuntimeError: no luck"}
    assert len(again.record.undelivered) == 6
    assert again.record.cost == run.record.cost
    assert Run.open(run.folder).record == again.record


def test_the_same_metrics_change_nothing(run: Run, store: DrawnStore) -> None:
    before = (run.folder / "run.json").read_bytes()
    assert rescore(run.folder, store).record == run.record
    assert (run.folder / "run.json").read_bytes() == before


def test_a_benchmark_goes_on_from_a_run_that_was_scored_again(run: Run, store: DrawnStore, tasks: TaskSet) -> None:
    again = rescore(run.folder, store, [PSNR])
    known = benchmark(store, [MeanFrame(), FailsAtEight()], tasks, run.folder, specs=[PSNR])
    assert known.record == again.record


def test_pictures_that_were_changed_are_scored_as_they_are(run: Run, store: DrawnStore, tasks: TaskSet) -> None:
    task = tasks.tasks[0]
    header = predictions.header(run.folder, "mean-frame", task)
    predictions.save(run.folder, header, task, np.zeros((len(task.frames), 32, 32, 3), np.uint8))
    before, after = (
        next(cell.value for cell in summarise(scores, [SSIM]) if cell.shots == task.shots)
        for scores in (run.scores, rescore(run.folder, store).scores)
    )
    assert after < before


def test_a_prediction_that_is_gone_is_no_failure_of_the_system(run: Run, store: DrawnStore, tasks: TaskSet) -> None:
    predictions.path_of(run.folder, "mean-frame", tasks.tasks[3]).unlink()
    with pytest.raises(HeadshotError, match=r"the prediction of mean-frame for .* is missing"):
        rescore(run.folder, store)


def test_a_prediction_of_another_checkpoint_is_not_taken_for_that_of_the_run(
    run: Run, store: DrawnStore, tasks: TaskSet
) -> None:
    class Changed(MeanFrame):
        config = {"version": 2}  # noqa: RUF012

    with pytest.raises(KeyboardInterrupt):  # a later run that was stopped after one task
        benchmark(store, [Changed()], tasks, run.folder, specs=[SSIM], progress=stop_after_one)
    with pytest.raises(HeadshotError, match=r"the prediction of mean-frame for .* is of another system"):
        rescore(run.folder, store)


def stop_after_one(progress: object) -> None:
    if progress.done:
        raise KeyboardInterrupt


def test_another_data_set_is_refused(run: Run, store: DrawnStore) -> None:
    with pytest.raises(HeadshotError, match="give the data set of the run"):
        rescore(run.folder, replace(store, sha256="e" * 64))


def test_the_metrics_of_a_run_are_measured_in_the_versions_of_this_code() -> None:
    old = SSIM.model_copy(update={"version": SSIM.version + 7, "title": "before"})
    assert current_specs([old, PSNR]) == (SSIM, PSNR)
    with pytest.raises(HeadshotError, match="the metric beauty"):
        current_specs([SSIM.model_copy(update={"id": "beauty"})])

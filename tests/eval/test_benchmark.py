from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from eval.benchmark import benchmark
from eval.progress import Progress
from eval.rendering import predictions
from eval.runs.results import Run, RunRecord
from eval.specs.geometry import NME_FAN
from eval.specs.image import PSNR, SSIM
from eval.statistics.cells import summarise
from eval.statistics.comparisons import differences
from eval.systems.baselines import CopySource, MeanFrame, NearestFrame, StillHead
from eval.systems.protocol import Support
from eval.tasks.making import make_tasks
from eval.tasks.task_set import TaskSet
from tests.eval.conftest import DrawnStore
from weights.errors import ArchiveUnavailable, HeadshotError, WeightUnavailable

SPECS = (SSIM, PSNR)


@dataclass
class Counting:
    """Shows the first frame, counts how often it is asked, and can be made to fail."""

    name: str = "counting"
    title: str = "Counts"
    config: dict = field(default_factory=lambda: {"version": 1})
    training_identities: frozenset[str] = frozenset()
    adapted: int = 0
    seeds: list[int] = field(default_factory=list)
    fails_at_shots: int | None = None
    iterations: int = 7

    def adapt(self, support: Support) -> "Counting":
        self.adapted += 1
        self.seeds.append(support.seed)
        self.frame = support.frames[0]
        if len(support.frames) == self.fails_at_shots:
            raise RuntimeError("out of luck\nat shots 8")
        return self

    def render(self, driving_landmarks: np.ndarray) -> np.ndarray:
        return np.stack([self.frame] * len(driving_landmarks))


class Misbehaved(Counting):
    """Delivers whatever it was made with."""

    def __init__(self, output: object) -> None:
        super().__init__()
        self.output = output

    def render(self, driving_landmarks: np.ndarray) -> object:
        return self.output(driving_landmarks) if callable(self.output) else self.output


@pytest.fixture
def tasks(store: DrawnStore) -> TaskSet:
    return make_tasks(store, [1, 8], size_px=32, query_frames=8)


def go(store: DrawnStore, tasks: TaskSet, folder: Path, *systems, **options) -> Run:
    return benchmark(store, systems, tasks, folder / "run", specs=SPECS, **options)


def test_a_run_is_complete_on_disk(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    run = go(store, tasks, tmp_path, CopySource(), MeanFrame())
    known = Run.open(tmp_path / "run")
    assert known.record == run.record
    assert known.tasks == tasks
    assert known.scores.equals(run.scores)
    assert len(known.scores) == 2 * 2 * sum(len(task.frames) for task in tasks.tasks)


def test_more_frames_to_choose_from_help_the_nearest_frame_and_not_the_copy(
    store: DrawnStore, tasks: TaskSet, tmp_path: Path
) -> None:
    run = go(store, tasks, tmp_path, CopySource(), MeanFrame(), NearestFrame())
    cells = {(cell.system, cell.shots, cell.metric): cell.value for cell in summarise(run.scores, SPECS)}
    for metric in ("ssim", "psnr"):
        assert cells["nearest-frame", 8, metric] > cells["nearest-frame", 1, metric]
        assert cells["copy-source", 8, metric] == cells["copy-source", 1, metric]
    same = differences(run.scores, SPECS, "mean-frame", "copy-source")[0]
    assert (same.shots, same.value, same.verdict) == (1, 0, "not separated")


def test_a_repeated_run_renders_nothing_and_returns_the_same(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    first = go(store, tasks, tmp_path, Counting())
    again = Counting()
    second = go(store, tasks, tmp_path, again)
    assert again.adapted == 0
    assert second.record == first.record
    assert second.scores.equals(first.scores)


def test_an_interrupted_run_goes_on_where_it_was(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    class PulledPlugError(Exception):
        pass

    def pull(progress: Progress) -> None:
        if progress.done == 5:
            raise PulledPlugError

    with pytest.raises(PulledPlugError):
        go(store, tasks, tmp_path, Counting(), progress=pull)
    system = Counting()
    run = go(store, tasks, tmp_path, system)
    assert system.adapted == len(tasks.tasks) - 5
    whole = go(store, tasks, tmp_path / "other", Counting())
    assert run.scores.equals(whole.scores)


def test_a_deleted_prediction_alone_is_rendered_again(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    go(store, tasks, tmp_path, Counting())
    predictions.path_of(tmp_path / "run", "counting", tasks.tasks[2]).unlink()
    system = Counting()
    go(store, tasks, tmp_path, system)
    assert system.adapted == 1


def test_more_shots_render_only_the_new_tasks(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    go(store, tasks, tmp_path, Counting())
    system = Counting()
    more = make_tasks(store, [1, 4, 8], size_px=32, query_frames=8)
    go(store, more, tmp_path, system)
    assert system.adapted == len(more.tasks) - len(tasks.tasks)


def test_a_changed_system_is_rendered_again(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    first = go(store, tasks, tmp_path, Counting())
    system = Counting(config={"version": 2})
    second = go(store, tasks, tmp_path, system)
    assert system.adapted == len(tasks.tasks)
    assert second.record.score_key != first.record.score_key


def test_changed_frames_are_noticed(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    """A data set of the same name and manifest whose pictures changed must not reuse old predictions."""
    go(store, tasks, tmp_path, Counting())

    class Brighter(DrawnStore):
        def frames(self, clip, rows, size_px=None):
            return super().frames(clip, rows, size_px) + np.uint8(1)

    system = Counting()
    go(Brighter(store.root, store.clips), tasks, tmp_path, system)
    assert system.adapted == len(tasks.tasks)


def test_a_tampered_prediction_is_scored_as_it_is(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    """Old scores are not shown for other pictures, even where the header claims that nothing changed."""
    first = go(store, tasks, tmp_path, Counting())
    task = tasks.tasks[0]
    header = predictions.header(tmp_path / "run", "counting", task)
    black = np.zeros((len(task.frames), 32, 32, 3), np.uint8)
    predictions.save(tmp_path / "run", header, task, black)
    second = go(store, tasks, tmp_path, Counting())
    assert second.record.score_key != first.record.score_key
    assert not second.scores.equals(first.scores)


def test_a_crashing_system_costs_only_itself(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    alone = go(store, tasks, tmp_path / "alone", MeanFrame())
    run = go(store, tasks, tmp_path, Counting(fails_at_shots=8), MeanFrame())
    cells = {(cell.system, cell.shots): cell for cell in summarise(run.scores, [SSIM])}
    frames = sum(len(task.frames) for task in tasks.tasks if task.shots == 8)
    assert cells["counting", 8].n_failed == cells["counting", 8].n_frames == frames
    assert cells["counting", 8].value == 0
    assert cells["counting", 1].n_failed == 0
    assert (
        cells["mean-frame", 8]
        == {(one.system, one.shots): one for one in summarise(alone.scores, [SSIM])}["mean-frame", 8]
    )
    reasons = {(failure.system, failure.shots, failure.metric): failure for failure in run.record.failures}
    assert set(reasons) == {("counting", 8, "ssim"), ("counting", 8, "psnr")}
    failure = reasons["counting", 8, "ssim"]
    assert (failure.reason, failure.frames) == ("system_error: RuntimeError: out of luck at shots 8", frames)


def test_a_failure_is_tried_again_the_next_time(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    go(store, tasks, tmp_path, Counting(fails_at_shots=8))
    mended = Counting()
    run = go(store, tasks, tmp_path, mended)
    assert mended.adapted == len(tasks.tasks) // 2
    assert run.record.failures == ()


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (None, "returned NoneType"),
        (lambda points: np.zeros((len(points), 32, 32, 3)), "float64"),
        (lambda points: np.zeros((len(points) - 1, 32, 32, 3), np.uint8), "uint8"),
        (lambda points: np.zeros((len(points), 64, 64, 3), np.uint8), "64, 64"),
    ],
)
def test_frames_of_the_wrong_kind_are_failures(
    output: object, reason: str, store: DrawnStore, tasks: TaskSet, tmp_path: Path
) -> None:
    run = go(store, tasks, tmp_path, Misbehaved(output))
    assert {failure.reason.split(":")[0] for failure in run.record.failures} == {"bad_output"}
    assert reason in run.record.failures[0].reason
    assert not list((tmp_path / "run" / "predictions").rglob("*.parquet"))


def test_a_system_sees_nothing_that_names_the_answer(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    seen: list[Support] = []

    class Curious(CopySource):
        def adapt(self, support: Support) -> StillHead:
            seen.append(support)
            return super().adapt(support)

    go(store, tasks, tmp_path, Curious())
    assert set(Support.__dataclass_fields__) == {"frames", "landmarks", "size_px", "seed", "frames_2x"}
    assert [len(support.frames) for support in seen] == [task.shots for task in tasks.tasks]


def test_each_task_has_its_own_seed_and_keeps_it(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    one, other = Counting(), Counting(config={"version": 2})
    go(store, tasks, tmp_path, one)
    go(store, tasks, tmp_path, other)
    assert one.seeds == other.seeds
    assert len(set(one.seeds)) == len(tasks.tasks)


def test_a_system_that_learned_from_a_person_under_test_is_refused(
    store: DrawnStore, tasks: TaskSet, tmp_path: Path
) -> None:
    cheat = Counting(training_identities=frozenset({"zoe", "bob"}))
    with pytest.raises(HeadshotError, match="counting was trained on bob"):
        go(store, tasks, tmp_path, cheat)
    assert cheat.adapted == 0


def test_tasks_of_another_data_set_are_refused(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    with pytest.raises(HeadshotError, match="manifest"):
        go(replace(store, manifest_sha256="b" * 64), tasks, tmp_path, CopySource())


def test_two_systems_of_one_name_and_none_at_all_are_refused(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    with pytest.raises(HeadshotError, match="name of its own"):
        go(store, tasks, tmp_path, CopySource(), CopySource())
    with pytest.raises(HeadshotError, match="at least one"):
        go(store, tasks, tmp_path)


def test_the_record_says_how_the_numbers_came_about(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    record = go(store, tasks, tmp_path, Counting()).record
    assert record.systems[0].config == {"version": 1}
    assert record.specs == SPECS
    assert record.tasks_sha256 == tasks.sha256()
    assert record.dataset.manifest_sha256 == store.manifest_sha256
    assert record.packages["numpy"] == np.__version__
    assert record.hardware.cores >= 1
    assert record.started_at <= record.ended_at
    costs = {cost.shots: cost for cost in record.cost}
    assert set(costs) == {1, 8}
    assert costs[8].tasks == 6
    assert costs[8].iterations == 7
    assert costs[8].frames_per_s > 0
    assert RunRecord.model_validate_json((tmp_path / "run" / "run.json").read_text()) == record


def test_an_unfinished_run_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(HeadshotError, match=r"run\.json"):
        Run.open(tmp_path)


def test_a_run_of_another_version_is_refused(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    go(store, tasks, tmp_path, CopySource())
    path = tmp_path / "run" / "run.json"
    path.write_text(path.read_text().replace('"schema_version": 3', '"schema_version": 99', 1))
    with pytest.raises(HeadshotError, match="install a newer headshot"):
        Run.open(tmp_path / "run")


def test_a_network_that_cannot_be_had_ends_the_run_before_anything_is_rendered(
    store: DrawnStore, tasks: TaskSet, tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object) -> None:
        raise ArchiveUnavailable("no route to the host")

    monkeypatch.setattr("weights.fetch.fetch_archive", unreachable)
    system = Counting()
    with pytest.raises(WeightUnavailable) as refused:
        benchmark(store, [system], tasks, tmp_path / "run", specs=[NME_FAN, SSIM])
    text = str(refused.value)
    assert "`headshot weights add fan-2dfan4 PATH`" in text
    assert "\n" not in text
    assert system.adapted == 0

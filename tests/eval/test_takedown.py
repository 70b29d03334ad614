"""A person leaves a run: what was made from their frames goes, and nothing of the others has to be made again."""

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from eval import takedown
from eval.benchmark import benchmark
from eval.features import Frames
from eval.rendering import predictions
from eval.runs.results import RUN_FILE, SCORES_FILE, TASKS_FILE, Run
from eval.specs.image import PSNR, SSIM
from eval.systems.baselines import CopySource, MeanFrame
from eval.takedown import holds, take_out
from eval.tasks.making import make_tasks
from eval.tasks.queries import target_frames
from eval.tasks.task_set import TaskSet
from tests.eval.conftest import DrawnStore, drawn_store
from weights.errors import HeadshotError
from weights.files import TEMPORARY_MARK

SPECS = (SSIM, PSNR)
SYSTEMS = (CopySource(), MeanFrame())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on Ann, Bob and Eve. Not to be changed."""
    store, folder = drawn_store(tmp_path_factory.mktemp("data")), tmp_path_factory.mktemp("finished")
    benchmark(store, SYSTEMS, make_tasks(store, [1, 8], size_px=32), folder / "run", specs=SPECS)
    return folder / "run"


@pytest.fixture
def run_dir(finished: Path, tmp_path: Path) -> Path:
    """The same run, to be changed."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


@pytest.fixture
def rest(store: DrawnStore) -> DrawnStore:
    """The same data without Bob."""
    return drawn_store(store.root, ("ann", "eve"))


def digests_in(run_dir: Path) -> set[bytes]:
    return {
        digest
        for path in (run_dir / "features").rglob("*.parquet")
        for digest in pq.read_table(path)["content_sha256"].to_pylist()
    }


def digests_of(store: DrawnStore, run_dir: Path, identity: str) -> set[bytes]:
    """Return what a feature of the person's targets and predictions would be found by."""
    tasks = [task for task in TaskSet.load(run_dir / TASKS_FILE).tasks if task.identity == identity]
    frames = [target_frames(store, task.queries, 32) for task in tasks]
    frames += [predictions.load(run_dir, system.name, task) for task in tasks for system in SYSTEMS]
    return {digest for pixels in frames for digest in Frames.of(pixels).digests}


def test_nothing_of_the_person_is_left_and_the_others_are_rendered_and_measured_already(
    run_dir: Path, store: DrawnStore, rest: DrawnStore
) -> None:
    before = {path: path.read_bytes() for path in run_dir.rglob("*.parquet") if "bob" not in path.name}
    assert holds(run_dir, "bob")
    changes = {change.what.split(",")[0]: change for change in take_out(run_dir, "bob", rest)}
    assert (changes["predictions"].files, changes["tasks"].rows) == (2 * 2 * 2, 2 * 2)
    assert not holds(run_dir, "bob")
    files = [path for path in run_dir.rglob("*") if path.is_file()]
    assert not any(b"bob/video" in path.read_bytes() or "bob" in path.name for path in files)
    assert not (run_dir / RUN_FILE).exists()
    assert not (run_dir / SCORES_FILE).exists()
    for path in (run_dir / "predictions").rglob("*.parquet"):
        assert path.read_bytes() == before[path]


def test_features_of_the_person_go_and_those_of_the_others_stay(
    run_dir: Path, store: DrawnStore, rest: DrawnStore
) -> None:
    gone = digests_of(store, run_dir, "bob") - digests_of(store, run_dir, "ann") - digests_of(store, run_dir, "eve")
    pairs_before = len(digests_in(run_dir))
    take_out(run_dir, "bob", rest)
    left = digests_in(run_dir)
    assert gone
    assert not gone & left
    assert len(left) == pytest.approx(pairs_before * 2 / 3, abs=0.1 * pairs_before)


def test_the_rest_scores_as_if_the_person_had_never_been_there(
    run_dir: Path, rest: DrawnStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_out(run_dir, "bob", rest)
    tasks = make_tasks(rest, [1, 8], size_px=32)
    assert TaskSet.load(run_dir / TASKS_FILE) == tasks
    alone = benchmark(rest, SYSTEMS, tasks, tmp_path / "alone", specs=SPECS)
    made = len(list((run_dir / "features").rglob("*.parquet")))
    for system in SYSTEMS:
        monkeypatch.setattr(type(system), "adapt", lambda *_: pytest.fail("it rendered again"))
    again = benchmark(rest, SYSTEMS, tasks, run_dir, specs=SPECS)
    assert again.scores.equals(alone.scores)
    assert len(list((run_dir / "features").rglob("*.parquet"))) == made, "and measured nothing again"


def test_somebody_who_was_not_tested_leaves_the_scores_alone(run_dir: Path, store: DrawnStore) -> None:
    before = {path: path.read_bytes() for path in run_dir.rglob("*") if path.is_file()}
    assert take_out(run_dir, "zoe", store) == ()
    assert {path: path.read_bytes() for path in run_dir.rglob("*") if path.is_file()} == before
    assert len(Run.open(run_dir).scores)


@pytest.mark.parametrize("step", ["_filter_tasks", "_drop_predictions", "_filter_features", "_replace"])
def test_killed_at_any_step_it_is_finished_by_the_next_call(
    run_dir: Path, rest: DrawnStore, store: DrawnStore, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    gone = digests_of(store, run_dir, "bob") - digests_of(store, run_dir, "ann") - digests_of(store, run_dir, "eve")
    with monkeypatch.context() as patch:
        patch.setattr(takedown, step, killed)
        with pytest.raises(KeyboardInterrupt):
            take_out(run_dir, "bob", rest)
    take_out(run_dir, "bob", rest)
    assert not holds(run_dir, "bob")
    assert not gone & digests_in(run_dir)
    with pytest.raises(HeadshotError, match="no finished benchmark"):
        Run.open(run_dir)
    assert take_out(run_dir, "bob", rest) == ()


def test_without_a_data_set_no_feature_is_kept(run_dir: Path) -> None:
    take_out(run_dir, "bob", None)
    assert digests_in(run_dir) == set()


def test_leftovers_of_killed_commands_go_too(run_dir: Path, rest: DrawnStore) -> None:
    left = run_dir / "predictions" / "copy-source" / f".bob+video{TEMPORARY_MARK}0.parquet"
    left.write_bytes(b"half a prediction")
    take_out(run_dir, "bob", rest)
    assert not left.exists()


def test_a_run_that_is_not_there_holds_nobody(tmp_path: Path, rest: DrawnStore) -> None:
    assert not holds(tmp_path / "nothing", "bob")
    assert take_out(tmp_path / "nothing", "bob", rest) == ()

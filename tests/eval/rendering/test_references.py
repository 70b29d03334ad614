"""Floors and ceilings that the harness makes itself."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from eval.benchmark import benchmark
from eval.metrics.image import psnr
from eval.rendering import predictions
from eval.rendering.references import (
    DEFAULT,
    NAMES,
    RealFrames,
    Reencoded,
    ReferenceTask,
    ShuffledIdentity,
    reencoded,
    render_references,
)
from eval.runs.results import Run
from eval.specs.image import PSNR, SSIM
from eval.statistics.cells import summarise
from eval.systems.baselines import CopySource
from eval.takedown import holds, take_out
from eval.tasks.making import make_tasks
from eval.tasks.motion import Motion, distance_to_nearest
from eval.tasks.queries import target_frames
from eval.tasks.task_set import TaskSet
from tests.conftest import REPOSITORY
from tests.eval.conftest import DrawnStore, drawn_store
from weights.errors import HeadshotError


@pytest.fixture
def tasks(store: DrawnStore) -> TaskSet:
    return make_tasks(store, [1, 8], size_px=32, query_frames=8)


@pytest.fixture
def across(store: DrawnStore) -> TaskSet:
    return make_tasks(store, [1], size_px=32, query_frames=8, protocol="cross")


def moving_disc(frames: int = 12, size: int = 64) -> np.ndarray:
    rng = np.random.default_rng(0)
    ground = cv2.GaussianBlur(rng.integers(0, 255, (size, size, 3), dtype=np.uint8), (0, 0), 2)
    return np.stack([cv2.circle(ground.copy(), (20 + 2 * n, 32), 12, (200, 120, 60), -1) for n in range(frames)])


def test_re_encoding_costs_a_little_and_more_at_a_higher_rate_factor() -> None:
    frames = moving_disc()
    values = [float(psnr(reencoded(frames, crf), frames).mean()) for crf in (10, 23, 40)]
    assert values == sorted(values, reverse=True)
    assert 30 < values[1] < 45


def test_re_encoding_keeps_colour_order_and_brightness() -> None:
    """A wrong matrix, range or channel order moves the means by several levels."""
    frames = moving_disc()
    gaps = reencoded(frames, 10).astype(float).mean(axis=(1, 2)) - frames.mean(axis=(1, 2))
    assert np.abs(gaps).max() < 1.5


def test_re_encoding_keeps_every_frame_and_odd_sizes_and_repeats_to_the_bit() -> None:
    frames = moving_disc(size=65)[:, :, :51]
    again = reencoded(frames, 23)
    assert again.shape == frames.shape
    assert np.array_equal(again, reencoded(frames, 23))
    assert psnr(again[:1], frames[:1]) > psnr(again[:1], frames[6:7])


@pytest.mark.slow
def test_what_was_in_memory_before_changes_no_bit_of_a_re_encoded_frame() -> None:
    """glibc fills what it hands out with this byte."""
    program = (
        "import hashlib; from eval.rendering.references import reencoded; "
        "from tests.eval.rendering.test_references import moving_disc; "
        "print([hashlib.sha256(reencoded(moving_disc(size=size), 23).tobytes()).hexdigest() for size in (64, 82, 112)])"
    )
    found = set()
    for byte in ("0", "85", "170"):
        environment = {**os.environ, "MALLOC_PERTURB_": byte, "MALLOC_MMAP_THRESHOLD_": "100000000"}
        run = [sys.executable, "-c", program]
        found.add(subprocess.run(run, env=environment, cwd=REPOSITORY, check=True, capture_output=True).stdout)
    assert len(found) == 1


def test_re_encoded_targets_are_the_targets(store: DrawnStore, tasks: TaskSet) -> None:
    task = tasks.tasks[0]
    pictures, _ = ReferenceTask.of(Reencoded(), store, tasks, task).render(store)
    targets = target_frames(store, task.queries, 32)
    assert psnr(pictures, targets).mean() > psnr(np.roll(pictures, 5, axis=0), targets).mean() + 5


def test_real_frames_are_the_persons_own_and_none_is_a_target(store: DrawnStore, tasks: TaskSet) -> None:
    for task in tasks.tasks:
        places = RealFrames().places(store, tasks, task)
        targets = {(frame.clip, frame.row) for frame in task.frames}
        assert len(places) == len(set(places)) == len(targets)
        assert not targets & set(places)
        assert {clip.split("/")[0] for clip, _ in places} == {task.identity}


def test_the_wrong_person_makes_the_nearest_movement(store: DrawnStore, tasks: TaskSet) -> None:
    task = tasks.tasks[0]
    places = ShuffledIdentity().places(store, tasks, task)
    (other,) = {clip for clip, _ in places}
    assert other.split("/")[0] in {"bob", "eve"}
    shown = store.clip(other)
    everything = Motion.read(store, shown, store.usable_rows(shown))
    for frame, (_, row) in zip(task.frames, places, strict=True):
        wanted = Motion.read(store, store.clip(frame.clip), np.array([frame.row]))
        found = distance_to_nearest(wanted, Motion.read(store, shown, np.array([row])))
        assert found == distance_to_nearest(wanted, everything)


def test_where_another_person_drives_the_wrong_person_is_the_driver(store: DrawnStore, across: TaskSet) -> None:
    task = across.tasks[0]
    assert ShuffledIdentity().places(store, across, task) == [(frame.clip, frame.row) for frame in task.frames]
    assert {clip.split("/")[0] for clip, _ in RealFrames().places(store, across, task)} == {task.identity}
    assert [one.name for one in DEFAULT if one.applies(across)] == ["real-frames", "shuffled-identity"]


def test_one_person_alone_has_no_wrong_person(store: DrawnStore) -> None:
    alone = make_tasks(replace(store, clips=store.clips[1:3]), [1], size_px=32)
    assert [one.name for one in DEFAULT if one.applies(alone)] == ["real-frames", "reencoded-crf23"]


def test_a_clip_without_other_frames_is_a_counted_failure(store: DrawnStore, tmp_path: Path) -> None:
    clip = replace(store.clips[1], usable_frames=18)
    short = replace(store, clips=(clip,))
    tasks = make_tasks(short, [1], size_px=32)
    queries = tuple(
        query.model_copy(update={"rows": tuple(store.usable_rows(clip)[:12].tolist()), "strata": ("far",) * 12})
        for query in tasks.tasks[0].queries
    )
    most = tasks.model_copy(update={"tasks": (tasks.tasks[0].model_copy(update={"queries": queries}),)})
    (outcome,) = render_references(short, [RealFrames()], most, tmp_path).values()
    assert outcome == "too_few_frames: 6 real frames of 12"


def test_they_are_flagged_in_the_record_and_split_off(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    run = benchmark(store, [CopySource()], tasks, tmp_path / "run", specs=(SSIM, PSNR), references=DEFAULT)
    flags = {system.name: system.reference for system in run.record.systems}
    assert flags == {"copy-source": False, **dict.fromkeys(NAMES, True)}
    contenders, references = Run.open(tmp_path / "run").split()
    assert set(contenders.scores["system"].to_pylist()) == {"copy-source"}
    assert set(references.scores["system"].to_pylist()) == set(NAMES)
    assert [system.name for system in references.record.systems] == list(NAMES)
    assert {cost.system for cost in contenders.record.cost} == {"copy-source"}


def test_the_ceiling_is_above_everything_and_the_same_at_every_number_of_shots(
    store: DrawnStore, tasks: TaskSet, tmp_path: Path
) -> None:
    run = benchmark(store, [CopySource()], tasks, tmp_path / "run", specs=(SSIM,), references=DEFAULT)
    cells = {(cell.system, cell.shots): cell for cell in summarise(run.scores, [SSIM])}
    best = cells["reencoded-crf23", 1].value
    assert all(cell.value < best for (name, _), cell in cells.items() if name != "reencoded-crf23")
    for name in NAMES:
        assert cells[name, 1].value == cells[name, 8].value
        assert cells[name, 1].n_failed == 0


def test_they_are_made_once(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    render_references(store, DEFAULT, tasks, tmp_path)
    read = len(store.frames_read)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    render_references(store, DEFAULT, tasks, tmp_path)
    assert len(store.frames_read) == read
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")} == files
    assert len(files) == len(DEFAULT) * len(tasks.tasks)
    render_references(replace(store, sha256="e" * 64), DEFAULT, tasks, tmp_path)
    assert len(store.frames_read) > read


def test_a_system_cannot_take_the_name_of_a_reference(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    class Impostor(CopySource):
        name = "real-frames"

    with pytest.raises(HeadshotError, match="name of its own"):
        benchmark(store, [Impostor()], tasks, tmp_path, specs=[SSIM], references=DEFAULT)


def test_metrics_that_need_a_target_are_refused_where_there_is_none(
    store: DrawnStore, across: TaskSet, tmp_path: Path
) -> None:
    with pytest.raises(HeadshotError, match="ssim, psnr compares with the target frame"):
        benchmark(store, [CopySource()], across, tmp_path, specs=[SSIM, PSNR])


def test_a_person_who_leaves_is_in_no_reference_picture(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    """The wrong person shown for Ann may be Bob: when he leaves, these pictures go, and are made again without him."""
    run_dir = tmp_path / "run"
    benchmark(store, [CopySource()], tasks, run_dir, specs=[SSIM], references=DEFAULT)
    take_out(run_dir, "bob", drawn_store(store.root, ("ann", "eve")))
    assert not holds(run_dir, "bob")
    assert {path.parent.name for path in (run_dir / "predictions").rglob("*.parquet")} == {"copy-source"}
    assert predictions.load(run_dir, "copy-source", tasks.tasks[0]).shape[1:] == (32, 32, 3)


def test_who_drives_leaves_with_what_they_drove(store: DrawnStore, across: TaskSet, tmp_path: Path) -> None:
    render_references(store, DEFAULT[:2], across, tmp_path)
    across.save(tmp_path / "tasks.json")
    assert holds(tmp_path, "bob")
    take_out(tmp_path, "bob", None)
    assert not holds(tmp_path, "bob")
    left = TaskSet.load(tmp_path / "tasks.json").tasks
    assert left
    assert not {"bob"} & {name for task in left for name in (task.identity, task.driver)}
    assert not any(b"bob" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from eval.rendering import predictions
from eval.rendering.predictions import PredictionHeader, PredictionInputs
from eval.tasks.queries import Query
from eval.tasks.task_set import Task
from weights.errors import HeadshotError

TASK = Task(
    id="ann+video+1+1shots+draw0",
    identity="ann",
    clip="ann/video/1",
    shots=1,
    draw=0,
    support=(3,),
    queries=(
        Query(clip="ann/video/1", rows=(10, 12), strata=("near", "far")),
        Query(clip="ann/video/2", rows=(17,), strata=("middle",)),
    ),
)


def inputs(**changes) -> PredictionInputs:
    known = {
        "system": "demo",
        "system_config": {"version": 1, "checkpoint_sha256": "c"},
        "task": TASK.id,
        "task_sha256": TASK.sha256(),
        "content_sha256": "d",
        "size_px": 16,
        "seed": 5,
    }
    return PredictionInputs(**{**known, **changes})


def header(**changes) -> PredictionHeader:
    wanted = inputs(**changes)
    return PredictionHeader(key=wanted.sha256(), inputs=wanted, adaptation_s=1.5, render_fps=30.0, iterations=40)


@pytest.fixture
def frames() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)


def test_frames_and_header_survive_the_disk_unchanged(frames: np.ndarray, tmp_path: Path) -> None:
    predictions.save(tmp_path, header(), TASK, frames)
    assert np.array_equal(predictions.load(tmp_path, "demo", TASK), frames)
    assert predictions.header(tmp_path, "demo", TASK) == header()


def test_a_file_describes_itself(frames: np.ndarray, tmp_path: Path) -> None:
    """Frame numbers and PNG images are readable without this program."""
    path = predictions.save(tmp_path, header(), TASK, frames)
    rows = pq.read_table(path).to_pylist()
    assert [(row["clip"], row["frame"]) for row in rows] == [
        ("ann/video/1", 10),
        ("ann/video/1", 12),
        ("ann/video/2", 17),
    ]
    assert all(row["image"]["bytes"].startswith(b"\x89PNG") for row in rows)


@pytest.mark.parametrize(
    "change",
    [
        {"system": "other"},
        {"system_config": {"version": 2, "checkpoint_sha256": "c"}},
        {"system_config": {"version": 1, "checkpoint_sha256": "e"}},
        {"task_sha256": "f"},
        {"content_sha256": "e"},
        {"size_px": 32},
        {"seed": 6},
    ],
)
def test_the_key_depends_on_everything_that_goes_in(change: dict) -> None:
    assert inputs(**change).sha256() != inputs().sha256()


def test_a_missing_prediction_is_a_clear_error(tmp_path: Path) -> None:
    assert predictions.header(tmp_path, "demo", TASK) is None
    with pytest.raises(HeadshotError, match="demo has no prediction for ann"):
        predictions.load(tmp_path, "demo", TASK)


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda _: b"", lambda _: b"text"])
def test_a_damaged_prediction_is_rendered_again_and_never_read(damage, frames: np.ndarray, tmp_path: Path) -> None:
    path = predictions.save(tmp_path, header(), TASK, frames)
    path.write_bytes(damage(path.read_bytes()))
    assert predictions.header(tmp_path, "demo", TASK) is None
    with pytest.raises(HeadshotError, match="damaged"):
        predictions.load(tmp_path, "demo", TASK)


def test_frames_of_another_task_are_refused(frames: np.ndarray, tmp_path: Path) -> None:
    predictions.save(tmp_path, header(), TASK, frames)
    other = TASK.model_copy(update={"queries": (Query(clip="ann/video/1", rows=(10, 12, 18), strata=("near",) * 3),)})
    with pytest.raises(HeadshotError, match="other frames"):
        predictions.load(tmp_path, "demo", other)


def test_a_frame_that_was_not_delivered_is_null_in_the_file_and_black_when_read(
    frames: np.ndarray, tmp_path: Path
) -> None:
    partial = header().model_copy(update={"failures": {1: "missing: was not written"}})
    path = predictions.save(tmp_path, partial, TASK, frames)
    assert [row["image"] is None for row in pq.read_table(path).to_pylist()] == [False, True, False]
    assert predictions.header(tmp_path, "demo", TASK) == partial
    found = predictions.load(tmp_path, "demo", TASK)
    assert np.array_equal(found[[0, 2]], frames[[0, 2]])
    assert not found[1].any()
    itself = predictions.read(path)
    assert itself is not None
    assert np.array_equal(itself.frames, found)

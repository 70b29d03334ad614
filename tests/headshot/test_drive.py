"""Driving people of a dataset from the command line."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from headshot.cli import app
from model.presets import Preset
from model.training import train
from pipeline import cutting
from pipeline.iris import Gaze
from pipeline.store import Store
from tests.headshot.conftest import one_step, train_without_downloads
from tests.pipeline.conftest import SMALL, clip_of, disc_frames, discs_for_faces, encode_video, manifest_of, run

OFFSETS_PX = {"ahead": 0, "aside": 6}
"""Of the irises from the middle of the face, by the name of the driver."""


def drive(place: Path, *arguments: object) -> Result:
    folders = ("--data", place / "data", "--run", place / "run", "--out", place / "out.mp4", "--device", "cpu")
    return CliRunner().invoke(app, ["drive", *map(str, (*arguments, *folders))])


def test_the_iterations_of_fine_tuning_can_be_chosen(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train_without_downloads(monkeypatch, place)
    who = ("--support", "dora/video/full", "--driving", "cy/video/full", "--shots", 2)
    assert "2 shots, 7 iterations" in drive(place, *who, "--steps", 7).stdout
    assert "2 shots, 7 iterations" not in drive(place, *who).stdout


def with_gaze(preset: Preset) -> Preset:
    """Return the preset with gaze, and weights that make a difference of landmark maps be seen."""
    schedule = preset.meta_learning.model_copy(update={"generator_rate": 0.1, "warmup_steps": 1})
    return preset.varied(gaze=True).model_copy(update={"meta_learning": schedule})


@pytest.fixture
def looking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dataset with irises, of two drivers who differ in nothing but where they look, and a model trained on it."""
    drawn = disc_frames(24, [(60, 60, 24)])
    films = [encode_video(tmp_path / f"{name}.mp4", drawn) for name in OFFSETS_PX]
    train_without_downloads(monkeypatch, tmp_path)
    for film in films:

        def looks(_: np.ndarray, points: np.ndarray, offset_px: int = OFFSETS_PX[film.stem]) -> Gaze:
            irises = points.mean(axis=0) + np.array([(offset_px - 5, 0), (offset_px + 5, 0)])
            return Gaze(
                irises=irises.astype(np.float32), yaw_deg=0.0, pitch_deg=0.0, openness=np.full(2, 0.3, np.float32)
            )

        monkeypatch.setattr(cutting, "load_iris", lambda looks=looks: looks)
        with discs_for_faces():
            run(manifest_of(clip_of(film)), tmp_path / film.stem, SMALL.model_copy(update={"gaze": True}))
    train(Store.open(tmp_path / "aside"), with_gaze(one_step()), tmp_path / "run" / "checkpoint", device="cpu")
    return tmp_path


def test_a_model_with_gaze_draws_where_the_driver_looks(looking: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[np.ndarray] = []

    def keep(frames: np.ndarray, *_: object, **__: object) -> bytes:
        seen.append(frames)
        return b""

    monkeypatch.setattr("reports.animation.marked_video", keep)
    for name in OFFSETS_PX:
        shutil.move(looking / name, looking / "data")
        who = ("--support", f"{name}/video/full", "--driving", f"{name}/video/full", "--shots", 1)
        assert "24 frames" in drive(looking, *who, "--feed-forward").stdout
        shutil.move(looking / "data", looking / name)
    drivers, generated = zip(*(np.split(frames, [64], axis=2) for frames in seen), strict=True)
    assert np.array_equal(*drivers)
    assert not np.array_equal(*generated)


def test_a_model_with_gaze_refuses_a_dataset_without_irises(looking: Path, finished: Path) -> None:
    shutil.copytree(finished / "data", looking / "data")
    who = ("--support", "dora/video/full", "--driving", "cy/video/full", "--feed-forward")
    ended = drive(looking, *who)
    assert "headshot preprocess --gaze" in str(ended.exception)

"""Living portraits: a real painting, moved by a real person."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from manifests.readers import read_manifest
from manifests.samples import fetch_samples
from pipeline.backends import load_backend
from pipeline.landmarks import interocular
from reports.animation import Request, animate
from reports.drive import GAP_PX
from tests.model.conftest import SIZE_PX, write_tiny
from tests.pipeline.conftest import REPOSITORY


def sample(manifest: str, identity: str) -> Path:
    """Return a sample clip or picture, downloaded where it is not there yet."""
    known = read_manifest(REPOSITORY / "manifests" / manifest)
    clips = tuple(clip for clip in known.clips if clip.identity == identity)
    found = fetch_samples(known.model_copy(update={"clips": clips}), REPOSITORY / "data/raw")[0]
    if found.path is None:
        pytest.skip(f"{found.key} cannot be had: {found.reason}")
    return found.path


def faces_in(video: Path, columns: slice) -> np.ndarray:
    """Return the 68 landmarks of the face in these columns of each frame that shows one, else NaN."""
    backend, capture, found = load_backend(), cv2.VideoCapture(str(video)), []
    while (read := capture.read())[0]:
        picture = np.ascontiguousarray(cv2.resize(read[1][:, columns, ::-1], None, fx=4, fy=4))
        faces = backend.find(picture)[:1]
        points = backend.refine([picture], faces)[0].points if faces else np.full((68, 2), np.nan)
        found.append(np.asarray(points))
    return np.stack(found)


@pytest.mark.slow
def test_a_painting_moves_as_its_driver_does_and_stays_a_face(tmp_path: Path) -> None:
    """An untrained network shows the canvas with little noise, so it is the movement that is tested."""
    out = tmp_path / "living.mp4"
    painting, driving = sample("portraits.toml", "lisa-del-giocondo"), sample("demo.toml", "pyfeat-man")
    request = Request(support=str(painting), driving=str(driving), data=Path("absent"), fine_tune=False, seed=0)
    result = animate(request, write_tiny(tmp_path / "checkpoint"), out)
    assert (result.frames, result.shots) == (60, 1)
    driver, painted = faces_in(out, slice(0, SIZE_PX)), faces_in(out, slice(SIZE_PX + GAP_PX, None))
    both = np.isfinite(driver).all(axis=(1, 2)) & np.isfinite(painted).all(axis=(1, 2))
    assert both.mean() > 0.8
    moved = np.ptp(driver[both].mean(axis=1), axis=0).max()
    follows = np.corrcoef(driver[both].mean(axis=1)[:, 0], painted[both].mean(axis=1)[:, 0])[0, 1]
    assert moved > 2
    assert follows > 0.5
    sizes = interocular(painted[both])
    assert sizes.std() / sizes.mean() < 0.15

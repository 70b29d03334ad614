"""A benchmark whose pictures say by their colour which frame of the task they are, and of whom."""

import cv2
import numpy as np
import pytest

from eval.rendering import predictions
from eval.runs.results import Run
from pipeline.store import ClipEntry
from tests.reports.conftest import SIZE_PX, DrawnStore, drawn_run, drawn_store

SYSTEMS = ("copy-source", "mean-frame", "reference-ft")
FRAMES = 16
TARGET_TURN = 8


def colour(place: int, turn: int) -> np.ndarray:
    """RGB of a frame: a hue for each place, turned by so many places for each pane."""
    hue = round(180 * ((place + turn) % FRAMES) / FRAMES)
    return cv2.cvtColor(np.uint8([[[hue, 255, 220]]]), cv2.COLOR_HSV2RGB)[0, 0]


def place_of(rgb: np.ndarray, turn: int) -> int:
    """Return the place whose colour is nearest."""
    return min(range(FRAMES), key=lambda place: np.abs(colour(place, turn).astype(float) - rgb).sum())


def solid(rgb: np.ndarray) -> np.ndarray:
    """Return a frame of one colour."""
    return np.full((SIZE_PX, SIZE_PX, 3), rgb, np.uint8)


@pytest.fixture(scope="session")
def coded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, DrawnStore]:
    """A finished benchmark with coloured predictions, on a data set with coloured query frames."""
    run = drawn_run(tmp_path_factory.mktemp("coded"), drawn_store())
    places = {(frame.clip, frame.row): place for task in run.tasks.tasks for place, frame in enumerate(task.frames)}

    class CodedStore(DrawnStore):
        def frames(self, clip: ClipEntry, rows: object, size_px: int | None = None) -> np.ndarray:
            drawn = super().frames(clip, rows, size_px)
            for frame, row in zip(drawn, np.asarray(rows), strict=True):
                if (clip.key, int(row)) in places and size_px == SIZE_PX:
                    frame[...] = colour(places[clip.key, int(row)], TARGET_TURN)
            return drawn

        def landmarks(self, clip: ClipEntry, rows: object, size_px: int | None = None) -> np.ndarray:
            """No two frames of a task are alike: each is a little further to the right."""
            points = super().landmarks(clip, rows, size_px)
            steps = [places.get((clip.key, int(row)), 0) for row in np.asarray(rows)]
            return points + np.array(steps)[:, None, None] * [0.6, 0.0] if size_px == SIZE_PX else points

    for task in run.tasks.tasks:
        for turn, system in enumerate(SYSTEMS):
            header = predictions.header(run.folder, system, task)
            assert header is not None
            frames = np.stack([solid(colour(place, turn)) for place in range(FRAMES)])
            predictions.save(run.folder, header, task, frames)
    drawn = drawn_store()
    return run, CodedStore(drawn.files, drawn.info, drawn.sha256, drawn.clips, drawn.rejects)

"""The picture of the best and the worst frames: who is shown is decided by the scores, and it says what it shows."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from eval.rendering import predictions
from eval.runs.results import Run
from model.disclosure.label import BAR_RGB
from model.disclosure.mark import write_picture
from model.disclosure.statement import Marks
from model.disclosure.verification import verify
from model.sample_grid import LABEL_PX, TITLE_PX
from reports.figure import shots_figure
from tests.reports.conftest import PEOPLE, SHOTS, SIZE_PX, DrawnStore
from weights.errors import HeadshotError

SYSTEMS = ("copy-source", "reference-ft")
BEFORE_SYSTEMS = 3
"""Columns: source, driver, target."""


def _cell(picture: np.ndarray, row: int, column: int) -> np.ndarray:
    top, left = TITLE_PX + row * SIZE_PX, column * SIZE_PX
    return picture[top : top + SIZE_PX, left : left + SIZE_PX]


def test_every_person_has_their_best_and_worst_frame_for_each_system_and_number_of_shots(
    run: Run, store: DrawnStore
) -> None:
    picture = shots_figure(run, store, SYSTEMS, "lpips.alex").picture
    columns = BEFORE_SYSTEMS + len(SYSTEMS) * len(SHOTS)
    assert picture.shape == (TITLE_PX + 2 * len(PEOPLE) * SIZE_PX + LABEL_PX, columns * SIZE_PX, 3)


@pytest.mark.parametrize("metric", ["lpips.alex", "ssim"])
def test_best_and_worst_are_those_of_the_scores(run: Run, store: DrawnStore, metric: str) -> None:
    rows = [row for row in run.scores.to_pylist() if row["metric"] == metric and row["system"] == "reference-ft"]
    first = [row for row in rows if row["identity"] == PEOPLE[0]]
    values = {
        frame: np.mean([r["value"] for r in first if r["frame"] == frame]) for frame in {r["frame"] for r in first}
    }
    order = sorted(values, key=lambda frame: values[frame], reverse=metric == "ssim")
    picture = shots_figure(run, store, ["reference-ft"], metric).picture
    clip = store.clips[0]
    for row, frame in ((0, order[0]), (1, order[-1])):
        np.testing.assert_array_equal(_cell(picture, row, 2), store.frames(clip, [frame], SIZE_PX)[0])


def test_it_shows_what_the_systems_delivered(run: Run, store: DrawnStore) -> None:
    picture = shots_figure(run, store, SYSTEMS, "lpips.alex").picture
    task = next(task for task in run.tasks.tasks if task.identity == PEOPLE[0] and task.shots == SHOTS[-1])
    drawn = predictions.load(run.folder, "reference-ft", task)
    shown = _cell(picture, 0, BEFORE_SYSTEMS + 2 * len(SHOTS) - 1)
    assert any(np.array_equal(shown, frame) for frame in drawn)


def test_recorded_frames_alone_carry_no_label(run: Run, store: DrawnStore) -> None:
    both = shots_figure(run, store, SYSTEMS, "lpips.alex").picture
    copies = shots_figure(run, store, ["copy-source"], "lpips.alex").picture
    assert (both[-1, -1] == BAR_RGB).all()
    assert len(both) - len(copies) == LABEL_PX


def test_it_names_source_and_terms_of_each_clip(run: Run, store: DrawnStore) -> None:
    figure = shots_figure(run, store, SYSTEMS, "lpips.alex")
    assert len(figure.credits) == len(PEOPLE)
    assert all("CC BY 4.0" in line and "drawn by" in line for line in figure.credits)


@pytest.mark.parametrize(("name", "off"), [("figure.png", 1), ("figure.jpg", 5)])
def test_the_file_says_that_it_is_synthetic_and_whose_the_frames_are(
    run: Run, store: DrawnStore, tmp_path: Path, name: str, off: float
) -> None:
    figure = shots_figure(run, store, SYSTEMS, "lpips.alex")
    path = tmp_path / name
    write_picture(path, figure.picture, figure.shown, place="drawn")
    assert verify(path).complete
    assert b"drawn by" in path.read_bytes()
    assert Image.open(path).format == {"png": "PNG", "jpg": "JPEG"}[path.suffix[1:]]
    read = cv2.imread(str(path))[..., ::-1].astype(int)
    assert np.abs(read - figure.picture).mean() <= off


def test_a_label_that_was_turned_off_is_not_drawn(run: Run, store: DrawnStore) -> None:
    with_label = shots_figure(run, store, SYSTEMS, "lpips.alex").picture
    without = shots_figure(run, store, SYSTEMS, "lpips.alex", marks=Marks(label=False)).picture
    assert np.array_equal(without, with_label[:-LABEL_PX])


def test_recorded_frames_alone_are_not_called_synthetic(run: Run, store: DrawnStore, tmp_path: Path) -> None:
    figure = shots_figure(run, store, ["copy-source"], "lpips.alex")
    write_picture(tmp_path / "figure.png", figure.picture, figure.shown, place="drawn")
    assert len(verify(tmp_path / "figure.png").missing) == 4
    assert np.array_equal(cv2.imread(str(tmp_path / "figure.png"))[..., ::-1], figure.picture)


def test_a_frame_in_which_a_system_failed_is_the_worst(run: Run, store: DrawnStore) -> None:
    """At one shot the system draws no face into the first two frames of everybody."""
    failed = [row for row in run.scores.to_pylist() if row["status"] == "no_face" and row["identity"] == PEOPLE[0]]
    picture = shots_figure(run, store, ["reference-ft"], "nme.interocular").picture
    shown = _cell(picture, 1, 2)
    targets = [store.frames(store.clips[0], [row["frame"]], SIZE_PX)[0] for row in failed]
    assert len(targets) == 2
    assert any(np.array_equal(shown, target) for target in targets)


@pytest.mark.parametrize(
    ("systems", "metric", "words"),
    [(("nobody",), "ssim", "copy-source"), ((), "ssim", "choose"), (SYSTEMS, "fd.efficientnet-lite0", "lpips.alex")],
)
def test_what_the_run_does_not_have_is_named(
    run: Run, store: DrawnStore, systems: tuple[str, ...], metric: str, words: str
) -> None:
    with pytest.raises(HeadshotError, match=words):
        shots_figure(run, store, systems, metric)


def test_only_those_who_may_be_shown_are_shown(run: Run, store: DrawnStore) -> None:
    figure = shots_figure(run, store, SYSTEMS, "lpips.alex", [PEOPLE[1]])
    assert len(figure.picture) == TITLE_PX + 2 * SIZE_PX + LABEL_PX
    assert [line.split("/")[0] for line in figure.credits] == [PEOPLE[1]]
    with pytest.raises(HeadshotError, match=f"tested in .*{PEOPLE[0]}"):
        shots_figure(run, store, SYSTEMS, "lpips.alex", ["nobody"])

"""What marks do to scores: measured on a run's own frames, kept, and shown with the numbers of `results.json`."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eval.marking import known_effect, marking_effect
from eval.runs.results import MARKING_FILE, Run
from pipeline.store import Store
from reports.build import build_report
from reports.results_file import ResultsFile
from tests.reports.conftest import DrawnStore


@pytest.fixture
def own_run(run: Run, tmp_path: Path) -> Run:
    """The drawn run in a folder that may be written to, with no networks but what needs none."""
    specs = tuple(spec for spec in run.record.specs if not spec.weights)
    folder = tmp_path / "kept"
    folder.mkdir()
    for path in run.folder.iterdir():
        (folder / path.name).symlink_to(path)
    return replace(run, folder=folder, record=run.record.model_copy(update={"specs": specs}))


def test_marks_cost_what_they_change_and_the_label_more_than_the_watermark(own_run: Run, store: DrawnStore) -> None:
    effect = marking_effect(own_run, store, ["reference-ft"])
    values = {value.metric: value for value in effect.values}
    assert set(values) == {"psnr", "ssim"}
    for value in values.values():
        assert value.frames == effect.frames
        assert value.plain > value.watermarked > value.labelled


def test_the_unmarked_frames_have_the_scores_of_the_run_where_all_are_measured(own_run: Run, store: DrawnStore) -> None:
    """The drawn run has 48 frames at the most shots, fewer than are asked for."""
    from eval.metrics.image import psnr
    from eval.rendering import predictions
    from eval.targets import Targets

    effect = marking_effect(own_run, store, ["reference-ft"])
    tasks = [task for task in own_run.tasks.tasks if task.shots == max(own_run.tasks.shots) and task.draw == 0]
    scores = [
        psnr(predictions.load(own_run.folder, "reference-ft", task), Targets.load(store, task, 64).drawn.pixels)
        for task in tasks
    ]
    (measured,) = (value for value in effect.values if value.metric == "psnr")
    assert measured.frames == sum(map(len, scores))
    assert measured.plain == pytest.approx(np.concatenate(scores).mean())


def test_it_is_measured_once_and_again_for_other_scores(own_run: Run, store: DrawnStore) -> None:
    assert known_effect(own_run) is None
    first = marking_effect(own_run, store, ["reference-ft"])
    written = (own_run.folder / MARKING_FILE).stat().st_mtime_ns
    assert marking_effect(own_run, store, ["reference-ft"]) == first == known_effect(own_run)
    assert (own_run.folder / MARKING_FILE).stat().st_mtime_ns == written
    other = replace(own_run, record=own_run.record.model_copy(update={"score_key": "0" * 64}))
    assert known_effect(other) is None


def test_the_page_shows_the_numbers_of_the_file(
    own_run: Run, store: DrawnStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "open", lambda _: store)
    marking_effect(own_run, store, ["reference-ft"])
    page = build_report(own_run.folder, "data", tmp_path / "site")
    said = ResultsFile.model_validate_json((tmp_path / "site/results.json").read_bytes())
    shown = dict(re.findall(r'data-marking="([^"]+)">([^<]+)<', page.read_text()))
    assert len(shown) == 6
    for value in said.marking:
        change = value.watermarked - value.plain
        cell = float(shown[f"watermarked:{value.metric}"].replace("\N{MINUS SIGN}", "-"))
        assert cell == pytest.approx(change, abs=0.006)
        assert float(shown[f"plain:{value.metric}"]) == pytest.approx(value.plain, abs=0.006)

"""Scores in the page: each as it would be printed, or why there is none."""

import base64
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eval.runs.results import Run
from reports.numbers import MINUS, number
from reports.player.scores import LOWEST, TOO_LARGE, UNKNOWN, Digits, ScorePack, pack

SYSTEMS = ("copy-source", "mean-frame", "reference-ft")
DIGITS = (Digits(metric="nme.interocular", places=3), Digits(metric="psnr", places=2))


def of_ada(run: Run) -> list:
    return sorted((task for task in run.tasks.tasks if task.identity == "ada"), key=lambda task: task.shots)


def unpacked(packed: ScorePack, shape: tuple[int, ...]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(packed.values), "<i2").reshape(shape)


def test_every_value_is_the_one_of_the_score_rows_to_the_last_printed_digit(run: Run) -> None:
    tasks = of_ada(run)
    packed = pack(run, tasks, DIGITS, SYSTEMS)
    values = unpacked(packed, (2, 3, 3, 16))
    rows = {
        (row["metric"], row["shots"], row["system"], row["frame"]): row
        for row in run.scores.filter(pc.field("identity") == "ada").to_pylist()
        if row["frame"] >= 0
    }
    for metric, digits in enumerate(DIGITS):
        for shots, task in enumerate(tasks):
            for system, name in enumerate(SYSTEMS):
                for place, frame in enumerate(task.frames):
                    row, value = (
                        rows[digits.metric, task.shots, name, frame.row],
                        int(values[metric, shots, system, place]),
                    )
                    if row["status"] == "ok":
                        printed = f"{value / 10**digits.places:.{digits.places}f}".replace("-", MINUS)
                        assert printed == number(row["value"], digits.places)
                    else:
                        assert packed.reasons[value - LOWEST] == row["status"].replace("_", " ")
    assert "no face" in packed.reasons, "some frames did fail"


def test_what_was_not_scored_and_what_is_too_large_says_so(run: Run) -> None:
    tasks = of_ada(run)
    scores = run.scores.filter(pc.field("system") != "mean-frame")
    huge = pc.if_else(pc.equal(scores["system"], "copy-source"), 1e9, scores["value"])
    scores = scores.set_column(scores.column_names.index("value"), "value", huge)
    packed = pack(replace(run, scores=scores), tasks, DIGITS, SYSTEMS)
    values = unpacked(packed, (2, 3, 3, 16))
    assert {packed.reasons[value - LOWEST] for value in values[1, :, 0].ravel()} == {TOO_LARGE}
    assert {packed.reasons[value - LOWEST] for value in values[1, :, 1].ravel()} == {UNKNOWN}


def test_a_run_without_scores_of_a_clip_has_none_to_show(run: Run) -> None:
    empty = replace(run, scores=run.scores.slice(0, 0))
    values = unpacked(pack(empty, of_ada(run), DIGITS, SYSTEMS), (2, 3, 3, 16))
    assert (values == LOWEST).all()


def test_a_failure_of_the_target_is_told_from_one_of_the_system(run: Run) -> None:
    status = pa.array(["target_no_face"] * run.scores.num_rows)
    scores = run.scores.set_column(run.scores.column_names.index("status"), "status", status)
    assert pack(replace(run, scores=scores), of_ada(run), DIGITS, SYSTEMS).reasons == (UNKNOWN, "target: no face")

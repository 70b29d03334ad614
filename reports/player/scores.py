"""The score of every frame, small enough to lie in the page, and exactly as it would be printed."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int

from eval.metrics.measured import OK
from eval.runs.results import Run
from eval.tasks.task_set import Task

LOWEST = -32_768
"""From here on stands a reason in place of a value: this plus its place in the list of reasons."""
MOST = 32_000
"""Largest number that is a value."""
UNKNOWN = "not scored"
TOO_LARGE = "too large to show"


@dataclass(frozen=True, slots=True, kw_only=True)
class Digits:
    """A metric and with how many decimals its values are printed."""

    metric: str
    places: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorePack:
    """The scores of a clip."""

    values: str
    """Base64 of 16-bit numbers, little-endian, by metric, shots, system and frame: values times ten to the power of
    the decimals they are printed with, rounded."""
    reasons: tuple[str, ...]
    """Why a frame has no value: `LOWEST` stands for the first."""


def pack(run: Run, tasks: Sequence[Task], digits: Sequence[Digits], systems: Sequence[str]) -> ScorePack:
    """Return the scores of the frames of a clip.

    Args:
        run: The benchmark.
        tasks: Of one clip and draw, one for each number of shots; all have the same frames.
        digits: The metrics of single frames, in the order they are wanted in.
        systems: Their names, in the order they are wanted in.
    """
    first = tasks[0]
    rows = run.scores.filter((pc.field("clip") == first.clip) & (pc.field("draw") == first.draw))
    rows = rows.filter(pc.is_in(rows["metric"], pa.array([one.metric for one in digits], pa.string())))
    places = {(frame.clip, frame.row): place for place, frame in enumerate(first.frames)}
    at = (
        _index(rows["metric"], [one.metric for one in digits]),
        _index(rows["shots"], [task.shots for task in tasks]),
        _index(rows["system"], list(systems)),
        np.array(
            [
                places.get(one, -1)
                for one in zip(rows["query_clip"].to_pylist(), rows["frame"].to_pylist(), strict=True)
            ],
            np.int64,
        ),
    )
    asked = np.all([index >= 0 for index in at], axis=0) if len(rows) else np.zeros(0, bool)
    scale = 10.0 ** np.array([one.places for one in digits])
    whole = np.rint(rows["value"].to_numpy() * scale[at[0]]) if len(rows) else np.zeros(0)
    statuses = np.array(rows["status"].to_pylist(), object)
    statuses[(statuses == OK) & ~(np.abs(whole) <= MOST)] = TOO_LARGE
    reasons = [UNKNOWN, *sorted(set(statuses[asked].tolist()) - {OK})]
    codes = np.array([LOWEST + reasons.index(one) if one in reasons else 0 for one in statuses], np.int64)
    values = np.where(statuses == OK, whole, codes).astype(np.int16)
    packed = np.full((len(digits), len(tasks), len(systems), len(first.frames)), LOWEST, "<i2")
    packed[tuple(index[asked] for index in at)] = values[asked]
    return ScorePack(
        values=base64.b64encode(packed.tobytes()).decode("ascii"),
        reasons=tuple(reason.replace("target_", "target: ").replace("_", " ") for reason in reasons),
    )


def _index(column: pa.ChunkedArray, wanted: Sequence[object]) -> Int[np.ndarray, " rows"]:
    """Return the place of each value in a list, -1 where it is not there."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    return np.asarray(pc.fill_null(pc.index_in(column, pa.array(wanted, kind)), -1).to_numpy())

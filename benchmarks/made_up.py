"""Made-up scores: people differ, systems differ less, frames of a person are alike, and some frames failed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from jaxtyping import Int

from eval.runs.results import SCORE_SCHEMA
from eval.specs.spec import MetricSpec
from eval.tasks.motion import STRATA


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who was asked for which frames: every system for the same frames of everybody, at every number of shots."""

    systems: tuple[str, ...]
    shots: tuple[int, ...]
    people: tuple[str, ...]
    clips: tuple[str, ...]
    """One of each person."""
    rows: Int[np.ndarray, "people frames"]
    """In the clip."""
    strata: Int[np.ndarray, "people frames"]
    """Place of each frame's stratum in `STRATA`."""

    @classmethod
    def made_up(cls, systems: int, shots: Sequence[int], people: int, frames: int) -> "Asked":
        """Return so many of each, under names without meaning."""
        names = tuple(f"id{place:05d}" for place in range(people))
        rows = np.tile(np.arange(frames), (people, 1))
        return cls(
            systems=tuple(f"system-{place}" for place in range(systems)),
            shots=tuple(shots),
            people=names,
            clips=tuple(f"{name}/video/clip-1" for name in names),
            rows=rows,
            strata=rows % 3,
        )


def made_up_scores(specs: Sequence[MetricSpec], asked: Asked) -> pa.Table:
    """Return the scores of a run, to the schema of results; values lie within the metric's range."""
    rng = np.random.default_rng(0)
    return pa.concat_tables([_of_metric(spec, asked, rng) for spec in specs]).combine_chunks()


def _of_metric(spec: MetricSpec, asked: Asked, rng: np.random.Generator) -> pa.Table:
    shape = (len(asked.systems), len(asked.shots), *asked.rows.shape)
    systems, people = shape[0], shape[2]
    places = np.indices(shape).reshape(4, -1)
    person = rng.normal(0, 0.05, (1, 1, people, 1)) + rng.normal(0, 0.02, (systems, 1, people, 1))
    gain = 0.02 * np.log2(asked.shots)[:, None, None]
    goodness = 0.5 + 0.01 * np.indices(shape)[0] + gain + person + rng.normal(0, 0.05, shape)
    failed = rng.random(goodness.size) < 0.01
    if spec.level == "frame":
        value = np.where(failed, np.nan, _scaled(goodness.ravel(), spec))
        return _table(spec, asked, places, value, ["ok", "no_face"], failed.astype(np.int64))
    members = _table(spec, asked, places, np.full(goodness.size, np.nan), ["member"], np.zeros(goodness.size, np.int64))
    return pa.concat_tables([members, _over_sets(spec, asked, rng)])


def _scaled(goodness: np.ndarray, spec: MetricSpec) -> np.ndarray:
    """Return a score between the perfect one and the worst, or 1 away from it where there is no worst."""
    worst = spec.perfect + (1 if not spec.higher_is_better else -1) if spec.worst is None else spec.worst
    return np.asarray(worst + np.clip(goodness, 0, 1) * (spec.perfect - worst))


def _over_sets(spec: MetricSpec, asked: Asked, rng: np.random.Generator) -> pa.Table:
    """Return the values over all frames, and over those of all people but one."""
    shape = (len(asked.systems), len(asked.shots), len(asked.people) + 1)  # the last one is the whole
    system, shots, person = np.indices(shape).reshape(3, -1)
    value = (30.0 + np.indices(shape)[0] + rng.normal(0, 0.2, shape)).ravel()
    whole = (person == len(asked.people)).astype(np.int64)
    places = np.stack([system, shots, person, np.full(len(value), -1)])
    return _table(spec, asked, places, value, ["leave-one-out", "ok"], whole)


def _table(
    spec: MetricSpec,
    asked: Asked,
    places: Int[np.ndarray, "4 scores"],
    value: np.ndarray,
    statuses: list[str],
    status: Int[np.ndarray, " scores"],
) -> pa.Table:
    """Return rows of one metric; a frame of -1 is a value over a set, and a person after the last one is nobody."""
    system, shots, person, frame = places
    nowhere = frame < 0
    someone = np.where(nowhere, 0, person)
    clip = np.where(nowhere, len(asked.clips), person)
    columns = {
        "system": _names(asked.systems, system),
        "shots": np.array(asked.shots, np.int32)[shots],
        "draw": np.zeros(len(value), np.int32),
        "identity": _names((*asked.people, ""), person),
        "clip": _names((*asked.clips, ""), clip),
        "query_clip": _names((*asked.clips, ""), clip),
        "frame": np.where(nowhere, -1, asked.rows[someone, frame]).astype(np.int32),
        "stratum": _names((*STRATA, ""), np.where(nowhere, len(STRATA), asked.strata[someone, frame])),
        "metric": _names((spec.id,), np.zeros(len(value), np.int64)),
        "value": value,
        "status": _names(tuple(statuses), status),
    }
    return pa.table(columns).cast(SCORE_SCHEMA)


def _names(names: tuple[str, ...], codes: np.ndarray) -> pa.Array:
    return pa.array(names).take(pa.array(codes))

"""Score rows as arrays: for each metric, what every person got from every system at every number of shots."""

import math
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Float, Int

from eval.specs.spec import MetricSpec
from eval.tasks.motion import Stratum

_NO_FAILURE = ("ok", "unreliable", "refused", "member", "leave-one-out", "measured-only")


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One metric. A cell is a system at a number of shots; cells that were not run are not `present`."""

    spec: MetricSpec
    stratum: Stratum | None
    systems: tuple[str, ...]
    """In the order of the rows."""
    shots: tuple[int, ...]
    """Ascending."""
    identities: tuple[str, ...]
    """Ascending."""
    present: Bool[np.ndarray, "systems shots"]
    value: Float[np.ndarray, "systems shots"]
    """Mean over identities, failed frames at the metric's worst bound; NaN where there is nothing to measure."""
    per_identity: Float[np.ndarray, "systems shots identities"]
    """Identity means; for a set-level metric the values without that identity. NaN: not measured on that identity."""
    measured_only: Float[np.ndarray, "systems shots"]
    """The value over the frames that could be measured."""
    n_identities: Int[np.ndarray, "systems shots"]
    n_frames: Int[np.ndarray, "systems shots"]
    """Frames behind the value, failed ones included."""
    n_failed: Int[np.ndarray, "systems shots"]
    unreliable: Bool[np.ndarray, "systems shots"]
    refused: Bool[np.ndarray, "systems shots"]

    @property
    def over_sets(self) -> bool:
        """Whether the metric is a set's and not a frame's, so that identities have no values of their own."""
        return self.spec.level == "set"

    def cells(self) -> Iterator[tuple[int, int]]:
        """Yield the places of the cells that were run, system by system."""
        for system, shots in np.argwhere(self.present):
            yield int(system), int(shots)


def is_failure(status: str) -> bool:
    """Return whether a row with this status stands for a frame without a score, for whatever reason."""
    return status not in _NO_FAILURE


def alike(
    values: Float[np.ndarray, "cells identities"],
) -> Iterator[tuple[Int[np.ndarray, " some"], Float[np.ndarray, "some known"]]]:
    """Yield groups of cells that are known for the same identities: their places, and their values without gaps."""
    known = ~np.isnan(values)
    patterns, group = np.unique(known, axis=0, return_inverse=True)
    for place, pattern in enumerate(patterns):
        cells = np.flatnonzero(group == place)
        yield cells, values[np.ix_(cells, pattern)]


def panels(scores: pa.Table, specs: Sequence[MetricSpec], stratum: Stratum | None = None) -> tuple[Panel, ...]:
    """Return a panel for each metric that has rows, in the order of `specs`.

    Frames are averaged within a clip (support draws together), clips within an identity, and identities into the
    value, so that neither a long clip nor a person of many clips counts for more than another person.

    Args:
        scores: Rows to `eval.runs.results.SCORE_SCHEMA`.
        specs: The metrics; rows of others are left out.
        stratum: Over its frames alone; people without any are not among the identities.
    """
    rows = _Rows.of(scores, stratum, {spec.id for spec in specs})
    found = ((spec, rows.of_metric(spec.id)) for spec in specs)
    return tuple(_panel(part, spec, stratum) for spec, part in found if len(part.value))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """What the codes of rows stand for."""

    systems: tuple[str, ...]
    shots: tuple[int, ...]
    identities: tuple[str, ...]
    first_clips: Int[np.ndarray, " identities"]
    """The code of each identity's first clip; clips ascend with their identity."""
    clips: int
    metrics: tuple[str, ...]
    statuses: Sequence[str]

    @property
    def grid(self) -> tuple[int, int]:
        return len(self.systems), len(self.shots)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """Score rows with codes in place of names."""

    names: _Names
    cell: Int[np.ndarray, " rows"]
    identity: Int[np.ndarray, " rows"]
    clip: Int[np.ndarray, " rows"]
    metric: Int[np.ndarray, " rows"]
    status: Int[np.ndarray, " rows"]
    frame: Int[np.ndarray, " rows"]
    value: Float[np.ndarray, " rows"]

    @classmethod
    def of(cls, scores: pa.Table, stratum: Stratum | None, ids: Set[str]) -> "_Rows":
        """Encode the rows of these metrics over the frames of a stratum, or all, each with the values over that set."""
        frame = scores["frame"].to_numpy()
        (systems, system), (metrics, metric), (statuses, status), (strata, code), (people, person), (clips, clip) = (
            _encoded(scores[name]) for name in ("system", "metric", "status", "stratum", "identity", "clip")
        )
        all_shots, shots = _encoded(scores["shots"])
        wanted = np.array([(name or "") == (stratum or "") for name in strata], dtype=bool)[code]
        chosen = wanted if stratum else wanted | (frame >= 0)
        chosen &= np.array([name in ids for name in metrics], dtype=bool)[metric]
        kept = slice(None) if chosen.all() else np.flatnonzero(chosen)
        by_name, in_order, rank = _ascending(people)
        by_shots, _, shots_rank = _ascending(all_shots)
        used = np.zeros((len(people), len(clips)), dtype=bool)  # which clips are whose
        used[person, clip] = True
        used = used[in_order]
        clip_codes = (np.cumsum(used).reshape(used.shape) - 1).astype(np.int32)
        identity = rank[person[kept]]
        return cls(
            names=_Names(
                systems=tuple(systems),
                shots=tuple(by_shots),
                identities=tuple(by_name),
                first_clips=np.cumsum(used.sum(axis=1)) - used.sum(axis=1),
                clips=int(used.sum()),
                metrics=tuple(metrics),
                statuses=statuses,
            ),
            cell=system[kept] * np.int32(len(all_shots)) + shots_rank[shots[kept]],
            identity=identity,
            clip=clip_codes[identity, clip[kept]],
            metric=metric[kept],
            status=status[kept],
            frame=frame[kept],
            value=scores["value"].to_numpy()[kept],
        )

    def take(self, rows: Int[np.ndarray, " some"] | Bool[np.ndarray, " rows"]) -> "_Rows":
        columns = {name: getattr(self, name)[rows] for name in self.__slots__ if name != "names"}
        return _Rows(names=self.names, **columns)

    def of_metric(self, metric: str) -> "_Rows":
        code = self.names.metrics.index(metric) if metric in self.names.metrics else -1
        return self.take(np.flatnonzero(self.metric == code))

    def with_status(self, *statuses: str) -> "_Rows":
        return self.take(self._holds(lambda status: status in statuses))

    @property
    def failed(self) -> Bool[np.ndarray, " rows"]:
        """Rows of frames that failed by the system's fault."""
        return self._holds(lambda status: is_failure(status) and not status.startswith("target_"))

    def _holds(self, condition: Callable[[str], bool]) -> Bool[np.ndarray, " rows"]:
        return np.asarray(np.array([condition(status) for status in self.names.statuses], dtype=bool)[self.status])

    def count(self, rows: Bool[np.ndarray, " rows"] | None = None) -> Int[np.ndarray, "systems shots"]:
        """Return how many rows each cell has, of those chosen."""
        cell = self.cell if rows is None else self.cell[rows]
        return np.bincount(cell, minlength=math.prod(self.names.grid)).reshape(self.names.grid)

    def mean(self) -> Float[np.ndarray, "systems shots"]:
        """Return the mean of each cell's rows, NaN where it has none."""
        total = np.bincount(self.cell, weights=self.value, minlength=math.prod(self.names.grid))
        return _ratio(total.reshape(self.names.grid), self.count())

    def identity_means(self, values: Float[np.ndarray, " rows"]) -> Float[np.ndarray, "systems shots identities"]:
        """Average frames within clips and clips within identities, NaN left out."""
        shape = (math.prod(self.names.grid), self.names.clips)
        known = ~np.isnan(values)
        place = self.cell[known].astype(np.int64) * self.names.clips + self.clip[known]
        total = np.bincount(place, weights=values[known], minlength=math.prod(shape)).reshape(shape)
        frames = np.bincount(place, minlength=math.prod(shape)).reshape(shape)
        means = np.divide(total, frames, out=np.zeros(shape), where=frames > 0)
        clip_total = np.add.reduceat(means, self.names.first_clips, axis=1)
        clips = np.add.reduceat(frames > 0, self.names.first_clips, axis=1, dtype=np.int64)
        return _ratio(clip_total, clips).reshape(*self.names.grid, len(self.names.identities))


def _panel(rows: _Rows, spec: MetricSpec, stratum: Stratum | None) -> Panel:
    frames = rows.take(rows.frame >= 0)
    failed = frames.failed
    if spec.level == "frame":
        per_identity = rows.identity_means(_headline(rows, spec))
        value = _mean_known(per_identity)
        measured_only = _mean_known(rows.identity_means(rows.value))
        n_identities = np.sum(~np.isnan(per_identity), axis=-1)
        counted = frames.count(failed | ~np.isnan(frames.value))
    else:
        without = rows.with_status("leave-one-out")
        per_identity = without.identity_means(without.value)
        value = rows.take(rows.frame == -1).with_status("ok", "unreliable", "refused").mean()
        measured = rows.with_status("measured-only")
        measured_only = np.where(measured.count() > 0, measured.mean(), value)
        member_of = np.zeros((math.prod(rows.names.grid), len(rows.names.identities)), dtype=bool)
        member_of[frames.cell, frames.identity] = True
        n_identities = member_of.sum(axis=1).reshape(rows.names.grid)
        counted = frames.count()
    return Panel(
        spec=spec,
        stratum=stratum,
        systems=rows.names.systems,
        shots=rows.names.shots,
        identities=rows.names.identities,
        present=rows.count() > 0,
        value=value,
        per_identity=per_identity,
        measured_only=measured_only,
        n_identities=n_identities,
        n_frames=counted,
        n_failed=frames.count(failed),
        unreliable=rows.with_status("unreliable").count() > 0,
        refused=rows.with_status("refused").count() > 0,
    )


def _headline(rows: _Rows, spec: MetricSpec) -> Float[np.ndarray, " rows"]:
    """Return the values with failures, and what is beyond it, at the worst bound; NaN for bad targets."""
    if spec.worst is None:
        raise ValueError(f"{spec.id} is a frame-level metric without a worst bound")
    bounded = np.maximum(rows.value, spec.worst) if spec.higher_is_better else np.minimum(rows.value, spec.worst)
    return np.asarray(np.where(rows.failed, spec.worst, bounded))


def _mean_known(values: Float[np.ndarray, "systems shots identities"]) -> Float[np.ndarray, "systems shots"]:
    known = ~np.isnan(values)
    return _ratio(np.sum(values, axis=-1, where=known), known.sum(axis=-1))


def _ratio(
    total: Float[np.ndarray, "*shape"] | Int[np.ndarray, "*shape"], count: Int[np.ndarray, "*shape"]
) -> Float[np.ndarray, "*shape"]:
    """Return total / count, NaN where there is nothing."""
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))


def _encoded(column: pa.ChunkedArray) -> tuple[list[Any], Int[np.ndarray, " rows"]]:
    """Return the different values of a column, in order of appearance, and the place of each row's among them."""
    if pa.types.is_dictionary(column.type) and not column.null_count:
        return _compact(column.combine_chunks())
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy()


def _compact(encoded: pa.DictionaryArray) -> tuple[list[Any], Int[np.ndarray, " rows"]]:
    """Return the same of a column that is encoded: its dictionary may have values that do not occur, in any order."""
    values, codes = encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
    first = np.full(len(values), len(codes))
    first[codes[::-1]] = np.arange(len(codes))[::-1]  # the last one written is the first to appear
    order = np.argsort(first)
    order = order[first[order] < len(codes)]
    if np.array_equal(order, np.arange(len(values))):
        return values, codes
    place = np.zeros(len(values), np.int32)
    place[order] = np.arange(len(order))
    return [values[one] for one in order], place[codes]


def _ascending(values: list[Any]) -> tuple[list[Any], Int[np.ndarray, " values"], Int[np.ndarray, " values"]]:
    """Return the values in ascending order, the place where each of those was, and where each value is now."""
    order = np.argsort(np.array(values, dtype=object))
    return [values[place] for place in order], order, np.argsort(order).astype(np.int32)

"""From score rows to numbers with intervals: people are the unit, failures count, comparisons are paired."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Float, Int

from eval.intervals import jackknife_interval, t_interval
from eval.motion import Stratum
from eval.specs.spec import MetricSpec

Flag = Literal["", "unreliable", "refused"]
Verdict = Literal["better", "worse", "not separated"]
_NO_FAILURE = ("ok", "unreliable", "refused", "member", "leave-one-out", "measured-only")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One number of the main table: a system, a number of shots, a metric."""

    system: str
    shots: int
    metric: str
    value: float
    """Mean over identities, failed frames counted at the metric's worst bound; NaN where there is nothing to
    measure."""
    low: float
    high: float
    """95% interval over identities; NaN below two identities."""
    n_identities: int
    n_frames: int
    """Frames behind the value, failed ones included."""
    n_failed: int
    value_measured_only: float
    """The same over the frames that could be measured."""
    flag: Flag = ""
    stratum: Stratum | None = None
    """Of the frames behind the value; None where it is all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A paired comparison: system minus baseline over the same identities."""

    system: str
    shots: int
    baseline: str
    baseline_shots: int
    metric: str
    value: float
    low: float
    high: float
    n_identities: int
    verdict: Verdict
    """`better` or `worse` only where the interval leaves out zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """What is known of one cell: a value for each identity, and how to spread it."""

    value: float
    identities: tuple[str, ...]
    per_identity: Float[np.ndarray, " identities"]
    """Identity means; for a set-level metric the values without that identity."""
    jackknife: bool


def summarise(scores: pa.Table, specs: Sequence[MetricSpec], stratum: Stratum | None = None) -> tuple[Cell, ...]:
    """Return one cell for each system, number of shots and metric, in the order of the rows and of `specs`.

    Frames are averaged within a clip (support draws together), clips within an identity, and identities into
    the value. The interval is Student's t over the identity means. For a set-level metric it is the
    delete-one-identity jackknife.

    Args:
        scores: Rows to `eval.results.SCORE_SCHEMA`.
        specs: The metrics to summarise; rows of others are left out.
        stratum: Over its frames alone; people without any are not among the identities.
    """
    return tuple(
        replace(_cell(system, shots, spec, rows, sample), stratum=stratum)
        for system, shots, spec, rows, sample in _samples(_over(scores, stratum), specs)
    )


def differences(
    scores: pa.Table,
    specs: Sequence[MetricSpec],
    system: str,
    baseline: str,
    *,
    baseline_shots: int | None = None,
    stratum: Stratum | None = None,
) -> tuple[Difference, ...]:
    """Return system minus baseline for each number of shots and metric, paired by identity.

    Args:
        scores: Rows to `eval.results.SCORE_SCHEMA`.
        specs: The metrics to compare.
        system: Name of the one.
        baseline: Name of the other; may be the same system when `baseline_shots` is given.
        baseline_shots: Compare with the baseline at this number of shots instead of the same one.
        stratum: Over its frames alone.

    Returns:
        The differences in the order of `summarise`; a pair of which one side is missing is left out.
    """
    known = {(name, shots, spec.id): sample for name, shots, spec, _, sample in _samples(_over(scores, stratum), specs)}
    by_id = {spec.id: spec for spec in specs}
    found = []
    for (name, shots, metric), sample in known.items():
        other_shots = shots if baseline_shots is None else baseline_shots
        other = known.get((baseline, other_shots, metric))
        if name == system and other is not None and (name, shots) != (baseline, other_shots):
            value, low, high, pairs = _paired(sample, other)
            found.append(
                Difference(
                    system=system,
                    shots=shots,
                    baseline=baseline,
                    baseline_shots=other_shots,
                    metric=metric,
                    value=value,
                    low=low,
                    high=high,
                    n_identities=pairs,
                    verdict=_verdict(low, high, by_id[metric].higher_is_better),
                )
            )
    return tuple(found)


def is_failure(status: str) -> bool:
    """Return whether a row with this status stands for a frame without a score, for whatever reason."""
    return status not in _NO_FAILURE


def _over(scores: pa.Table, stratum: Stratum | None) -> pa.Table:
    """Return the rows of frames in a stratum, or of all frames, each with the values over that very set."""
    if stratum is not None:
        return scores.filter(pc.field("stratum") == stratum)
    return scores.filter((pc.field("frame") >= 0) | (pc.field("stratum") == ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """The rows of one cell, as arrays."""

    identity: np.ndarray
    clip: np.ndarray
    frame: Int[np.ndarray, " rows"]
    value: Float[np.ndarray, " rows"]
    status: np.ndarray

    def take(self, keep: Bool[np.ndarray, " rows"]) -> "_Rows":
        return _Rows(**{name: getattr(self, name)[keep] for name in self.__slots__})


def _samples(scores: pa.Table, specs: Sequence[MetricSpec]) -> Iterator[tuple[str, int, MetricSpec, _Rows, _Sample]]:
    """Yield the rows and the sample of each cell; systems in order of first appearance, shots ascending."""
    system = pc.dictionary_encode(scores["system"]).combine_chunks()
    metric = pc.dictionary_encode(scores["metric"]).combine_chunks()
    names, metrics = system.dictionary.to_pylist(), metric.dictionary.to_pylist()
    system_code, metric_code = system.indices.to_numpy(), metric.indices.to_numpy()
    shots = scores["shots"].to_numpy()
    columns = {
        name: scores[name].to_numpy(zero_copy_only=False) for name in ("identity", "clip", "frame", "value", "status")
    }
    rows = _Rows(**columns)
    for code, name in enumerate(names):
        of_system = system_code == code
        for count in np.unique(shots[of_system]):
            of_cell = of_system & (shots == count)
            for spec in specs:
                if spec.id in metrics:
                    part = rows.take(of_cell & (metric_code == metrics.index(spec.id)))
                    if len(part.value):
                        yield name, int(count), spec, part, _sample(part, spec)


def _sample(rows: _Rows, spec: MetricSpec) -> _Sample:
    if spec.level == "frame":
        identities, means = _identity_means(rows, _headline(rows, spec))
        value = float(np.mean(means)) if len(means) else float("nan")
        return _Sample(value=value, identities=identities, per_identity=means, jackknife=False)
    without = rows.take(rows.status == "leave-one-out")
    identities, values = _mean_by(without.identity, without.value)
    whole = np.isin(rows.status, ("ok", "unreliable", "refused")) & (rows.frame == -1)
    return _Sample(
        value=float(np.mean(rows.value[whole])) if whole.any() else float("nan"),
        identities=identities,
        per_identity=values,
        jackknife=True,
    )


def _headline(rows: _Rows, spec: MetricSpec) -> Float[np.ndarray, " rows"]:
    """Return the values with failures, and what is beyond it, at the worst bound; NaN for bad targets."""
    if spec.worst is None:
        raise ValueError(f"{spec.id} is a frame-level metric without a worst bound")
    bounded = np.maximum(rows.value, spec.worst) if spec.higher_is_better else np.minimum(rows.value, spec.worst)
    return np.asarray(np.where(_failed(rows), spec.worst, bounded))


def _failed(rows: _Rows) -> Bool[np.ndarray, " rows"]:
    statuses, codes = np.unique(rows.status.astype(str), return_inverse=True)
    counted = [is_failure(status) and not status.startswith("target_") for status in statuses]
    return np.asarray(np.array(counted, dtype=bool)[codes])


def _identity_means(
    rows: _Rows, values: Float[np.ndarray, " rows"]
) -> tuple[tuple[str, ...], Float[np.ndarray, " identities"]]:
    """Average frames within clips and clips within identities, NaN left out."""
    known = ~np.isnan(values)
    clips, clip_means = _mean_by(rows.clip[known], values[known])
    owner = dict(zip(rows.clip, rows.identity, strict=True))
    return _mean_by(np.array([owner[clip] for clip in clips], dtype=object), clip_means)


def _mean_by(
    keys: np.ndarray, values: Float[np.ndarray, " rows"]
) -> tuple[tuple[str, ...], Float[np.ndarray, " groups"]]:
    names, codes = np.unique(keys.astype(str), return_inverse=True)
    return tuple(names.tolist()), np.bincount(codes, weights=values, minlength=len(names)) / np.bincount(
        codes, minlength=len(names)
    )


def _cell(system: str, shots: int, spec: MetricSpec, rows: _Rows, sample: _Sample) -> Cell:
    frames = rows.take(rows.frame >= 0)
    failed = _failed(frames)
    if spec.level == "frame":
        low, high = t_interval(sample.per_identity)
        means = _identity_means(rows, rows.value)[1]
        measured_only = float(np.mean(means)) if len(means) else float("nan")
        counted = int(np.sum(failed | ~np.isnan(frames.value)))
        n_identities = len(sample.identities)
        flag: Flag = ""
    else:
        low, high = jackknife_interval(sample.value, sample.per_identity)
        measured = rows.value[rows.status == "measured-only"]
        measured_only = float(np.mean(measured)) if len(measured) else sample.value
        counted = len(frames.value)
        n_identities = len(np.unique(frames.identity.astype(str)))
        flag = "refused" if "refused" in rows.status else "unreliable" if "unreliable" in rows.status else ""
    return Cell(
        system=system,
        shots=shots,
        metric=spec.id,
        value=sample.value,
        low=low,
        high=high,
        n_identities=n_identities,
        n_frames=counted,
        n_failed=int(np.sum(failed)),
        value_measured_only=measured_only,
        flag=flag,
    )


def _paired(one: _Sample, other: _Sample) -> tuple[float, float, float, int]:
    """Return difference, interval and number of identities that both have."""
    shared = sorted(set(one.identities) & set(other.identities))
    picked = [
        sample.per_identity[[sample.identities.index(identity) for identity in shared]] for sample in (one, other)
    ]
    gaps = picked[0] - picked[1]
    if one.jackknife:
        value = one.value - other.value
        return value, *jackknife_interval(value, gaps), len(shared)
    value = float(np.mean(gaps)) if shared else float("nan")
    return value, *t_interval(gaps), len(shared)


def _verdict(low: float, high: float, higher_is_better: bool) -> Verdict:
    if not (low > 0 or high < 0):
        return "not separated"
    return "better" if (low > 0) == higher_is_better else "worse"

"""Made-up benchmarks of any size, with what a person and a system are worth known beforehand."""

from dataclasses import replace

import numpy as np
import pyarrow as pa

from eval.runs.results import SCORE_SCHEMA, CostRecord, Run, SystemRecord
from eval.specs.profiles import SPECS
from eval.specs.spec import MetricSpec
from reports.table import Column, columns

BY_ID = {spec.id: spec for spec in SPECS["embedded"]}
NAMES = (
    "copy-source",
    "nearest-frame",
    "warp-nearest",
    "x2face-compact",
    "reference-ff",
    "reference-ft",
    "own-a",
    "own-b",
)


def made_up(
    run: Run,
    *,
    systems: tuple[str, ...] = NAMES,
    shots: tuple[int, ...] = (8,),
    people: int = 12,
    step: float = 0.03,
    costs: bool = True,
) -> Run:
    """Return a run in which every system is better by a step than the one before it, in all metrics.

    Args:
        run: Lends its record and its tasks.
        systems: From the worst to the best.
        shots: More are better, too.
        people: How many; the later ones are easier.
        step: Between two systems, beside noise with a standard deviation of 0.02.
        costs: Whether time was taken; of the last system it never is.
    """
    rng = np.random.default_rng(0)
    frames = [spec for spec in run.record.specs if spec.level == "frame"]
    tables = [
        _scores(spec, systems, shots, rng.normal(0, 0.02, (len(systems), len(shots), people)), step) for spec in frames
    ]
    record = run.record.model_copy(
        update={
            "systems": tuple(SystemRecord(name=name, title=name, config={}) for name in systems),
            "failures": (),
            "cost": tuple(
                CostRecord(
                    system=name,
                    shots=count,
                    tasks=people,
                    adaptation_s=10.0 ** (place - 3),
                    frames_per_s=10.0 ** (4 - place % 4),
                    iterations=None,
                )
                for place, name in enumerate(systems[:-1] if costs else ())
                for count in shots
            ),
        }
    )
    tasks = run.tasks.model_copy(update={"shots": shots})
    return replace(run, record=record, scores=pa.concat_tables(tables), tasks=tasks)


def _scores(
    spec: MetricSpec, systems: tuple[str, ...], shots: tuple[int, ...], noise: np.ndarray, step: float
) -> pa.Table:
    count = noise.shape[2]
    good = noise + 0.3 + step * np.arange(len(systems))[:, None, None] + 0.01 * np.arange(len(shots))[:, None]
    good = good + np.linspace(-0.1, 0.1, count) if count > 1 else good
    values = good if spec.higher_is_better else 1 - good
    names = np.array([f"person-{place:02d}" for place in range(count)])
    place = np.indices(noise.shape).reshape(3, -1)
    people = names[place[2]]
    columns = {
        "system": np.array(systems)[place[0]],
        "shots": np.array(shots)[place[1]],
        "draw": np.zeros(noise.size, int),
        "identity": people,
        "clip": people,
        "query_clip": people,
        "frame": np.zeros(noise.size, int),
        "stratum": np.full(noise.size, ""),
        "metric": np.full(noise.size, spec.id),
        "value": values.ravel(),
        "status": np.full(noise.size, "ok"),
    }
    return pa.table({field.name: pa.array(columns[field.name], field.type) for field in SCORE_SCHEMA})


def column(spec: MetricSpec) -> Column:
    """Return the heading of a metric with three decimals."""
    return columns([spec], [])[0]

"""Who is ahead at each number of shots in each metric, of whom, and whether the data can tell them apart."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from eval.motion import Stratum
from eval.specs.spec import MetricSpec
from eval.statistics import Cell, Difference, differences


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """The best and the second-best value of one metric at one number of shots."""

    shots: int
    metric: str
    leader: str
    runner_up: str
    difference: Difference
    """Leader minus runner-up, paired by identity."""

    @property
    def separated(self) -> bool:
        """Whether the interval of the paired difference leaves out zero."""
        return self.difference.verdict == "better"

    @property
    def tied(self) -> bool:
        """Whether both have exactly the same value, as baselines do that show the same picture."""
        return self.difference.value == 0


class Comparisons:
    """Paired differences of one run, each pair of systems computed once; of one stratum where it is given."""

    def __init__(self, scores: pa.Table, specs: Sequence[MetricSpec], stratum: Stratum | None = None) -> None:
        self._scores, self._stratum = scores, stratum
        self._specs = tuple(specs)
        self._known: dict[tuple[str, str, int | None], dict[tuple[int, str], Difference]] = {}

    def difference(
        self, system: str, baseline: str, shots: int, metric: str, *, baseline_shots: int | None = None
    ) -> Difference | None:
        """Return system minus baseline, or None where one of them has no such score."""
        pair = (system, baseline, baseline_shots)
        if pair not in self._known:
            found = differences(
                self._scores,
                self._specs,
                system,
                baseline,
                baseline_shots=baseline_shots,
                stratum=self._stratum,
            )
            self._known[pair] = {(one.shots, one.metric): one for one in found}
        return self._known[pair].get((shots, metric))


def best(
    cells: Sequence[Cell], spec: MetricSpec, shots: int, among: Callable[[str], bool] = lambda _: True
) -> list[Cell]:
    """Return the measurable cells of a metric at a number of shots, the best first.

    Args:
        cells: All cells of the run.
        spec: The metric.
        shots: The number of shots.
        among: Which systems take part, by name.
    """
    taking_part = [
        cell
        for cell in cells
        if cell.metric == spec.id and cell.shots == shots and among(cell.system) and math.isfinite(cell.value)
    ]
    return sorted(taking_part, key=lambda cell: -cell.value if spec.higher_is_better else cell.value)


def leads(cells: Sequence[Cell], specs: Sequence[MetricSpec], comparisons: Comparisons) -> tuple[Lead, ...]:
    """Return the lead of each metric at each number of shots; none where fewer than two systems have a value."""
    found = []
    for shots in sorted({cell.shots for cell in cells}):
        for spec in specs:
            ranked = best(cells, spec, shots)
            if len(ranked) < 2:
                continue
            leader, runner_up = ranked[0].system, ranked[1].system
            difference = comparisons.difference(leader, runner_up, shots, spec.id)
            if difference is not None:
                found.append(
                    Lead(shots=shots, metric=spec.id, leader=leader, runner_up=runner_up, difference=difference)
                )
    return tuple(found)

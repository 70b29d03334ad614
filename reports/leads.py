"""Who is ahead at each number of shots in each metric, of whom, and whether the data can tell them apart."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from eval.specs.spec import MetricSpec
from eval.statistics.cells import Cell
from eval.statistics.difference import Difference
from eval.statistics.summary import statistics
from eval.tasks.motion import Stratum


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """The best and the second-best value of one metric at one number of shots."""

    shots: int
    metric: str
    leader: str
    runner_up: str
    difference: Difference
    """Leader minus runner-up, paired by identity."""
    rivals: tuple[Difference, ...] = ()
    """Leader minus each further system that it is not separated from."""

    @property
    def separated(self) -> bool:
        """Whether the test, corrected for all comparisons of the metric, and the interval tell them apart."""
        return self.difference.verdict == "better"

    @property
    def tied(self) -> bool:
        """Whether both have exactly the same value, as baselines do that show the same picture."""
        return self.difference.value == 0


class Comparisons:
    """Everything that the scores of one run say, and its paired differences by name; of one stratum where given."""

    def __init__(self, scores: pa.Table, specs: Sequence[MetricSpec], stratum: Stratum | None = None) -> None:
        self.statistics = statistics(scores, specs, stratum)
        self._pairs = {(one.system, one.baseline, one.shots, one.metric): one for one in self.statistics.pairs}
        self._gains = {(one.system, one.shots, one.metric): one for one in self.statistics.gains}

    def difference(self, system: str, baseline: str, shots: int, metric: str) -> Difference | None:
        """Return system minus baseline, or None where one of them has no such score."""
        known = self._pairs.get((system, baseline, shots, metric))
        turned = self._pairs.get((baseline, system, shots, metric))
        return known or (turned.turned() if turned else None)

    def gain(self, system: str, shots: int, metric: str) -> Difference | None:
        """Return a system at a number of shots minus itself at the smallest, or None where it was not run there."""
        return self._gains.get((system, shots, metric))


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
            further = (comparisons.difference(leader, cell.system, shots, spec.id) for cell in ranked[2:])
            if difference is not None:
                found.append(
                    Lead(
                        shots=shots,
                        metric=spec.id,
                        leader=leader,
                        runner_up=runner_up,
                        difference=difference,
                        rivals=tuple(one for one in further if one and one.verdict == "not separated"),
                    )
                )
    return tuple(found)

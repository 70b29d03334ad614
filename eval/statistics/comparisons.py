"""Paired comparisons of the cells of a panel: over the same people, tested, and corrected as one family."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pyarrow as pa
from jaxtyping import Float, Int

from eval.specs.spec import MetricSpec
from eval.statistics.difference import Difference, Test, Verdict
from eval.statistics.effects import detectable, hodges_lehmann, rank_biserial, superiority
from eval.statistics.intervals import jackknife_error, jackknife_interval, mean_interval
from eval.statistics.panel import Panel, alike, panels
from eval.statistics.permutation import LEVEL, MOST_ENUMERATED, holm, jackknife_p, sign_flip_p, smallest_p
from eval.tasks.motion import Stratum

CellPlace = tuple[int, int]
"""A system's and a number of shots' place in a panel."""


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
        scores: Rows to `eval.runs.results.SCORE_SCHEMA`.
        specs: The metrics to compare.
        system: Name of the one.
        baseline: Name of the other; may be the same system when `baseline_shots` is given.
        baseline_shots: Compare with the baseline at this number of shots instead of the same one.
        stratum: Over its frames alone.

    Returns:
        The differences in the order of `summarise`; a pair of which one side is missing is left out. The family that
        p is corrected for is the numbers of shots of a metric. Who picks the pair by its scores has compared all pairs:
        `every_pair` corrects for those.
    """
    found = [_one_pair(panel, system, baseline, baseline_shots) for panel in panels(scores, specs, stratum)]
    in_order = sorted({one.shots for of_metric in found for one in of_metric})
    return tuple(one for shots in in_order for of_metric in found for one in of_metric if one.shots == shots)


def every_pair(found: Sequence[Panel]) -> tuple[Difference, ...]:
    """Return all systems against each other at each number of shots, the earlier one minus the later one.

    Args:
        found: The panels of a run; p is corrected within each, over all pairs and numbers of shots.
    """
    return tuple(
        one
        for panel in found
        for one in compare(
            panel,
            [
                ((system, shots), (other, shots))
                for shots in range(len(panel.shots))
                for system, other in combinations(range(len(panel.systems)), 2)
            ],
        )
    )


def every_gain(found: Sequence[Panel]) -> tuple[Difference, ...]:
    """Return each system at each number of shots minus itself at its smallest; the family is all of a metric's."""
    return tuple(
        one
        for panel in found
        for one in compare(
            panel,
            [
                ((system, shots), (system, 0))
                for system in range(len(panel.systems))
                for shots in range(1, len(panel.shots))
            ],
        )
    )


def compare(panel: Panel, pairs: Sequence[tuple[CellPlace, CellPlace]]) -> tuple[Difference, ...]:
    """Return one cell minus the other for each pair, corrected as one family.

    Args:
        panel: The metric.
        pairs: Places of the one and of the other; those of cells that were not run are left out.
    """
    run = [(one, other) for one, other in pairs if panel.present[one] and panel.present[other]]
    if not run:
        return ()
    places = np.array(run)  # (pairs, 2, 2)
    ones, others = tuple(places[:, 0].T), tuple(places[:, 1].T)
    columns = _Columns.blank(len(run))
    gaps = panel.per_identity[ones] - panel.per_identity[others]
    for some, known in alike(gaps):
        if panel.over_sets:
            columns.fill_over_sets(some, panel.value[ones][some] - panel.value[others][some], known)
        else:
            columns.fill_over_frames(some, known, family=len(run))
    return tuple(columns.differences(panel, run))


def _one_pair(panel: Panel, system: str, baseline: str, baseline_shots: int | None) -> tuple[Difference, ...]:
    if {system, baseline} - set(panel.systems) or baseline_shots not in (None, *panel.shots):
        return ()
    one, other = panel.systems.index(system), panel.systems.index(baseline)
    fixed = None if baseline_shots is None else panel.shots.index(baseline_shots)
    pairs = [((one, shots), (other, shots if fixed is None else fixed)) for shots in range(len(panel.shots))]
    return compare(panel, [(left, right) for left, right in pairs if left != right])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """The numbers of many comparisons, one place each."""

    value: Float[np.ndarray, " pairs"]
    low: Float[np.ndarray, " pairs"]
    high: Float[np.ndarray, " pairs"]
    n_identities: Int[np.ndarray, " pairs"]
    p: Float[np.ndarray, " pairs"]
    spread: Float[np.ndarray, " pairs"]
    """Standard deviation of the differences."""
    typical: Float[np.ndarray, " pairs"]
    above: Float[np.ndarray, " pairs"]
    """Share of identities with a difference above zero."""
    ranks: Float[np.ndarray, " pairs"]

    @classmethod
    def blank(cls, pairs: int) -> "_Columns":
        unknown = {name: np.full(pairs, np.nan) for name in cls.__slots__ if name != "n_identities"}
        return cls(**unknown, n_identities=np.zeros(pairs, np.int64))

    def fill_over_frames(
        self, some: Int[np.ndarray, " some"], gaps: Float[np.ndarray, "some known"], *, family: int
    ) -> None:
        """Fill in comparisons of identity means."""
        self.n_identities[some] = gaps.shape[1]
        if gaps.shape[1]:
            self.value[some] = gaps.mean(axis=1)
            self.low[some], self.high[some] = mean_interval(gaps)
            self.p[some] = sign_flip_p(gaps, family=family)
            self.typical[some], self.above[some] = hodges_lehmann(gaps), superiority(gaps)
            self.ranks[some] = rank_biserial(gaps)
        if gaps.shape[1] > 1:
            self.spread[some] = gaps.std(axis=1, ddof=1)

    def fill_over_sets(
        self,
        some: Int[np.ndarray, " some"],
        value: Float[np.ndarray, " some"],
        without_one: Float[np.ndarray, "some known"],
    ) -> None:
        """Fill in comparisons of values over sets."""
        people = without_one.shape[1]
        self.n_identities[some], self.value[some] = people, value
        self.low[some], self.high[some] = jackknife_interval(value, without_one)
        self.p[some] = jackknife_p(value, without_one)
        if people > 1:
            self.spread[some] = jackknife_error(without_one) * np.sqrt(people)

    def differences(self, panel: Panel, pairs: Sequence[tuple[CellPlace, CellPlace]]) -> list[Difference]:
        """Return the comparisons, corrected as one family."""
        corrected, family = holm(self.p), int(np.sum(~np.isnan(self.p)))
        findable = np.full(len(pairs), np.nan)
        for people in np.unique(self.n_identities):
            some = self.n_identities == people
            findable[some] = detectable(self.spread[some], int(people), level=LEVEL / max(family, 1))
        sign = 1 if panel.spec.higher_is_better else -1
        better = self.above if panel.spec.higher_is_better else 1 - self.above
        return [
            Difference(
                system=panel.systems[one[0]],
                shots=panel.shots[one[1]],
                baseline=panel.systems[other[0]],
                baseline_shots=panel.shots[other[1]],
                metric=panel.spec.id,
                value=float(self.value[place]),
                low=float(self.low[place]),
                high=float(self.high[place]),
                n_identities=int(self.n_identities[place]),
                test=_test(int(self.n_identities[place]), panel),
                p=float(self.p[place]),
                p_holm=float(corrected[place]),
                family=family,
                smallest_p=min(1.0, family * smallest_p(int(self.n_identities[place]))),
                typical=float(self.typical[place]),
                superiority=float(better[place]),
                rank_biserial=float(sign * self.ranks[place]),
                detectable=float(findable[place]),
                verdict=_verdict(
                    sign * float(self.low[place]), sign * float(self.high[place]), float(corrected[place])
                ),
            )
            for place, (one, other) in enumerate(pairs)
        ]


def _test(people: int, panel: Panel) -> Test:
    if people < 2:
        return "none"
    if panel.over_sets:
        return "jackknife t"
    return "sign-flip, all" if people <= MOST_ENUMERATED else "sign-flip, drawn"


def _verdict(one_end: float, other_end: float, p_holm: float) -> Verdict:
    """Return the verdict from the ends of the interval, turned so that more is better."""
    if not (p_holm <= LEVEL and (min(one_end, other_end) > 0 or max(one_end, other_end) < 0)):
        return "not separated"
    return "better" if one_end > 0 else "worse"

"""Paired comparisons: differences over the same people, with interval, test, effect and what could have been found."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np
import pyarrow as pa
from jaxtyping import Float, Int

from eval.effects import detectable, hodges_lehmann, rank_biserial, superiority
from eval.intervals import jackknife_error, jackknife_interval, mean_interval
from eval.motion import Stratum
from eval.panel import Panel, alike, panels
from eval.permutation import LEVEL, MOST_ENUMERATED, holm, jackknife_p, sign_flip_p, smallest_p
from eval.specs.spec import MetricSpec

Verdict = Literal["better", "worse", "not separated"]
Test = Literal["sign-flip, all", "sign-flip, drawn", "jackknife t", "none"]


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
    """95% interval over identities of this difference alone; NaN below two identities."""
    n_identities: int
    test: Test
    """`sign-flip, all`: every pattern of signs was counted; `sign-flip, drawn`: some were drawn; `none` below two."""
    p: float
    """Of this comparison alone, two-sided; NaN where there is no test."""
    p_holm: float
    """Corrected for the family: every comparison of this metric that was asked for, over all systems and shots."""
    family: int
    """How many those are."""
    smallest_p: float
    """The least `p_holm` that so many identities can give in such a family, for the largest difference there is."""
    typical: float
    """Hodges-Lehmann estimate; NaN for a set-level metric, in which a person has no value."""
    superiority: float
    """Share of identities for whom the system is better, draws counting half; 0.5 is a draw. NaN likewise."""
    rank_biserial: float
    """From -1 to 1, above zero where the system is better; NaN likewise."""
    detectable: float
    """The true difference that would be found in four studies of five with these identities in this family; infinite
    where none would be."""
    verdict: Verdict
    """`better` or `worse` only where `p_holm` is at most 0.05 and the interval leaves out zero."""

    def turned(self) -> "Difference":
        """Return baseline minus system."""
        opposite: dict[Verdict, Verdict] = {"better": "worse", "worse": "better", "not separated": "not separated"}
        return replace(
            self,
            system=self.baseline,
            shots=self.baseline_shots,
            baseline=self.system,
            baseline_shots=self.shots,
            value=-self.value,
            low=-self.high,
            high=-self.low,
            typical=-self.typical,
            superiority=1 - self.superiority,
            rank_biserial=-self.rank_biserial,
            verdict=opposite[self.verdict],
        )


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
        scores: Rows to `eval.results.SCORE_SCHEMA`.
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


def limits(found: Sequence[Difference]) -> str:
    """Return what so few identities cannot show however the systems differ, as a sentence; empty where they can."""
    barred = [one for one in found if one.test != "none" and one.smallest_p > LEVEL]
    lone = [one for one in found if one.test == "none"]
    if not barred:
        return "There are fewer than two people to compare on, so there is no test." if lone else ""
    worst = max(barred, key=lambda one: one.smallest_p)
    people, alone = worst.n_identities, smallest_p(worst.n_identities)
    text = f"With {people} people the smallest p of a two-sided sign-flip test is {alone:.2g}"
    if alone > LEVEL:
        return f"{text}: no test can separate systems here, however they differ."
    return (
        f"{text}, and {worst.smallest_p:.2g} after the correction for {worst.family} comparisons: "
        "none of them can be separated here, however the systems differ."
    )


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

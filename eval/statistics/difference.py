"""The result of one paired comparison: interval, test, effect, verdict, and what could have been found at all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from eval.statistics.permutation import LEVEL, smallest_p

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


def limits(found: Sequence[Difference]) -> str:
    """Return what so few identities cannot show however the systems differ, as a sentence; empty where they can."""
    tested = [one for one in found if one.test != "none"]
    barred = [one for one in tested if one.smallest_p > LEVEL]
    if found and not tested:
        return "There are fewer than two people to compare on, so there is no test."
    if not barred:
        return ""
    if len(barred) < len(tested):
        return (
            f"{len(barred)} of {len(tested)} comparisons have too few people to be separated, however systems differ."
        )
    most = max(barred, key=lambda one: one.n_identities)
    people, alone = most.n_identities, smallest_p(most.n_identities)
    text = f"With {people} people the smallest p of a two-sided sign-flip test is {alone:.2g}"
    if alone > LEVEL:
        return f"{text}: no test can separate systems here, however they differ."
    return (
        f"{text}, and {most.smallest_p:.2g} after the correction for {most.family} comparisons: "
        "none of them can be separated here, however the systems differ."
    )

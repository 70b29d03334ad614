"""How many raters a study needs to notice a difference from guessing."""

import math
from dataclasses import dataclass

from scipy.special import ndtr, ndtri, stdtrit

from eval.specs.user import CHANCE

MOST_RATERS = 100_000
POWER, LEVEL = 0.8, 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What a study looks like to one number in its table: a system at a number of shots."""

    people: int
    """Shown, not asked."""
    trials_per_rater: float
    """Of this system at this number of shots on each rater's form."""
    rater_icc: float = 0.05
    """Share of the variance of answers that is between raters."""
    person_icc: float = 0.05
    """Share that is between people shown."""

    def effect(self, raters: int) -> float:
        """Return the design effect: how many trials are worth one independent trial.

        Source: Kish 1965, section 5.4, for two crossed kinds of clusters.
        """
        trials = raters * self.trials_per_rater
        of_rater = max(self.trials_per_rater, 1.0)
        of_person = max(trials / self.people, 1.0)
        return 1 + (of_rater - 1) * self.rater_icc + (of_person - 1) * self.person_icc


def independent_trials(accuracy: float, *, two_sided: bool = False, power: float = POWER, level: float = LEVEL) -> int:
    """Return how many independent trials tell an accuracy from 1/3.

    Args:
        accuracy: True share of correct answers, other than 1/3.
        two_sided: Whether an accuracy below 1/3 is to be noticed, too.
        power: Share of studies that are to notice it.
        level: Of the test.

    Source: Fleiss, Levin and Paik 2003, section 2.5: the normal approximation to the test of one proportion.
    """
    critical = float(ndtri(1 - level / (2 if two_sided else 1)))
    spread = critical * _deviation(CHANCE) + float(ndtri(power)) * _deviation(accuracy)
    return math.ceil((spread / (accuracy - CHANCE)) ** 2)


def power_of(design: Design, raters: int, accuracy: float, *, two_sided: bool = False, level: float = LEVEL) -> float:
    """Return the share of studies that notice an accuracy, by the test of `eval.study.accuracy`.

    Args:
        design: Of the study.
        raters: Whose answers count.
        accuracy: True share of correct answers.
        two_sided: Whether an accuracy below 1/3 is to be noticed, too.
        level: Of the test; divided by the number of conditions it is that of Holm's first step.
    """
    freedom = min(raters, design.people) - 1
    if freedom < 1:
        return 0.0
    critical = float(stdtrit(freedom, 1 - level / (2 if two_sided else 1)))
    root = math.sqrt(design.effect(raters) / (raters * design.trials_per_rater))
    reach = abs(accuracy - CHANCE) - critical * _deviation(CHANCE) * root
    return float(ndtr(reach / (_deviation(accuracy) * root)))


def raters_needed(
    design: Design, accuracy: float, *, two_sided: bool = False, power: float = POWER, level: float = LEVEL
) -> int | None:
    """Return the fewest raters, or None where no number of them helps because too few people are shown."""
    if power_of(design, MOST_RATERS, accuracy, two_sided=two_sided, level=level) < power:
        return None
    low, high = 1, MOST_RATERS
    while low < high:
        middle = (low + high) // 2
        enough = power_of(design, middle, accuracy, two_sided=two_sided, level=level) >= power
        low, high = (low, middle) if enough else (middle + 1, high)
    return low


def _deviation(share: float) -> float:
    return math.sqrt(share * (1 - share))

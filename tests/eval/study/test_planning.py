"""How many raters: the published figures, directions, and simulated studies of the planned size."""

import numpy as np
import pytest

from eval.study.accuracy import accuracy
from eval.study.planning import Design, independent_trials, power_of, raters_needed

FEW_EFFECTS = Design(people=50, trials_per_rater=3)


def test_telling_two_fifths_from_a_third_takes_some_320_or_400_independent_trials() -> None:
    assert independent_trials(0.40) == 318
    assert independent_trials(0.40, two_sided=True) == 402


def test_a_smaller_difference_more_power_and_dependent_answers_take_more() -> None:
    assert independent_trials(0.36) > 3 * independent_trials(0.40) > 3 * independent_trials(0.45)
    assert independent_trials(0.40, power=0.9) > independent_trials(0.40)
    independent = Design(people=50, trials_per_rater=3, rater_icc=0, person_icc=0)
    assert raters_needed(FEW_EFFECTS, 0.45) > raters_needed(independent, 0.45) > 318 / 3 * (0.067 / 0.117) ** 2 - 1
    assert raters_needed(FEW_EFFECTS, 0.45, two_sided=True) > raters_needed(FEW_EFFECTS, 0.45)
    assert raters_needed(FEW_EFFECTS, 0.45, level=0.05 / 12) > raters_needed(FEW_EFFECTS, 0.45)


def test_the_fewest_raters_are_enough_and_one_fewer_is_not() -> None:
    raters = raters_needed(FEW_EFFECTS, 0.45)
    assert power_of(FEW_EFFECTS, raters, 0.45) >= 0.8 > power_of(FEW_EFFECTS, raters - 1, 0.45)


def test_where_few_people_are_shown_no_number_of_raters_helps() -> None:
    assert raters_needed(Design(people=5, trials_per_rater=3), 0.38) is None
    assert raters_needed(Design(people=500, trials_per_rater=3), 0.38) is not None


def test_one_rater_or_one_person_shows_nothing() -> None:
    assert power_of(Design(people=1, trials_per_rater=3), 100, 0.9) == 0
    assert power_of(FEW_EFFECTS, 1, 0.9) == 0


@pytest.mark.slow
@pytest.mark.parametrize(("icc", "planted"), [(0.0, 0.45), (0.04, 0.5)])
def test_simulated_studies_of_the_planned_size_notice_the_difference_in_four_of_five(
    icc: float, planted: float
) -> None:
    people, each = 40, 4
    design = Design(people=people, trials_per_rater=each, rater_icc=icc, person_icc=icc)
    raters = raters_needed(design, planted)
    shift = np.sqrt(icc * planted * (1 - planted))
    rng = np.random.default_rng(7)
    noticed = []
    for _ in range(800):
        rater = np.repeat(np.arange(raters), each)
        person = np.arange(raters * each) % people
        share = planted + shift * (rng.choice([-1, 1], raters)[rater] + rng.choice([-1, 1], people)[person])
        noticed.append(accuracy(rng.random(len(rater)) < share, rater, person).p <= 0.05)
    assert np.mean(noticed) == pytest.approx(0.8, abs=0.06)

"""The share of correct answers: known intervals, clusters that widen it, and planted values that it recovers."""

from collections.abc import Iterator

import numpy as np
import pytest
from scipy.stats import binomtest

from eval.study.accuracy import Accuracy, accuracy, design_effect, wilson
from eval.study.blocks import blocks


@pytest.mark.parametrize(("correct", "trials"), [(0, 5), (5, 5), (1, 3), (38, 96), (250, 400)])
def test_the_interval_of_independent_trials_is_scipys(correct: int, trials: int) -> None:
    low, high = binomtest(correct, trials).proportion_ci(method="wilson")
    assert wilson(correct / trials, trials) == pytest.approx((low, high), abs=1e-12)


def test_the_interval_of_a_textbook_example() -> None:
    """81 of 263 (Newcombe 1998, table I)."""
    assert wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def answers(raters: int, people: int) -> tuple[np.ndarray, np.ndarray]:
    return np.repeat(np.arange(raters), people), np.tile(np.arange(people), raters)


def test_raters_who_always_answer_alike_are_worth_one_trial_each() -> None:
    rater, person = answers(40, 10)
    assert design_effect(rater % 2 == 0, rater, person) == pytest.approx(10, rel=0.1)


def test_people_about_whom_everybody_agrees_are_worth_one_trial_each() -> None:
    rater, person = answers(10, 40)
    assert design_effect(person % 2 == 0, rater, person) == pytest.approx(10, rel=0.1)


def test_names_and_order_of_raters_and_people_do_not_matter() -> None:
    rng = np.random.default_rng(1)
    rater, person = answers(12, 9)
    correct = rng.random(len(rater)) < 0.5
    order = rng.permutation(len(rater))
    one = accuracy(correct, rater, person)
    other = accuracy(correct[order], rater[order], person[order])
    assert (one.value, one.low, one.high, one.p) == pytest.approx((other.value, other.low, other.high, other.p))


def test_where_everybody_is_right_the_interval_still_has_a_width() -> None:
    rater, person = answers(8, 5)
    found = accuracy(np.ones(40, dtype=bool), rater, person)
    assert (found.value, found.high) == pytest.approx((1, 1))
    assert 0.5 < found.low < found.wilson_low < 1


def test_one_rater_or_one_person_has_no_interval_and_no_test() -> None:
    for rater, person in (answers(1, 9), answers(9, 1)):
        found = accuracy(np.arange(9) < 5, rater, person)
        assert np.isnan([found.low, found.high, found.p]).all()
        assert found.wilson_low < found.value < found.wilson_high


def test_guessing_is_not_significant_and_knowing_is() -> None:
    rater, person = answers(20, 15)
    assert accuracy(rater % 3 == person % 3, rater, person).p > 0.2
    assert accuracy((rater + person) % 4 > 0, rater, person).p < 1e-6
    assert accuracy((rater + person) % 4 == 0, rater, person).p > 0.9


def studies(
    count: int, *, raters: int, people: int, planted: float, rater_sd: float, person_sd: float, seed: int
) -> Iterator[Accuracy]:
    """Score one condition of simulated studies with a known mean accuracy and effects of raters and of people.

    An effect is one of two equally likely shifts, so that the mean accuracy is exactly the planted one.
    """
    rng = np.random.default_rng(seed)
    design = blocks(["a", "b"], [1, 8, 32], [f"p{n}" for n in range(people)], forms=raters, trials=2 * people, rng=rng)
    cells = [
        (rater, int(cell.identity[1:]))
        for rater, block in enumerate(design)
        for cell in block
        if (cell.system, cell.shots) == ("a", 8)
    ]
    rater, person = np.array(cells).T
    for _ in range(count):
        of_rater, of_person = rng.choice([-1, 1], raters), rng.choice([-1, 1], people)
        share = planted + rater_sd * of_rater[rater] + person_sd * of_person[person]
        yield accuracy(rng.random(len(cells)) < share, rater, person)


@pytest.mark.slow
@pytest.mark.parametrize(("raters", "people"), [(24, 7), (24, 20), (60, 50)], ids=str)
@pytest.mark.parametrize(
    ("rater_sd", "person_sd"), [(0, 0), (0.15, 0), (0, 0.15), (0.1, 0.1)], ids=["none", "raters", "people", "both"]
)
@pytest.mark.parametrize("planted", [1 / 3, 0.5, 0.7])
def test_simulated_raters_of_a_planted_accuracy_are_within_the_interval_in_95_of_100_studies(
    raters: int, people: int, rater_sd: float, person_sd: float, planted: float
) -> None:
    """Of 600 studies, 95% less three standard errors of that share."""
    found = list(
        studies(600, raters=raters, people=people, planted=planted, rater_sd=rater_sd, person_sd=person_sd, seed=people)
    )
    covered = np.mean([one.low <= planted <= one.high for one in found])
    assert np.mean([one.value for one in found]) == pytest.approx(planted, abs=0.02), "the simulation is what it says"
    assert covered >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 600)


@pytest.mark.slow
def test_an_interval_over_independent_trials_would_miss_the_planted_accuracy() -> None:
    """That is what the clusters are for."""
    found = list(studies(600, raters=60, people=50, planted=0.5, rater_sd=0.1, person_sd=0.1, seed=5))
    assert np.mean([one.wilson_low <= 0.5 <= one.wilson_high for one in found]) < 0.9


@pytest.mark.slow
@pytest.mark.parametrize("person_sd", [0, 0.15])
def test_raters_who_guess_are_called_found_out_in_at_most_5_of_100_studies(person_sd: float) -> None:
    found = studies(1000, raters=24, people=20, planted=1 / 3, rater_sd=0, person_sd=person_sd, seed=9)
    assert np.mean([one.p <= 0.05 for one in found]) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1000)

"""What the statistics promise, held against many made-up studies whose truth is known."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from eval.metrics.frechet import frechet_distance
from eval.runs.results import SCORE_SCHEMA
from eval.specs.image import PSNR
from eval.statistics.cells import summarise
from eval.statistics.comparisons import differences
from eval.statistics.effects import detectable
from eval.statistics.intervals import bca_interval, t_interval
from eval.statistics.permutation import holm, jackknife_p, sign_flip_p
from eval.statistics.ranks import resampled_places

pytestmark = pytest.mark.slow
STUDIES, FRAMES, TRUTH = 2_000, 8, 20.0


def studies(people: int, icc: float, *, systems: int, rng: np.random.Generator) -> pa.Table:
    """Return the scores of as many studies as STUDIES, one at each "number of shots", of systems that are all alike.

    A score is 20 dB plus what is the person's, plus what is the person's with this system, plus what is the frame's.

    Args:
        people: How many are in each study.
        icc: Intra-class correlation: the share of the variance within a system that is between people.
        systems: How many there are.
        rng: Draws the scores.
    """
    shape = (systems, STUDIES, people, FRAMES)
    shared = rng.normal(0, np.sqrt(icc / 2), (1, *shape[1:3], 1))
    own = rng.normal(0, np.sqrt(icc / 2), (*shape[:3], 1))
    value = TRUTH + shared + own + rng.normal(0, np.sqrt(1 - icc), shape)
    system, study, person, frame = (place.ravel() for place in np.indices(shape))
    people_names = pa.array([f"p{place}" for place in range(people)])
    columns = {
        "system": pa.array(["a", "b"]).take(system),
        "shots": study.astype(np.int32),
        "draw": np.zeros(len(frame), np.int32),
        "identity": people_names.take(person),
        "clip": people_names.take(person),
        "query_clip": people_names.take(person),
        "frame": frame.astype(np.int32),
        "stratum": pa.repeat("near", len(frame)),
        "metric": pa.repeat(PSNR.id, len(frame)),
        "value": value.ravel(),
        "status": pa.repeat("ok", len(frame)),
    }
    return pa.table(columns, schema=SCORE_SCHEMA)


@pytest.mark.parametrize("people", [20, 50])
@pytest.mark.parametrize("icc", [0.2, 0.5, 0.8])
def test_intervals_cover_the_truth_as_often_as_they_say_from_score_rows_on(people: int, icc: float) -> None:
    """Standard error of the share with 2,000 studies: 0.5%."""
    cells = summarise(studies(people, icc, systems=1, rng=np.random.default_rng(0)), [PSNR])
    covered = np.mean([cell.low <= TRUTH <= cell.high for cell in cells])
    assert len(cells) == STUDIES
    assert 0.93 < covered < 0.97, covered


@pytest.mark.parametrize("people", [20, 50])
@pytest.mark.parametrize("icc", [0.2, 0.5, 0.8])
def test_two_systems_that_are_alike_are_told_apart_as_rarely_as_promised(people: int, icc: float) -> None:
    found = differences(studies(people, icc, systems=2, rng=np.random.default_rng(1)), [PSNR], "a", "b")
    alarms = np.mean([one.p <= 0.05 for one in found])
    covered = np.mean([one.low <= 0 <= one.high for one in found])
    assert len(found) == STUDIES
    assert 0.04 < alarms < 0.06, alarms
    assert 0.93 < covered < 0.97, covered


def skewed(rng: np.random.Generator, people: int) -> np.ndarray:
    """Scores as NME has them: a long tail to one side."""
    return rng.lognormal(0, 0.75, (10_000, people))


SKEWED_MEAN = float(np.exp(0.75**2 / 2))


def covered(interval: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], values: np.ndarray, truth: float) -> float:
    low, high = interval(values)
    return float(np.mean((low <= truth) & (truth <= high)))


@pytest.mark.parametrize("people", [20, 50])
def test_intervals_of_skewed_scores_cover_nearly_what_they_say_and_more_than_without_their_corrections(
    people: int,
) -> None:
    values = skewed(np.random.default_rng(2), people)
    corrected = covered(bca_interval, values, SKEWED_MEAN)
    assert corrected > covered(lambda rows: bca_interval(rows, expand=False), values, SKEWED_MEAN) + 0.005
    assert corrected > covered(t_interval, values, SKEWED_MEAN)
    assert corrected > 0.915


def test_a_family_of_systems_that_are_alike_has_a_false_call_in_at_most_one_study_of_twenty() -> None:
    """Ten pairs of five systems, whose scores share the person."""
    rng, alarms, uncorrected, families = np.random.default_rng(3), 0, 0, 1_000
    for _ in range(families):
        scores = rng.normal(0, 1, (5, 15))
        one, other = np.triu_indices(5, k=1)
        p = sign_flip_p(scores[one] - scores[other])
        alarms += holm(p).min() <= 0.05
        uncorrected += p.min() <= 0.05
    assert alarms / families < 0.06
    assert uncorrected / families > 0.2, "the correction is needed"


@pytest.mark.parametrize("people", [10, 20, 50])
def test_a_difference_of_the_detectable_size_is_found_in_four_studies_of_five(people: int) -> None:
    rng = np.random.default_rng(4)
    size = float(detectable(np.ones(1), people)[0])
    p = sign_flip_p(rng.normal(size, 1, (2_000, people)))
    assert 0.77 < np.mean(p <= 0.05) < 0.83


def frechet_values(features: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the distance over all people, and without each."""

    def distance(kept: np.ndarray) -> float:
        return frechet_distance(np.concatenate(features[kept]), np.concatenate(target[kept]))

    people = np.arange(len(features))
    return distance(people), np.array([distance(people != one) for one in people])


@pytest.mark.parametrize("people", [20, 50])
def test_frechet_distances_of_systems_that_are_alike_are_told_apart_about_as_rarely_as_promised(people: int) -> None:
    """Six features; a person's frames share half of their variance."""
    rng, alarms, runs = np.random.default_rng(5), 0, 500
    for _ in range(runs):
        target, *made = rng.normal(0, 1, (3, people, 1, 6)) + rng.normal(0, 1, (3, people, 8, 6))
        made = [target + 0.7 * one + 0.3 for one in made]
        (one, one_without), (other, other_without) = (frechet_values(features, target) for features in made)
        alarms += jackknife_p(np.array([one - other]), (one_without - other_without)[None])[0] <= 0.05
    assert alarms / runs < 0.07


@pytest.mark.parametrize("people", [20, 50])
def test_intervals_of_places_hold_the_true_place(people: int) -> None:
    """Five systems a fifth of a standard deviation apart: hard to order."""
    rng, hits, runs = np.random.default_rng(6), 0.0, 500
    for _ in range(runs):
        scores = rng.normal(0, 1, (5, people)) - 0.2 * np.arange(5)[:, None]
        mean = scores.mean(axis=1)
        low, high, _ = resampled_places(mean, scores - mean[:, None])
        truth = np.arange(1, 6)
        hits += np.mean((low <= truth) & (truth <= high)) / runs
    assert hits > 0.93

"""Many comparisons at once: families, directions, gaps in the data, and what few people cannot show."""

import numpy as np
import pyarrow as pa
import pytest

from eval.runs.results import SCORE_SCHEMA
from eval.specs.image import PSNR, SSIM
from eval.specs.profiles import SPECS
from eval.statistics.comparisons import differences, every_gain, every_pair
from eval.statistics.difference import Difference, limits
from eval.statistics.effects import detectable
from eval.statistics.panel import panels
from eval.statistics.permutation import holm

LPIPS = next(spec for spec in SPECS["embedded"] if spec.id == "lpips.alex")


def scores_of(values: dict[tuple[str, int], np.ndarray], metric: str = "ssim") -> pa.Table:
    """Return one frame for each person; NaN stands for a target that cannot be measured.

    Args:
        values: One for each person, by system and shots.
        metric: Its id.
    """
    rows = [
        {
            "system": system,
            "shots": shots,
            "draw": 0,
            "identity": f"p{person:02d}",
            "clip": f"p{person:02d}/v/c",
            "query_clip": f"p{person:02d}/v/c",
            "frame": 0,
            "stratum": "",
            "metric": metric,
            "value": value,
            "status": "target_no_face" if np.isnan(value) else "ok",
        }
        for (system, shots), of_people in values.items()
        for person, value in enumerate(of_people)
    ]
    return pa.Table.from_pylist(rows, schema=SCORE_SCHEMA)


def drawn(*systems: str, shots: tuple[int, ...] = (1, 8), people: int = 14) -> dict[tuple[str, int], np.ndarray]:
    rng = np.random.default_rng(0)
    return {(name, count): rng.uniform(0.3, 0.8, people) for name in systems for count in shots}


def pairs_of(scores: pa.Table, *specs) -> dict[tuple[str, str, int], Difference]:
    return {(one.system, one.baseline, one.shots): one for one in every_pair(panels(scores, specs or [SSIM]))}


def test_a_family_is_all_pairs_at_all_numbers_of_shots_of_a_metric() -> None:
    found = list(pairs_of(scores_of(drawn("a", "b", "c"))).values())
    assert {one.family for one in found} == {len(found)} == {6}
    assert [one.p_holm for one in found] == pytest.approx(holm(np.array([one.p for one in found])))


def test_another_metric_is_another_family() -> None:
    values = drawn("a", "b", "c")
    both = pa.concat_tables([scores_of(values), scores_of(values, PSNR.id)])
    found = every_pair(panels(both, [SSIM, PSNR]))
    assert {one.family for one in found} == {6}
    assert [one.p_holm for one in found[:6]] == [one.p_holm for one in found[6:]]


def test_the_correction_takes_back_what_one_of_many_would_claim() -> None:
    """Eight people who agree: p = 1/128 alone, and one of ten pairs with the others."""
    values = {(f"s{place}", 1): np.linspace(0.3, 0.6, 8) + (0.01 if place else 0.0) for place in range(5)}
    alone = differences(scores_of(values), [SSIM], "s1", "s0")[0]
    among = pairs_of(scores_of(values))["s0", "s1", 1]
    assert (alone.p, alone.verdict) == (2**-7, "better")
    assert (among.p, among.p_holm, among.verdict) == (2**-7, pytest.approx(10 / 128), "not separated")


def test_a_pair_turned_around_says_the_same() -> None:
    scores = scores_of(drawn("a", "b", shots=(8,)))
    one, other = (differences(scores, [SSIM], *names)[0] for names in (("a", "b"), ("b", "a")))
    turned = one.turned()
    for name in Difference.__slots__:
        left, right = getattr(turned, name), getattr(other, name)
        assert left == (right if isinstance(right, str) else pytest.approx(right, abs=0.02)), name
    assert turned.turned() == one


def test_effects_point_to_the_better_system_whatever_the_direction_of_the_metric() -> None:
    values = {("a", 1): np.linspace(0.5, 0.6, 12), ("b", 1): np.linspace(0.2, 0.4, 12)}
    (high,) = differences(scores_of(values), [SSIM], "a", "b")
    (low,) = differences(scores_of(values, LPIPS.id), [LPIPS], "a", "b")
    assert (high.superiority, high.rank_biserial, high.verdict) == (1, 1, "better")
    assert (low.superiority, low.rank_biserial, low.verdict) == (0, -1, "worse")
    assert high.typical == low.typical == pytest.approx(0.25)


def test_people_that_only_one_system_has_are_left_out_of_its_pairs_alone() -> None:
    values = drawn("a", "b", "c", shots=(8,), people=15)
    values["c", 8][3:8] = np.nan
    found = pairs_of(scores_of(values))
    assert [one.n_identities for one in found.values()] == [15, 10, 10]
    without = {key: np.delete(of, range(3, 8)) for key, of in values.items()}
    assert found["a", "c", 8].p == pytest.approx(pairs_of(scores_of(without))["a", "c", 8].p)


def test_a_system_that_was_not_run_at_all_shots_is_compared_where_it_was() -> None:
    values = drawn("a", "b")
    del values["b", 1]
    assert list(pairs_of(scores_of(values))) == [("a", "b", 8)]


def test_a_gain_is_more_shots_against_the_fewest() -> None:
    found = every_gain(panels(scores_of(drawn("a", "b", shots=(1, 8, 32))), [SSIM]))
    assert [(one.system, one.baseline, one.shots, one.baseline_shots) for one in found] == [
        (name, name, shots, 1) for name in "ab" for shots in (8, 32)
    ]
    assert {one.family for one in found} == {4}


def test_what_can_be_found_is_printed_for_the_level_that_the_family_leaves() -> None:
    values = drawn("a", "b", "c", people=30)
    found = pairs_of(scores_of(values))["a", "b", 8]
    spread = np.std(values["a", 8] - values["b", 8], ddof=1)
    assert found.detectable == pytest.approx(detectable(np.array([spread]), 30, level=0.05 / 6)[0])


@pytest.mark.parametrize(
    ("people", "systems", "said"),
    [
        (1, "ab", "There are fewer than two people to compare on, so there is no test."),
        (3, "ab", "With 3 people the smallest p of a two-sided sign-flip test is 0.25: no test can separate"),
        (7, "abcd", "is 0.016, and 0.19 after the correction for 12 comparisons: none of them can be separated"),
        (14, "abcd", ""),
    ],
)
def test_few_people_are_told_what_they_cannot_show(people: int, systems: str, said: str) -> None:
    found = list(pairs_of(scores_of(drawn(*systems, people=people))).values())
    assert said in limits(found)
    assert bool(said) == bool(limits(found))
    if said:
        assert {one.verdict for one in found} == {"not separated"}
        assert not np.isfinite([one.detectable for one in found]).any()


def test_the_test_is_named() -> None:
    scores = [scores_of(drawn("a", "b", shots=(8,), people=people)) for people in (1, 20, 21)]
    assert [pairs_of(one)["a", "b", 8].test for one in scores] == ["none", "sign-flip, all", "sign-flip, drawn"]

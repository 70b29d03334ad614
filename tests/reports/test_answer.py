"""The generated paragraph says what the statistics say, and no more."""

import pyarrow as pa

from eval.runs.results import SCORE_SCHEMA
from eval.specs.profiles import SPECS
from eval.statistics.cells import summarise
from reports.answer import Evidence, answer, headline
from reports.leads import Comparisons, leads
from reports.legend import legend

SPECS_USED = SPECS["embedded"][1:4:2]
"""SSIM and LPIPS."""


def evidence(means: dict[str, dict[int, tuple[float, float]]], people: int = 12, spread: float = 0.001) -> Evidence:
    """Return the evidence of a run with the given SSIM and LPIPS of each system at each number of shots.

    Args:
        means: (ssim, lpips) by system and shots.
        people: How many people were tested.
        spread: By how much systems differ, up and down in turn, in what they make of a person.
    """
    rows = [
        {
            "system": system,
            "shots": shots,
            "draw": 0,
            "identity": f"p{person}",
            "clip": f"p{person}/v/c",
            "frame": 0,
            "metric": spec.id,
            "value": value + 0.02 * person / people + spread * ((person + place + 2 * (shots == 1)) % 3 - 1),
            "status": "ok",
        }
        for place, (system, of_shots) in enumerate(means.items())
        for shots, values in of_shots.items()
        for spec, value in zip(SPECS_USED, values, strict=True)
        for person in range(people)
    ]
    scores = pa.Table.from_pylist(rows, schema=SCORE_SCHEMA)
    cells, comparisons = summarise(scores, SPECS_USED), Comparisons(scores, SPECS_USED)
    return Evidence(
        cells=cells,
        specs=SPECS_USED,
        leading=leads(cells, SPECS_USED, comparisons),
        comparisons=comparisons,
        keys=legend([(system, system) for system in means]),
        people=people,
        clips=people,
    )


MODEL_WINS = {"nearest-frame": {1: (0.5, 0.3), 32: (0.5, 0.3)}, "reference-ft": {1: (0.6, 0.2), 32: (0.8, 0.1)}}
COPY_WINS = {"nearest-frame": {1: (0.6, 0.2), 32: (0.8, 0.1)}, "reference-ft": {1: (0.5, 0.3), 32: (0.5, 0.3)}}


def test_a_model_that_wins_everything_is_named_with_its_gain() -> None:
    text = " ".join(answer(evidence(MODEL_WINS)))
    assert "With 32 shots reference-ft is best in SSIM (0.809) and LPIPS (0.109); each is separated" in text
    assert "needs no model, is clearly worse than the best model in every metric." in text
    assert "From 1 to 32 shots reference-ft clearly gained in every metric." in text
    assert (
        headline(evidence(MODEL_WINS))
        == "With 32 shots of these 12 people reference-ft is clearly best in every metric"
    )


def test_copying_that_wins_is_said_plainly() -> None:
    text = " ".join(answer(evidence(COPY_WINS)))
    assert (
        "Copying or averaging real frames, which needs no model, is clearly better than the best model in every metric."
        in text
    )
    assert "reference-ft did not clearly change in any metric" in text
    assert "nearest-frame is clearly best" in headline(evidence(COPY_WINS))


def test_a_lead_within_chance_is_called_chance() -> None:
    text = " ".join(answer(evidence(MODEL_WINS, spread=0.5)))
    assert "none of these leads is separated from second place: each could be chance" in text
    assert "In all, none of 4 first places (2 metrics at 1 and 32 shots) is separated." in text
    assert "clearly gained" not in text
    assert (
        headline(evidence(MODEL_WINS, spread=0.5))
        == "With 32 shots of these 12 people no system is clearly best in any metric"
    )


def test_metrics_that_disagree_are_told_apart() -> None:
    split = {"nearest-frame": {1: (0.9, 0.3), 32: (0.9, 0.3)}, "reference-ft": {1: (0.6, 0.2), 32: (0.6, 0.1)}}
    text = " ".join(answer(evidence(split)))
    assert "nearest-frame is best in SSIM (0.909) and reference-ft is best in LPIPS (0.109)" in text
    assert "is clearly better than the best model in SSIM and is clearly worse in LPIPS" in text
    assert "different systems are clearly best in different metrics" in headline(evidence(split))


def test_few_people_are_called_few_and_many_are_not() -> None:
    few, some, many = (" ".join(answer(evidence(MODEL_WINS, people))) for people in (8, 20, 60))
    assert "With only 8 people under test the intervals are wide" in few
    assert "With 20 people under test only large differences can be told apart" in some
    assert "only" not in many.split("separated, with")[1]


def test_three_people_cannot_separate_anything_and_are_told_so() -> None:
    found = evidence(MODEL_WINS, people=3)
    text = " ".join(answer(found))
    assert "none of 4 first places (2 metrics at 1 and 32 shots) is separated." in text
    assert "the smallest p of a two-sided sign-flip test is 0.25: no test can separate systems here" in text
    assert headline(found) == "With 32 shots of these 3 people no system is clearly best in any metric"


def test_what_is_synthetic_and_what_is_copied_is_told() -> None:
    last = answer(evidence(MODEL_WINS))[-1]
    assert last == (
        "The pictures by reference-ft are AI-generated and labelled so; "
        "those by nearest-frame are copies or averages of real frames."
    )


FAMILIES = {
    "nearest-frame": {1: (0.5, 0.3), 32: (0.5, 0.3)},
    "warp-nearest": {1: (0.9, 0.3), 32: (0.9, 0.3)},
    "x2face-compact": {1: (0.55, 0.25), 32: (0.55, 0.25)},
    "pix2pixhd-compact": {1: (0.4, 0.2), 32: (0.6, 0.2)},
    "reference-ft": {1: (0.6, 0.2), 32: (0.8, 0.1)},
}


def test_warps_and_learned_baselines_are_compared_and_named_as_what_they_are() -> None:
    found = answer(evidence(FAMILIES))
    text = " ".join(found)
    assert (
        "Warping a real frame, which needs no training, is clearly better than the best model in SSIM and "
        "is clearly worse in LPIPS." in text
    )
    assert (
        "The better one of the learned baselines x2face-compact and pix2pixhd-compact is clearly worse than the best "
        "other model in every metric." in text
    )
    assert "From 1 to 32 shots x2face-compact did not clearly change in any metric." in text
    assert "to 32 shots warp-nearest" not in text
    assert found[-1] == (
        "The pictures by x2face-compact, pix2pixhd-compact and reference-ft are AI-generated and labelled so; "
        "those by warp-nearest are real frames bent by a formula, and labelled as altered; "
        "those by nearest-frame are copies or averages of real frames."
    )


def test_a_learned_baseline_without_another_model_to_compare_with_gets_no_sentence() -> None:
    alone = {name: FAMILIES[name] for name in ("nearest-frame", "x2face-compact")}
    text = " ".join(answer(evidence(alone)))
    assert "learned baseline" not in text
    assert "needs no model, is" in text


def test_one_number_of_shots_says_nothing_about_more_shots() -> None:
    text = " ".join(answer(evidence({name: {8: values[32]} for name, values in MODEL_WINS.items()})))
    assert "was shown 8 frames of each of 12 people" in text
    assert "From" not in text


def test_a_single_system_gets_no_verdict() -> None:
    alone = evidence({"reference-ft": MODEL_WINS["reference-ft"]})
    assert "nothing to compare" in headline(alone)
    assert "best" not in " ".join(answer(alone))


def test_the_order_of_the_rows_changes_no_word() -> None:
    turned = dict(reversed(MODEL_WINS.items()))
    assert answer(evidence(MODEL_WINS, spread=0.0))[1:4] == answer(evidence(turned, spread=0.0))[1:4]

"""From files to study.json: values, correction, frames that were not delivered, and what outlives a changed run."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from eval.study.key import StudyKey, Trial, Undelivered
from eval.study.record import STUDY_FILE, StudyRecord, StudyScore
from eval.study.scoring import score_study
from tests.eval.study.conftest import FORMS
from weights.errors import HeadshotError

HandIn = Callable[..., Path]


def raters(hand_in: HandIn, count: int, shares: dict[str, float], seed: int = 0) -> list[Path]:
    rng = np.random.default_rng(seed)

    def right(trial: Trial) -> bool:
        return trial.catch or rng.random() < shares[trial.system]

    return [hand_in(f"r{n}", form=1 + n % FORMS, right=right) for n in range(count)]


def by_system(found: StudyRecord) -> dict[str, StudyScore]:
    return {one.system: one for one in found.scores}


def test_planted_accuracies_are_found_and_told_from_guessing(key: StudyKey, hand_in: HandIn) -> None:
    found = score_study(key, raters(hand_in, 60, {"good": 0.33, "bad": 0.9}))
    good, bad = by_system(found)["good"], by_system(found)["bad"]
    assert good.interval.low < 0.33 < good.interval.high
    assert bad.interval.low < 0.9 < bad.interval.high
    assert (good.verdict, bad.verdict) == ("not separated from guessing", "found out")
    assert good.d_prime == pytest.approx(0, abs=0.3)
    assert bad.d_prime_interval.low < 2.2 < bad.d_prime_interval.high  # the d' of 0.9
    assert (found.raters, good.trials, good.people) == (60, 180, 3)
    assert bad.p <= bad.p_holm <= 2 * bad.p


def test_frames_that_were_not_delivered_count_as_found(key: StudyKey, hand_in: HandIn) -> None:
    files = raters(hand_in, 20, {"good": 0.4, "bad": 0.4})
    lazy = key.model_copy(
        update={"delivery": (Undelivered(system="good", shots=8, frames=20, undelivered=5), key.delivery[1])}
    )
    before, after = by_system(score_study(key, files))["good"], by_system(score_study(lazy, files))["good"]
    assert after.value == pytest.approx(0.25 + 0.75 * before.value)
    assert after.interval.low == pytest.approx(0.25 + 0.75 * before.interval.low)
    assert after.accuracy == before.accuracy == before.value


def test_files_that_do_not_count_are_in_the_record(key: StudyKey, hand_in: HandIn) -> None:
    found = score_study(key, [hand_in("r1"), hand_in("r2", form=2), hand_in("r3", study="0" * 12)])
    assert [(row.file, row.reason) for row in found.files][-1] == ("r3-1.json", "foreign")
    assert "miss more than 1 of the 3 obvious trials" in found.rule


def test_without_a_file_that_counts_the_reasons_are_said(key: StudyKey, hand_in: HandIn) -> None:
    with pytest.raises(HeadshotError, match=r"none of the 1 files counts.*r1-1.json: foreign"):
        score_study(key, [hand_in("r1", study="0" * 12)])


def test_one_rater_has_a_value_and_no_test(key: StudyKey, hand_in: HandIn) -> None:
    (good, _) = score_study(key, [hand_in("r1")]).scores
    assert (good.value, good.interval, good.p, good.verdict) == (1.0, None, None, "not tested")


class Recorded:
    """What a study looks at in the record of a run."""

    def __init__(self, key: StudyKey) -> None:
        self.tasks_sha256, self.systems = key.tasks_sha256, list(key.systems)


def test_scores_are_lost_for_systems_and_tasks_that_changed(key: StudyKey, hand_in: HandIn, tmp_path: Path) -> None:
    score_study(key, raters(hand_in, 8, {"good": 0.4, "bad": 0.9})).save(tmp_path)
    run = Recorded(key)
    assert set(by_system(StudyRecord.of(tmp_path, run))) == {"good", "bad"}
    run.systems[0] = run.systems[0].model_copy(update={"config": {"v": 2}})
    assert set(by_system(StudyRecord.of(tmp_path, run))) == {"bad"}
    run.tasks_sha256 = "0" * 64
    assert StudyRecord.of(tmp_path, run) is None
    (tmp_path / STUDY_FILE).unlink()
    assert StudyRecord.of(tmp_path, run) is None


def test_a_damaged_record_says_what_to_do(key: StudyKey, tmp_path: Path) -> None:
    (tmp_path / STUDY_FILE).write_text("{}")
    with pytest.raises(HeadshotError, match="headshot study score"):
        StudyRecord.of(tmp_path, Recorded(key))


def test_a_key_survives_the_disk_and_a_broken_one_is_refused(key: StudyKey, tmp_path: Path) -> None:
    key.save(tmp_path)
    assert StudyKey.load(tmp_path) == StudyKey.load(tmp_path / "key.json") == key
    (tmp_path / "key.json").write_text("{}")
    with pytest.raises(HeadshotError, match="not the answer key"):
        StudyKey.load(tmp_path)
    with pytest.raises(HeadshotError, match="no answer key"):
        StudyKey.load(tmp_path / "absent")

"""Files of raters: each is counted, and what is broken, foreign, double or careless does not count."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from eval.study.key import StudyKey
from eval.study.ratings import read_ratings

HandIn = Callable[..., Path]


def test_a_whole_file_counts_without_its_obvious_trials(key: StudyKey, hand_in: HandIn) -> None:
    ratings, rows = read_ratings(key, [hand_in("r1", right=lambda trial: trial.system != "good")])
    assert [row.reason for row in rows] == ["used"]
    assert len(ratings) == 6
    assert {one.trial.system: one.correct for one in ratings} == {"good": False, "bad": True}


@pytest.mark.parametrize(
    ("content", "reason", "detail"),
    [
        (b"", "unreadable", "Invalid JSON"),
        (b"\xff\xd8\xff\xe0", "unreadable", "Invalid JSON"),
        (b"[1, 2]", "unreadable", "Input should be an object"),
        (b'{"schema_version": 2}', "unreadable", "schema_version"),
        (b" " * 5_000_001, "unreadable", "larger than"),
    ],
)
def test_what_is_no_result_is_a_row(key: StudyKey, tmp_path: Path, content: bytes, reason: str, detail: str) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    ratings, (row,) = read_ratings(key, [path])
    assert (ratings, row.file, row.reason) == ((), "x.json", reason)
    assert detail in row.detail


def test_a_folder_or_an_absent_file_is_a_row(key: StudyKey, tmp_path: Path) -> None:
    _, rows = read_ratings(key, [tmp_path, tmp_path / "absent.json"])
    assert [row.reason for row in rows] == ["unreadable", "unreadable"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"study": "0" * 12}, "foreign"),
        ({"form": 9}, "foreign"),
        ({"form": 2}, "foreign"),
        ({"answers": []}, "unfinished"),
        ({"rater": "<img src=x onerror=alert(1)>"}, "unreadable"),
        ({"name": "Ada Lovelace"}, "unreadable"),
    ],
    ids=str,
)
def test_a_file_that_is_not_of_this_form_does_not_count(
    key: StudyKey, hand_in: HandIn, change: dict[str, object], reason: str
) -> None:
    path = hand_in("r1")
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}), encoding="utf-8")
    ratings, (row,) = read_ratings(key, [path])
    assert (ratings, row.reason) == ((), reason)


def test_an_answer_given_twice_is_foreign(key: StudyKey, hand_in: HandIn) -> None:
    answer = {"trial": key.of_form(1)[0].id, "response": 0, "rt_ms": 1}
    _, (row,) = read_ratings(key, [hand_in("r1", answers=[answer] * 9)])
    assert row.reason == "foreign"


@pytest.mark.parametrize(("missed", "reason"), [(0, "used"), (1, "used"), (2, "failed_catch_trials")])
def test_who_misses_more_obvious_trials_than_was_decided_is_left_out(
    key: StudyKey, hand_in: HandIn, missed: int, reason: str
) -> None:
    obvious = [trial.id for trial in key.of_form(1) if trial.catch]
    path = hand_in("r1", right=lambda trial: trial.id not in obvious[:missed])
    assert read_ratings(key, [path])[1][0].reason == reason


def test_the_same_file_twice_counts_once(key: StudyKey, hand_in: HandIn) -> None:
    ratings, rows = read_ratings(key, [hand_in("r1"), hand_in("r1", name="r1 (1).json")])
    assert sorted(row.reason for row in rows) == ["same_file_twice", "used"]
    assert len(ratings) == 6


def test_two_different_results_under_one_code_count_neither(key: StudyKey, hand_in: HandIn) -> None:
    files = [hand_in("r1"), hand_in("r1", form=2), hand_in("r2")]
    ratings, rows = read_ratings(key, files)
    assert {one.rater for one in ratings} == {"r2"}
    assert [row.reason for row in rows] == ["two_results_under_one_code"] * 2 + ["used"]


def test_the_order_of_the_files_does_not_matter(key: StudyKey, hand_in: HandIn) -> None:
    files = [hand_in(f"r{n}", form=1 + n % 4, name=f"{n}.json") for n in range(8)] + [hand_in("r1", name="again.json")]
    shuffled = random.Random(2).sample(files, len(files))
    assert read_ratings(key, shuffled) == read_ratings(key, files)

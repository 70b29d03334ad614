"""From raters' files to the record of a study: one score for each system and number of shots."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from eval.specs.user import USER
from eval.statistics.permutation import LEVEL, holm
from eval.study.accuracy import Accuracy, accuracy
from eval.study.dprime import d_prime
from eval.study.key import StudyKey
from eval.study.ratings import Rating, read_ratings
from eval.study.record import StudyRecord, StudyScore, Verdict, Within
from weights.errors import HeadshotError


def score_study(key: StudyKey, paths: Sequence[Path]) -> StudyRecord:
    """Return the scores of a study.

    Args:
        key: Its answer key.
        paths: Files of raters; each one is counted, with the reason where it does not count.

    Raises:
        HeadshotError: No file counts; the message says why.
    """
    ratings, files = read_ratings(key, paths)
    if not ratings:
        reasons = "; ".join(f"{row.file}: {row.reason.replace('_', ' ')} {row.detail}".strip() for row in files[:5])
        raise HeadshotError(
            f"none of the {len(files)} files counts for study {key.study} ({reasons or 'there is none'}); give the "
            "files that its forms saved, and the answer key that was made with them"
        )
    groups: dict[tuple[str, int], list[Rating]] = {}
    for one in ratings:
        groups.setdefault((one.trial.system, one.trial.shots), []).append(one)
    order = [(system.name, shots) for shots in key.shots for system in key.systems]
    found = {place: _accuracy(groups[place]) for place in order if place in groups}
    corrected = holm(np.array([one.p for one in found.values()]))
    shares = {(one.system, one.shots): one.share for one in key.delivery}
    return StudyRecord(
        study=key.study,
        spec=USER,
        rule=key.rule,
        marking=key.marking,
        tasks_sha256=key.tasks_sha256,
        systems=key.systems,
        raters=len({one.rater for one in ratings}),
        files=files,
        trials_left_out=len(key.left_out),
        people_of_one_clip=len(key.one_clip_people()),
        scores=tuple(
            _score(*place, one, p_holm=float(p), share=shares.get(place, 0.0))
            for (place, one), p in zip(found.items(), corrected, strict=True)
        ),
        scored_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _accuracy(ratings: Sequence[Rating]) -> Accuracy:
    return accuracy(
        np.array([one.correct for one in ratings]),
        _numbered([one.rater for one in ratings]),
        _numbered([one.trial.identity for one in ratings]),
    )


def _numbered(names: Sequence[str]) -> np.ndarray:
    return np.unique(names, return_inverse=True)[1]


def _score(system: str, shots: int, found: Accuracy, *, p_holm: float, share: float) -> StudyScore:
    def counted(value: float) -> float:
        """Return a share of correct answers with what was not delivered taken for found."""
        return share + (1 - share) * value

    def distance(value: float) -> float | None:
        return None if math.isnan(value) else d_prime(value, found.trials)

    known = not math.isnan(found.low)
    return StudyScore(
        system=system,
        shots=shots,
        trials=found.trials,
        correct=found.correct,
        raters=found.raters,
        people=found.people,
        undelivered_share=share,
        value=counted(found.value),
        interval=Within(low=counted(found.low), high=counted(found.high)) if known else None,
        accuracy=found.value,
        wilson=Within(low=found.wilson_low, high=found.wilson_high),
        design_effect=found.design_effect,
        d_prime=d_prime(found.value, found.trials),
        d_prime_interval=Within(low=distance(found.low) or 0.0, high=distance(found.high) or 0.0) if known else None,
        p=found.p if known else None,
        p_holm=p_holm if known else None,
        verdict=_verdict(p_holm, found),
    )


def _verdict(p_holm: float, found: Accuracy) -> Verdict:
    if math.isnan(p_holm):
        return "not tested"
    return "found out" if p_holm <= LEVEL and found.low > 1 / 3 else "not separated from guessing"

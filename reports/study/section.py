"""The section of the report that says what people made of the pictures."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from eval.study.ratings import Reason
from eval.study.record import StudyRecord, StudyScore, Within
from reports.findings import Findings
from reports.legend import SystemKey
from reports.numbers import MISSING, interval, number, plural, probability, share

REASONS: Mapping[Reason, str] = {
    "used": "count",
    "unreadable": "could not be read",
    "foreign": "belong to another study or form",
    "unfinished": "lack answers",
    "same_file_twice": "came in twice",
    "two_results_under_one_code": "are two results under one code",
    "failed_catch_trials": "missed too many obvious sets",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRow:
    """One system at one number of shots."""

    key: SystemKey
    shots: int
    value: str
    interval: str
    d_prime: str
    p: str
    sets: str
    people: str
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StudySection:
    """The section of the page."""

    raters: str
    rows: tuple[StudyRow, ...]
    files: str
    """What became of what was handed in."""
    rule: str
    one_clip: str
    """Of how many people the two real frames are of one recording; empty where of nobody."""
    undelivered: bool
    """Whether frames that were not delivered count as found."""


def study_section(found: Findings) -> StudySection | None:
    """Return the section of the page, None where nobody was asked."""
    study = found.study
    if study is None:
        return None
    return StudySection(
        raters=plural(study.raters, "rater"),
        rows=tuple(_row(one, found.keys) for one in study.scores),
        files=_files(study),
        rule=study.rule,
        one_clip=plural(study.people_of_one_clip, "person", "people") if study.people_of_one_clip else "",
        undelivered=any(one.undelivered_share for one in study.scores),
    )


def _row(score: StudyScore, keys: Mapping[str, SystemKey]) -> StudyRow:
    return StudyRow(
        key=keys[score.system],
        shots=score.shots,
        value=share(score.value),
        interval=_per_cent(score.interval),
        d_prime=number(score.d_prime, 2) + (f" ({_between(score.d_prime_interval)})" if score.d_prime_interval else ""),
        p=MISSING if score.p_holm is None else probability(score.p_holm),
        sets=f"{score.correct} of {score.trials}",
        people=f"{score.raters} asked, {score.people} shown",
        verdict=score.verdict,
    )


def _per_cent(within: Within | None) -> str:
    return f"{share(within.low)} to {share(within.high)}" if within else MISSING


def _between(within: Within) -> str:
    return interval(within.low, within.high, 2)


def _files(study: StudyRecord) -> str:
    """Say how many files there were and what became of them."""
    counts = Counter(row.reason for row in study.files)
    fates = [f"{counts[reason]} {words}" for reason, words in REASONS.items() if counts[reason]]
    return f"Of {plural(len(study.files), 'file')} handed in, {', '.join(fates)}."

"""The files that raters hand in: read one by one, each counted with what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError

from eval.study.key import StudyKey, Trial
from weights.record import Record

MOST_BYTES = 5_000_000
"""A form's answers take a few kilobytes."""
Reason = Literal[
    "used",
    "unreadable",
    "foreign",
    "unfinished",
    "same_file_twice",
    "two_results_under_one_code",
    "failed_catch_trials",
]


class Answer(Record):
    """What a rater chose in one trial."""

    trial: str
    response: Annotated[int, Field(ge=0, le=2)]
    """The picture that was taken for the fake, from the left."""
    rt_ms: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """From the moment the pictures appeared."""


class RaterFile(Record):
    """What a form saves: a code, no name, no time of day, nothing about the device."""

    schema_version: Literal[1]
    study: str
    form: int
    rater: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_\-]{1,40}$")]
    answers: tuple[Answer, ...]


class FileRow(Record):
    """One file that was handed in, and whether it counts."""

    file: str
    """Its name, without folders."""
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """One judgement."""

    rater: str
    trial: Trial
    correct: bool
    rt_ms: float


def read_ratings(key: StudyKey, paths: Sequence[Path]) -> tuple[tuple[Rating, ...], tuple[FileRow, ...]]:
    """Return the judgements that count, without catch trials, and a row for every file.

    The order of the files does not matter. Of two equal files one counts. Where two different results came in under one
    code, nobody knows whose is whose and which was first, so neither counts.

    Args:
        key: Of the study.
        paths: Files of raters.
    """
    opened = [_open(key, path) for path in sorted(paths)]
    known: dict[str, set[RaterFile]] = {}
    for _, content in opened:
        if isinstance(content, RaterFile):
            known.setdefault(content.rater, set()).add(content)
    ratings: list[Rating] = []
    rows: list[FileRow] = []
    seen: set[str] = set()
    for name, content in opened:
        row = content if isinstance(content, FileRow) else _judge(key, name, content, known[content.rater], seen)
        rows.append(row)
        if isinstance(content, RaterFile):
            seen.add(content.rater)
            if row.reason == "used":
                ratings += [one for one in _ratings(key, content) if not one.trial.catch]
    return tuple(ratings), tuple(rows)


def _open(key: StudyKey, path: Path) -> tuple[str, RaterFile | FileRow]:
    """Return the content of a file, or the row that says why it is of no use."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return path.name, FileRow(file=path.name, reason="unreadable", detail=f"larger than {MOST_BYTES} bytes")
        content = RaterFile.model_validate_json(path.read_bytes())
    except OSError as error:
        return path.name, FileRow(file=path.name, reason="unreadable", detail=error.strerror or "cannot be read")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        return path.name, FileRow(file=path.name, reason="unreadable", detail=f"{place}: {first['msg']}".lstrip(": "))
    return path.name, _unfit(key, path.name, content) or content


def _unfit(key: StudyKey, name: str, content: RaterFile) -> FileRow | None:
    """Return the row of a file that is not the whole result of a form of this study; None where it is."""
    wanted = {trial.id for trial in key.of_form(content.form)}
    found = {answer.trial for answer in content.answers}
    if content.study != key.study or not wanted:
        return FileRow(file=name, reason="foreign", detail=f"study {content.study}, form {content.form}")
    if found - wanted or len(found) < len(content.answers):
        return FileRow(file=name, reason="foreign", detail="answers to trials that are not on its form, or twice")
    if len(found) < len(wanted):
        return FileRow(file=name, reason="unfinished", detail=f"{len(found)} of {len(wanted)} trials")
    return None


def _judge(key: StudyKey, name: str, content: RaterFile, of_rater: set[RaterFile], seen: set[str]) -> FileRow:
    """Return the row of a file that is whole and of this study."""
    if len(of_rater) > 1:
        return FileRow(file=name, reason="two_results_under_one_code")
    if content.rater in seen:
        return FileRow(file=name, reason="same_file_twice")
    missed = sum(not one.correct for one in _ratings(key, content) if one.trial.catch)
    if missed > key.options.catch_allowed:
        return FileRow(file=name, reason="failed_catch_trials", detail=f"{missed} missed")
    return FileRow(file=name, reason="used")


def _ratings(key: StudyKey, content: RaterFile) -> list[Rating]:
    asked = {trial.id: trial for trial in key.of_form(content.form)}
    return [
        Rating(
            rater=content.rater,
            trial=asked[answer.trial],
            correct=answer.response == asked[answer.trial].answer,
            rt_ms=answer.rt_ms,
        )
        for answer in content.answers
    ]

"""A small study of two systems, and raters who answer as they are told."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from eval.study.key import (
    GeneratedFrame,
    RealFrame,
    StudiedSystem,
    StudyKey,
    StudyOptions,
    Trial,
    Undelivered,
    study_name,
    trial_id,
)

SECRET = "ab" * 32
PEOPLE, SYSTEMS, FORMS, CATCH = ("ada", "ben", "cleo"), ("good", "bad"), 4, 3


def made_trial(form: int, place: int, identity: str, system: str = "", shots: int = 0) -> Trial:
    clip = f"{identity}/v/c"
    return Trial(
        id=trial_id(SECRET, form, place),
        form=form,
        identity=identity,
        system=system,
        shots=shots,
        fake=GeneratedFrame(task=f"{identity}+v+c", place=place) if system else RealFrame(clip=clip, row=1),
        real=(RealFrame(clip=clip, row=place), RealFrame(clip=f"{identity}/w/c", row=place)),
        answer=(form + place) % 3,
    )


@pytest.fixture
def key() -> StudyKey:
    """Four forms, each with every system and person once and three obvious trials."""
    trials = []
    for form in range(1, FORMS + 1):
        cells = [(identity, system, 8) for identity in PEOPLE for system in SYSTEMS]
        cells += [(identity, "", 0) for identity in PEOPLE]
        trials += [made_trial(form, place, *cell) for place, cell in enumerate(cells)]
    return StudyKey(
        study=study_name(SECRET),
        secret=SECRET,
        options=StudyOptions(forms=FORMS, trials=6, catch=CATCH, catch_allowed=1, contact="the lab"),
        title="three people",
        size_px=64,
        tasks_sha256="t" * 64,
        manifest_sha256="m" * 64,
        systems=tuple(StudiedSystem(name=name, title=name, config={"v": 1}, mark="AI-generated") for name in SYSTEMS),
        shots=(8,),
        trials=tuple(trials),
        left_out=(),
        delivery=tuple(Undelivered(system=name, shots=8, frames=20, undelivered=0) for name in SYSTEMS),
    )


@pytest.fixture
def hand_in(key: StudyKey, tmp_path: Path) -> Callable[..., Path]:
    """Write a rater's file; `right` says in which trials the answer is right, `change` replaces fields."""

    def write(
        rater: str, form: int = 1, right: Callable[[Trial], bool] = lambda _: True, name: str = "", **change: object
    ) -> Path:
        answers = [
            {"trial": one.id, "response": one.answer if right(one) else (one.answer + 1) % 3, "rt_ms": 900}
            for one in key.of_form(form)
        ]
        content = {"schema_version": 1, "study": key.study, "form": form, "rater": rater, "answers": answers, **change}
        path = tmp_path / (name or f"{rater}-{form}.json")
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return write

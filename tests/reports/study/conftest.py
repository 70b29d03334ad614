"""A study of the drawn benchmark: two people have a second recording, one has not."""

from dataclasses import replace
from pathlib import Path

import pytest

from eval.runs.results import Run
from eval.study.key import StudyKey, StudyOptions
from pipeline.store import Store
from reports.study.build import Wanted, write_study
from reports.study.jspsych import JsPsych

CONTACT = "the lab <img src=x onerror=alert(1)>"
OPTIONS = StudyOptions(forms=3, trials=3, catch=2, catch_allowed=0, contact=CONTACT)
NO_PROGRAM = JsPsych(script="/* stands for jsPsych */", style="")


@pytest.fixture(scope="session")
def footage(store: Store) -> Store:
    """The drawn data set, in which ada and ben have been recorded twice more."""
    more = [
        replace(clip, key=f"{clip.identity}/{video}/c", video=video)
        for clip in store.clips
        if clip.identity in ("ada", "ben")
        for video in ("w", "x")
    ]
    return replace(store, clips=(*store.clips, *more))


@pytest.fixture(scope="session")
def study(run: Run, footage: Store, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StudyKey]:
    """The folder of a study without the program that runs it, and its key."""
    folder = tmp_path_factory.mktemp("study") / "drawn"
    return folder, write_study(run, footage, folder, Wanted(options=OPTIONS), NO_PROGRAM)

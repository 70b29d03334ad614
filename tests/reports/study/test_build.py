"""The folder of a study: the answer is nowhere in what raters get, and the design is what was asked for."""

import base64
import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eval.rendering import predictions
from eval.runs.results import Run
from eval.study.key import GeneratedFrame, StudyKey
from pipeline.store import Store
from reports.study.build import DEBRIEFINGS, PAGES, Wanted, make_key, write_study
from tests.reports.study.conftest import CONTACT, NO_PROGRAM, OPTIONS
from weights.errors import HeadshotError

SECRET = "5e" * 32


def pages(folder: Path) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted((folder / PAGES).iterdir())]


def shown(page: str) -> dict[str, list[bytes]]:
    """Return the pictures of each set."""
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    trials = json.loads(text)["trials"]
    return {one["id"]: [base64.b64decode(uri.partition(",")[2]) for uri in one["pictures"]] for one in trials}


def segments(jpeg: bytes) -> tuple[tuple[int, int], ...]:
    """Return marker and length of each segment before the picture, comments without their length."""
    found, place = [], 2
    while jpeg[place + 1] != 0xDA:
        size = int.from_bytes(jpeg[place + 2 : place + 4])
        found.append((jpeg[place + 1], 0 if jpeg[place + 1] == 0xFE else size))
        place += 2 + size
    return tuple(found)


def test_raters_get_a_folder_of_forms_and_nothing_else(study: tuple[Path, StudyKey]) -> None:
    folder, _ = study
    assert sorted(path.name for path in folder.iterdir()) == [DEBRIEFINGS, "key.json", PAGES]
    assert sorted(path.name for path in (folder / PAGES).iterdir()) == ["form-1.html", "form-2.html", "form-3.html"]


def test_bytes_lengths_and_metadata_of_pictures_do_not_give_the_fake_away(study: tuple[Path, StudyKey]) -> None:
    folder, key = study
    pictures = [one for page in pages(folder) for three in shown(page).values() for one in three]
    assert len(pictures) == 3 * len(key.trials) == 45
    assert len({len(one) for one in pictures}) == 1
    assert len({segments(one) for one in pictures}) == 1
    assert not any(word in one for one in pictures for word in (b"Exif", b"http", b"c2pa", b"generated"))


def test_nothing_in_a_form_names_a_system_a_person_or_an_answer(study: tuple[Path, StudyKey], run: Run) -> None:
    folder, key = study
    words = [key.secret, "answer", "fake", "catch", *(system.name for system in run.record.systems)]
    words += [f"{task.identity}/" for task in run.tasks.tasks] + [task.id for task in run.tasks.tasks]
    for page in pages(folder):
        data = page.split('id="data">')[1].split("</script>")[0]
        visible = re.sub(r'"data:image/jpeg;base64,[^"]*"', "", data)
        assert [word for word in words if word in visible] == []
        assert [word for word in words[1:] if word in page.split("<template")[0] and word in words[4:]] == []
        assert set(json.loads(data)) == {"study", "form", "size", "trials"}
        assert all(set(one) == {"id", "pictures"} for one in json.loads(data)["trials"])


def test_names_of_trials_follow_from_place_and_secret_alone(run: Run, footage: Store) -> None:
    """Two studies of other systems, with one secret, name their trials alike: so a name says nothing of its content."""
    wanted = Wanted(options=OPTIONS)
    other = replace(wanted, systems=("mean-frame",))
    one, two = (make_key(run, footage, each, SECRET) for each in (wanted, other))
    assert [trial.id for trial in one.trials] == [trial.id for trial in two.trials]
    assert {trial.id for trial in make_key(run, footage, wanted, "00" * 32).trials}.isdisjoint(
        trial.id for trial in one.trials
    )


def test_the_key_says_where_the_fake_is(study: tuple[Path, StudyKey], run: Run) -> None:
    import cv2

    folder, key = study
    three_of = {name: three for page in pages(folder) for name, three in shown(page).items()}
    tasks = {task.id: task for task in run.tasks.tasks}
    for trial in key.trials:
        if isinstance(trial.fake, GeneratedFrame):
            drawn = predictions.load(run.folder, trial.system, tasks[trial.fake.task])[trial.fake.place].astype(int)
            off = [
                np.abs(cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_COLOR)[..., ::-1] - drawn).mean()
                for one in three_of[trial.id]
            ]
            assert int(np.argmin(off)) == trial.answer
            assert off[trial.answer] < 3


def test_real_frames_are_of_other_clips_where_there_are_and_never_of_the_support(
    study: tuple[Path, StudyKey], run: Run
) -> None:
    _, key = study
    tasks = {task.id: task for task in run.tasks.tasks}
    for trial in key.trials:
        clips = {one.clip for one in trial.real}
        assert {clip.split("/")[0] for clip in clips} == {trial.identity}
        assert len(clips) == (1 if trial.identity == "cleo" else 2)
        if isinstance(trial.fake, GeneratedFrame):
            task = tasks[trial.fake.task]
            target = task.frames[trial.fake.place]
            assert trial.identity == "cleo" or target.clip not in clips
            taken = {*((task.clip, row) for row in task.support), (target.clip, target.row)}
            assert taken.isdisjoint((one.clip, one.row) for one in trial.real)
        assert len({(one.clip, one.row) for one in trial.real}) == 2
    assert key.one_clip_people() == ("cleo",)


def test_sides_are_random(run: Run, footage: Store) -> None:
    many = OPTIONS.model_copy(update={"forms": 100})
    key = make_key(run, footage, Wanted(options=many), SECRET)
    counts = Counter(trial.answer for trial in key.trials)
    assert sum(counts.values()) == 500
    assert all(abs(counts[side] - 500 / 3) < 4 * np.sqrt(500 * 2 / 9) for side in range(3))
    places = Counter(place for form in range(1, 101) for place, one in enumerate(key.of_form(form)) if one.catch)
    assert set(places) == set(range(5)), "obvious sets may stand anywhere"


def test_recorded_frames_are_no_fakes_unless_asked_for(run: Run, footage: Store) -> None:
    assert [one.name for one in make_key(run, footage, Wanted(options=OPTIONS), SECRET).systems] == ["reference-ft"]
    asked = make_key(run, footage, Wanted(options=OPTIONS, systems=("mean-frame",), shots=(8,)), SECRET)
    assert {(one.system, one.shots) for one in asked.trials if one.system} == {("mean-frame", 8)}


def test_what_was_not_delivered_is_shown_to_nobody_and_counted(
    run: Run, footage: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = predictions.header
    monkeypatch.setattr(
        predictions, "header", lambda folder, system, task: None if task.shots == 8 else header(folder, system, task)
    )
    key = make_key(run, footage, Wanted(options=OPTIONS), SECRET)
    assert Counter(one.reason for one in key.left_out) == {"not_delivered": 3}
    assert {one.shots for one in key.trials if one.system} == {1, 32}
    assert {one.shots: one.share for one in key.delivery} == {1: 0, 8: 1, 32: 0}
    with pytest.raises(HeadshotError, match=r"no trial can be made.*not_delivered"):
        make_key(run, footage, Wanted(options=OPTIONS, shots=(8,)), SECRET)


def test_the_same_command_makes_the_same_pages_again(
    study: tuple[Path, StudyKey], run: Run, footage: Store, tmp_path: Path
) -> None:
    folder, key = study
    key.save(tmp_path)
    assert write_study(run, footage, tmp_path, Wanted(options=OPTIONS), NO_PROGRAM) == key
    assert pages(tmp_path) == pages(folder)


def test_another_study_does_not_take_the_place_of_one_that_may_be_running(
    run: Run, footage: Store, study: tuple[Path, StudyKey]
) -> None:
    folder, key = study
    other = OPTIONS.model_copy(update={"catch_allowed": 1})
    with pytest.raises(HeadshotError, match=f"holds study {key.study} with other"):
        write_study(run, footage, folder, Wanted(options=other), NO_PROGRAM)
    assert StudyKey.load(folder) == key


@pytest.mark.parametrize(("systems", "shots", "message"), [(("nobody",), (), "nobody"), ((), (2,), "1, 8, 32 shots")])
def test_what_the_run_does_not_have_is_refused(
    run: Run, footage: Store, systems: tuple[str, ...], shots: tuple[int, ...], message: str
) -> None:
    with pytest.raises(HeadshotError, match=message):
        make_key(run, footage, Wanted(options=OPTIONS, systems=systems, shots=shots), SECRET)


def test_hostile_names_are_text(study: tuple[Path, StudyKey], hostile: str) -> None:
    folder, _ = study
    for path in (*(folder / PAGES).iterdir(), *(folder / DEBRIEFINGS).iterdir()):
        page = path.read_text(encoding="utf-8")
        assert hostile not in page
        assert CONTACT.replace("<", "&lt;").replace(">", "&gt;") in page


def test_the_debriefing_labels_every_fake_and_no_real_frame(study: tuple[Path, StudyKey]) -> None:
    folder, key = study
    for form, path in enumerate(sorted((folder / DEBRIEFINGS).iterdir()), start=1):
        captions = re.findall(r"<figcaption>(.*?)</figcaption>", path.read_text(encoding="utf-8"))
        for place, trial in enumerate(key.of_form(form)):
            three = captions[3 * place : 3 * place + 3]
            assert three.pop(trial.answer) == ("Altered" if trial.catch else "AI-generated")
            assert three == ["Real", "Real"]

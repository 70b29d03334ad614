"""What a program is told, and that nothing else is."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from eval.rendering.asking import asked
from eval.systems.request import Request, publish_request, without, write_tasks
from eval.tasks.making import make_tasks
from tests.eval.conftest import DrawnStore
from tests.eval.systems.asking import asked_of


def test_a_request_survives_the_disk_and_its_files_hold_what_was_asked(tmp_path: Path) -> None:
    request = write_tasks(tmp_path, [asked_of(1), asked_of(0)])
    path = publish_request(tmp_path, request)
    assert Request.model_validate_json(path.read_text()) == request
    assert [task.id for task in request.tasks] == [asked_of(0).id, asked_of(1).id]
    task, wanted = request.tasks[0], asked_of(0)
    pictures = [cv2.imread(str(tmp_path / one))[..., ::-1] for one in task.support]
    assert np.array_equal(pictures, wanted.support.frames)
    assert np.array_equal(
        np.float32(json.loads((tmp_path / task.driving_landmarks).read_text())), wanted.driving_landmarks
    )
    assert len(task.outputs) == len(wanted.driving_landmarks)
    assert all((tmp_path / output).parent.is_dir() for output in task.outputs)
    assert task.driving is None


def test_driving_frames_are_written_where_they_are_given(tmp_path: Path) -> None:
    one = asked_of(0)
    shown = type(one)(
        id=one.id,
        support=one.support,
        driving_landmarks=one.driving_landmarks,
        driving_frames=one.support.frames[[0, 1, 0]],
    )
    task = write_tasks(tmp_path, [shown]).tasks[0]
    assert task.driving is not None
    assert len(task.driving) == 3
    assert np.array_equal(cv2.imread(str(tmp_path / task.driving[1]))[..., ::-1], one.support.frames[1])


def test_a_request_of_another_version_is_refused(tmp_path: Path) -> None:
    content = write_tasks(tmp_path, [asked_of(0)]).model_dump(mode="json")
    with pytest.raises(ValidationError, match="schema_version"):
        Request.model_validate({**content, "schema_version": 2})


def test_tasks_that_are_done_leave_the_request(tmp_path: Path) -> None:
    request = write_tasks(tmp_path, [asked_of(0), asked_of(1)])
    assert [task.id for task in without(request, [asked_of(0).id]).tasks] == [asked_of(1).id]


def test_nothing_names_a_person_a_clip_or_the_dataset_and_no_target_is_there(store: DrawnStore, tmp_path: Path) -> None:
    tasks = make_tasks(store, [1, 8], size_px=32)
    folder = tmp_path / "asked"
    publish_request(folder, write_tasks(folder, asked(store, tasks, tasks.tasks)))
    told = [path for path in folder.rglob("*") if path.is_file()]
    names = " ".join(path.relative_to(folder).as_posix() for path in told)
    texts = names + "".join(path.read_text() for path in told if path.suffix == ".json")
    for secret in ("ann", "bob", "eve", "video", "shots", "draw", store.root.name + "/", str(store.root)):
        assert secret not in texts
    pictures = [path for path in told if path.suffix == ".png"]
    assert len(pictures) == sum(task.shots for task in tasks.tasks)


def test_the_id_of_a_task_changes_with_whatever_is_asked_and_with_nothing_else(store: DrawnStore) -> None:
    def ids(of: DrawnStore, **options: int) -> list[str]:
        tasks = make_tasks(of, [1], **{"size_px": 32, **options})
        return [one.id for one in asked(of, tasks, tasks.tasks)]

    class Brighter(DrawnStore):
        def frames(self, clip, rows, size_px=None):  # type: ignore[no-untyped-def]
            return super().frames(clip, rows, size_px) + np.uint8(1)

    assert ids(store) == ids(store)
    assert len(set(ids(store))) == len(ids(store))
    others = [ids(store, size_px=16), ids(store, seed=1), ids(store, query_frames=8)]
    assert not any(set(ids(store)) & set(other) for other in [*others, ids(Brighter(store.root, store.clips))])

"""What a program is asked: a folder with `request.json`, pictures and points, and nothing that names anybody."""

import json
import shutil
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Annotated, Literal

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from pydantic import ConfigDict, Field, StringConstraints, ValidationError

from eval.systems.protocol import Asked
from eval.systems.received import frame_names
from weights.errors import HeadshotError
from weights.files import publish_text
from weights.record import Record

REQUEST_FILE, TASKS_FOLDER, FRAMES_FOLDER = "request.json", "tasks", "frames"

OpaqueId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


class RequestTask(Record):
    """Learn a person from the support, then draw a frame for each set of driving landmarks.

    Paths are relative to the folder of `request.json`. Points are JSON: a list of frames, each a list of [x, y] in
    pixels; the centre of the top-left pixel is [0, 0].
    """

    model_config = ConfigDict(use_attribute_docstrings=True)

    id: OpaqueId
    """Says nothing about the person; the same request has the same id."""
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    """For anything random."""
    support: Annotated[tuple[str, ...], Field(min_length=1)]
    """The frames of the person: PNG, RGB."""
    support_landmarks: str
    """Points of the support frames, in their order."""
    driving_landmarks: str
    """Points of the frames to draw."""
    driving: tuple[str, ...] | None = None
    """Frames that the driving landmarks are from, where the protocol allows them; else null, as they are the answer."""
    outputs: Annotated[tuple[str, ...], Field(min_length=1)]
    """Where to write each frame: PNG, 8-bit RGB, `size_px` wide and high. Their folders are there."""


class Request(Record):
    """`request.json`: many tasks, to be answered by one run of a program. Each is answered from its own files alone."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    schema_version: Literal[1] = 1
    size_px: Annotated[int, Field(ge=1)]
    """Side of every frame, given or drawn."""
    points: Literal[68, 70]
    """Landmarks of a face: 68 in the order of iBUG 300-W; 70 with the centres of the right and of the left iris."""
    tasks: tuple[RequestTask, ...]


def write_tasks(folder: Path, asked: Iterable[Asked]) -> Request:
    """Write the files of tasks one after the other and return the request, which is not written yet.

    Tasks are in the order of their ids, so that nothing can be told from what is asked before and after.
    """
    tasks: list[RequestTask] = []
    size_px, points = 1, 68
    for one in asked:
        size_px, points = one.support.size_px, one.driving_landmarks.shape[1]
        tasks.append(_write_task(folder, one))
    return Request.model_validate(
        {"size_px": size_px, "points": points, "tasks": tuple(sorted(tasks, key=lambda task: task.id))}
    )


def publish_request(folder: Path, request: Request) -> Path:
    """Write `request.json`, make the folders that frames belong in, and return the path of the former."""
    for task in request.tasks:
        (folder / FRAMES_FOLDER / task.id).mkdir(parents=True, exist_ok=True)
    path = folder / REQUEST_FILE
    publish_text(path, request.model_dump_json(indent=1))
    return path


def is_request(folder: Path) -> bool:
    """Return whether a folder was written for programs to answer."""
    try:
        Request.model_validate_json((folder / REQUEST_FILE).read_bytes())
    except (OSError, ValidationError):
        return False
    return True


def remove_request(folder: Path) -> int:
    """Remove what was asked and what was answered, and return how many files that were; other files stay.

    `request.json` goes last, so that the same call goes on after a kill.

    Raises:
        HeadshotError: The folder holds no request.
    """
    if not is_request(folder):
        raise HeadshotError(f"{folder} holds no {REQUEST_FILE} of `headshot request`; nothing was removed there")
    files = 1
    for part in (folder / TASKS_FOLDER, folder / FRAMES_FOLDER):
        files += sum(path.is_file() for path in part.rglob("*"))
        if part.is_dir():
            shutil.rmtree(part)
    (folder / REQUEST_FILE).unlink()
    if not any(folder.iterdir()):
        folder.rmdir()
    return files


def _write_task(folder: Path, asked: Asked) -> RequestTask:
    place = Path(TASKS_FOLDER) / asked.id
    (folder / place).mkdir(parents=True)
    return RequestTask(
        id=asked.id,
        seed=asked.support.seed,
        support=_write_frames(folder, place / "support", asked.support.frames),
        support_landmarks=_write_points(folder, place / "support_landmarks.json", asked.support.landmarks),
        driving_landmarks=_write_points(folder, place / "driving_landmarks.json", asked.driving_landmarks),
        driving=None
        if asked.driving_frames is None
        else _write_frames(folder, place / "driving", asked.driving_frames),
        outputs=tuple(f"{FRAMES_FOLDER}/{asked.id}/{name}" for name in frame_names(len(asked.driving_landmarks))),
    )


def _write_frames(folder: Path, place: Path, frames: UInt8[np.ndarray, "frames size size 3"]) -> tuple[str, ...]:
    (folder / place).mkdir()
    paths = tuple((place / name).as_posix() for name in frame_names(len(frames)))
    for path, frame in zip(paths, frames, strict=True):
        if not cv2.imwrite(str(folder / path), np.ascontiguousarray(frame[..., ::-1])):
            raise OSError(f"OpenCV could not write {folder / path}")
    return paths


def _write_points(folder: Path, place: Path, points: Float[np.ndarray, "frames points 2"]) -> str:
    (folder / place).write_text(json.dumps(points.tolist()), encoding="utf-8")
    return place.as_posix()


def without(request: Request, done: Collection[str]) -> Request:
    """Return the request without some of its tasks."""
    return request.model_copy(update={"tasks": tuple(task for task in request.tasks if task.id not in done)})

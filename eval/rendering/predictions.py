"""Predictions on disk: one self-describing Parquet file for each system and task, whole or absent."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import UInt8
from pydantic import Field, JsonValue, ValidationError

from eval.tasks.task_set import Task
from weights.errors import HeadshotError
from weights.files import publish
from weights.record import Record

_METADATA_KEY = b"headshot"
_PNG_LEVEL = 1
"""Fast compression: predictions are read a few times and are noise-like; higher levels save a few per
cent."""

PREDICTION_SCHEMA = pa.schema(
    [
        pa.field("clip", pa.string(), nullable=False),
        pa.field("frame", pa.int32(), nullable=False),
        pa.field("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
    ]
)
"""An image is null where the system delivered the other frames of the task, but not this one."""


class PredictionInputs(Record):
    """Everything that fixes what a system renders for a task."""

    schema_version: Literal[2] = 2
    system: str
    system_config: dict[str, JsonValue]
    """What the output depends on besides the support: version, checkpoint hash, settings."""
    task: str
    task_sha256: str
    content_sha256: str
    """Hash of the support frames and landmarks and the driving landmarks, decoded."""
    size_px: int
    seed: int

    def sha256(self) -> str:
        """Return the key: a prediction is current exactly where it carries the same one."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


class PredictionHeader(Record):
    """The metadata of a prediction file."""

    key: str
    inputs: PredictionInputs
    adaptation_s: float | None
    """Wall time of `adapt`; None where nobody watched, as with finished predictions."""
    render_fps: float | None
    """Frames per second of `render`."""
    iterations: int | None = None
    """Fine-tuning steps, where the system counts them."""
    parameters: int | None = None
    """Numbers in the networks of the system, where it counts them."""
    memory_mib: float | None = None
    """How far main memory grew meanwhile, at its peak (see `cost.MemoryWatch`); of a program, all that it and what it
    started took."""
    accelerator_mib: float | None = None
    """The like for the CUDA device."""
    machine: str = ""
    """Processor, threads and device that it had."""
    failures: dict[int, str] = Field(default_factory=dict)
    """Why a frame was not delivered, by its place in the task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """A prediction file as it describes itself."""

    header: PredictionHeader
    places: tuple[tuple[str, int], ...]
    """Clip key and row of each frame that the task asked for."""
    frames: UInt8[np.ndarray, "frames size size 3"]


def path_of(run_dir: Path, system: str, task: Task) -> Path:
    """Return where the prediction of a system for a task lies."""
    return run_dir / "predictions" / system / f"{task.id}.parquet"


def save(run_dir: Path, header: PredictionHeader, task: Task, frames: UInt8[np.ndarray, "frames size size 3"]) -> Path:
    """Write the generated frames of a task, losslessly, all or nothing.

    Args:
        run_dir: Folder of the run.
        header: What went in, and what it cost.
        task: The task; it names the frames.
        frames: Generated RGB frames in the order of `task.frames`; what stands where one failed is not kept.
    """
    path = path_of(run_dir, header.inputs.system, task)
    images = [
        None if place in header.failures else {"bytes": _encode(frame), "path": None}
        for place, frame in enumerate(frames)
    ]
    metadata = {_METADATA_KEY: header.model_dump_json().encode()}
    table = pa.Table.from_pydict(
        {"clip": [frame.clip for frame in task.frames], "frame": [frame.row for frame in task.frames], "image": images},
        schema=PREDICTION_SCHEMA.with_metadata(metadata),
    )
    with publish(path) as temporary:
        pq.write_table(table, temporary, compression="none")
    return path


def images_sha256(run_dir: Path, system: str, task: Task) -> str:
    """Return the hash of the generated images as they are stored: not of what they cost, which is never the same twice.

    Raises:
        HeadshotError: There is no prediction, or it is damaged or of another task.
    """
    path = path_of(run_dir, system, task)
    digest = hashlib.sha256()
    for image in _read_images(path, system, task):
        stored = image or b""  # no PNG is empty, so this is where a frame was not delivered
        digest.update(len(stored).to_bytes(8, "little"))
        digest.update(stored)
    return digest.hexdigest()


def header(run_dir: Path, system: str, task: Task) -> PredictionHeader | None:
    """Return the header of a prediction, or None where there is no readable prediction of this version."""
    try:
        metadata = pq.read_schema(path_of(run_dir, system, task)).metadata or {}
        return PredictionHeader.model_validate_json(metadata[_METADATA_KEY])
    except (FileNotFoundError, pa.ArrowInvalid, KeyError, ValidationError):
        return None


def load(
    run_dir: Path, system: str, task: Task, places: Sequence[int] | None = None
) -> UInt8[np.ndarray, "frames size size 3"]:
    """Return the generated RGB frames of a task in the order of `task.frames`, black where one was not delivered.

    Args:
        run_dir: Folder of the run.
        system: Its name.
        task: The task; it names the frames.
        places: Which of the frames to decode, in this order; all where none are named.

    Raises:
        HeadshotError: There is no prediction, or it is damaged or of another task.
    """
    path = path_of(run_dir, system, task)
    images = _read_images(path, system, task)
    return _frames(images, path, range(len(images)) if places is None else places)


def read(path: Path) -> Prediction | None:
    """Return the prediction in a file whose task is not at hand, None where it is damaged or of another version."""
    try:
        table = pq.read_table(path, schema=PREDICTION_SCHEMA)
        header = PredictionHeader.model_validate_json((pq.read_schema(path).metadata or {})[_METADATA_KEY])
        frames = _frames([image and image["bytes"] for image in table["image"].to_pylist()], path, range(len(table)))
    except (pa.ArrowInvalid, KeyError, ValueError, HeadshotError):
        return None
    return Prediction(header=header, places=_places(table), frames=frames)


def _read_images(path: Path, system: str, task: Task) -> list[bytes | None]:
    """Return the stored pictures of a task, None where a frame was not delivered."""
    try:
        table = pq.read_table(path, schema=PREDICTION_SCHEMA)
    except FileNotFoundError:
        raise HeadshotError(
            f"{system} has no prediction for {task.id} ({path}); run the benchmark to render it"
        ) from None
    except pa.ArrowInvalid as error:
        raise HeadshotError(f"{path} is damaged ({error}); delete it and run the benchmark again") from None
    if _places(table) != tuple((frame.clip, frame.row) for frame in task.frames):
        raise HeadshotError(f"{path} holds other frames than {task.id} asks for; delete it and run the benchmark again")
    return [image and image["bytes"] for image in table["image"].to_pylist()]


def _places(table: pa.Table) -> tuple[tuple[str, int], ...]:
    return tuple(zip(table["clip"].to_pylist(), table["frame"].to_pylist(), strict=True))


def _frames(
    images: Sequence[bytes | None], path: Path, places: Sequence[int]
) -> UInt8[np.ndarray, "frames size size 3"]:
    """Return decoded frames, black where there is none."""
    chosen = [images[place] for place in places]
    decoded = [None if image is None else _decode(image, path) for image in chosen]
    shape = next((frame.shape for frame in decoded if frame is not None), None)
    if shape is None:
        shape = next(_decode(image, path).shape for image in images if image is not None)
    return np.stack([np.zeros(shape, np.uint8) if frame is None else frame for frame in decoded])


def _encode(frame: UInt8[np.ndarray, "size size 3"]) -> bytes:
    done, data = cv2.imencode(".png", frame[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, _PNG_LEVEL])
    if not done:
        raise RuntimeError("OpenCV could not encode a frame as PNG")
    return bytes(data)


def _decode(data: bytes, path: Path) -> UInt8[np.ndarray, "size size 3"]:
    frame = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if frame is None:
        raise HeadshotError(f"{path} holds an image that does not decode; delete it and run the benchmark again")
    return np.ascontiguousarray(frame[..., ::-1])

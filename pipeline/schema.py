"""The columns of a shard: one row per frame, rows of a clip together, clips in order of their key."""

import json
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.clip_frames import NO_FACE, NOT_SEARCHED, ClipFrames
from pipeline.config import PipelineConfig
from pipeline.images import SUFFIX
from pipeline.versions import SCHEMA_VERSION

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
"""What Hugging Face `datasets` stores as an `Image`; `path` is only a name that tells the format."""

COLUMNS: tuple[tuple[str, pa.DataType], ...] = (
    ("identity", pa.string()),
    ("video", pa.string()),
    ("clip", pa.string()),
    ("frame", pa.int32()),
    ("pts_s", pa.float64()),
    ("source_frame", pa.int32()),
    ("image", IMAGE),
    ("landmarks", pa.list_(pa.float32(), 136)),
    ("landmark_scores", pa.list_(pa.float32(), 68)),
    ("box", pa.list_(pa.float32(), 4)),
    ("crop", pa.list_(pa.float32(), 6)),
    ("pad", pa.float32()),
    ("det_score", pa.float32()),
    ("face_px", pa.float32()),
    ("sharpness", pa.float32()),
    ("yaw_deg", pa.float32()),
    ("pitch_deg", pa.float32()),
    ("roll_deg", pa.float32()),
    ("eye_openness", pa.float32()),
    ("mouth_openness", pa.float32()),
    ("irises", pa.list_(pa.float32(), 4)),
    ("gaze_yaw_deg", pa.float32()),
    ("gaze_pitch_deg", pa.float32()),
    ("identity_similarity", pa.float32()),
    ("ok", pa.bool_()),
    ("reason", pa.string()),
)
NAME_COLUMNS = ("identity", "video", "clip", "reason")
"""Columns with few different values, written with a dictionary."""


def hugging_face_features() -> dict[str, Any]:
    """Return the features of a shard as Hugging Face `datasets` writes them."""
    return {name: feature(kind) for name, kind in COLUMNS}


def feature(kind: pa.DataType) -> dict[str, Any]:
    """Return one of them."""
    if kind == IMAGE:
        return {"_type": "Image"}
    if pa.types.is_fixed_size_list(kind):
        return {"_type": "List", "feature": feature(kind.value_type), "length": kind.list_size}
    return {
        "_type": "Value",
        "dtype": {"float": "float32", "double": "float64"}.get(str(kind), str(kind)),
    }


SHARD_SCHEMA = pa.schema(
    COLUMNS,
    metadata={
        "huggingface": json.dumps({"info": {"features": hugging_face_features()}}),
        "headshot.schema_version": str(SCHEMA_VERSION),
    },
)


def to_table(frames: ClipFrames, encoded: list[bytes], config: PipelineConfig) -> pa.Table:
    """Return the rows of a clip, or of a part of one.

    Args:
        frames: The columns.
        encoded: The images in their stored format, in the same order.
        config: Gives the format.
    """
    count = len(frames)
    clip, suffix = frames.clip, SUFFIX[config.image_format]
    names = [f"{clip.identity}_{clip.video}_{clip.clip}_{frame:06d}{suffix}" for frame in frames.frame]
    yaw, pitch, roll = frames.pose_deg.T
    columns = {
        "identity": [clip.identity] * count,
        "video": [clip.video] * count,
        "clip": [clip.clip] * count,
        "frame": frames.frame,
        "pts_s": frames.pts_s,
        "source_frame": frames.source_frame,
        "image": pa.StructArray.from_arrays([pa.array(encoded, pa.binary()), pa.array(names)], fields=list(IMAGE)),
        "landmarks": _fixed_lists(frames.landmarks.reshape(count, 136)),
        "landmark_scores": _fixed_lists(frames.landmark_scores),
        "box": _fixed_lists(frames.box),
        "crop": _fixed_lists(frames.crop.reshape(count, 6)),
        "pad": frames.pad,
        "det_score": frames.det_score,
        "face_px": frames.face_px,
        "sharpness": frames.sharpness,
        "yaw_deg": np.ascontiguousarray(yaw),
        "pitch_deg": np.ascontiguousarray(pitch),
        "roll_deg": np.ascontiguousarray(roll),
        "eye_openness": frames.eye_openness,
        "mouth_openness": frames.mouth_openness,
        "irises": _fixed_lists(frames.irises.reshape(count, 4)),
        "gaze_yaw_deg": np.ascontiguousarray(frames.gaze_deg[:, 0]),
        "gaze_pitch_deg": np.ascontiguousarray(frames.gaze_deg[:, 1]),
        "identity_similarity": frames.identity_similarity,
        "ok": frames.ok,
        "reason": np.where(frames.ok, "", NO_FACE if frames.searched else NOT_SEARCHED).tolist(),
    }
    return pa.table([pa.array(columns[name], kind) for name, kind in COLUMNS], schema=SHARD_SCHEMA)


def _fixed_lists(values: np.ndarray) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1), pa.float32()), values.shape[1])

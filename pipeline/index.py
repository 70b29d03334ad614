"""`index.parquet` and `rejects.parquet`: one row per clip, so that no shard has to be opened to know what is there."""

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.schema import Clip, PackageSource
from pipeline.clip_rows import GROUP_ROWS
from pipeline.layout import DatasetLayout
from pipeline.picture_shard import PICTURE, read_pictures
from pipeline.records import ClipRecord, ShardRecord
from weights.files import publish

CLIP_FIELDS = [
    ("key", pa.string()),
    ("identity", pa.string()),
    ("video", pa.string()),
    ("clip", pa.string()),
    ("split", pa.string()),
    ("shard", pa.string()),
]
TERMS_FIELDS = [
    ("licence", pa.string()),
    ("consent", pa.string()),
    ("credit", pa.string()),
    ("source", pa.string()),
    ("source_url", pa.string()),
    ("attributes", pa.string()),
]
"""`attributes` is a JSON object of texts: their names differ from corpus to corpus, and not every reader knows maps."""
INDEX_SCHEMA = pa.schema(
    [
        *CLIP_FIELDS,
        ("row_group", pa.int32()),
        ("row_groups", pa.int32()),
        ("first_row", pa.int64()),
        ("frames", pa.int32()),
        ("usable_frames", pa.int32()),
        ("face_px", pa.float32()),
        ("pad", pa.float32()),
        ("crop_side_px", pa.int32()),
        ("width_px", pa.int32()),
        ("height_px", pa.int32()),
        ("source_fps", pa.float32()),
        ("codec", pa.string()),
        ("rotation_deg", pa.int32()),
        ("interlaced", pa.bool_()),
        ("colour_rule", pa.string()),
        ("source_sha256", pa.string()),
        ("scenes", pa.int32()),
        ("faces_compared", pa.int32()),
        ("note", pa.string()),
        *TERMS_FIELDS,
    ]
)
SOUND_FIELDS = [("sound_s", pa.float32()), ("sound_flaw", pa.string())]
"""Length of the clip's sound, 0 where there is none, and why there is not more; only where sound was asked for."""
REJECTS_SCHEMA = pa.schema(
    [*CLIP_FIELDS, ("reason", pa.string()), ("detail", pa.string()), *TERMS_FIELDS, (PICTURE, pa.binary())]
)
"""`picture` is a small JPEG of the frame that shows why, null where there is none."""
REJECTS_GROUP_ROWS = 1024
"""Rows of a row group of rejects: some megabytes of pictures."""


def index_schema(*, audio: bool) -> pa.Schema:
    """Return the columns of the index of a dataset with or without sound."""
    return pa.schema([*INDEX_SCHEMA, *(pa.field(name, kind) for name, kind in SOUND_FIELDS)]) if audio else INDEX_SCHEMA


def write_index(layout: DatasetLayout, records: Sequence[ShardRecord], *, audio: bool) -> None:
    """Write both tables, sorted by clip key.

    Args:
        layout: Where.
        records: All shards.
        audio: Sound was asked for.
    """
    clips = [_clip_row(record.name, clip) for record in records for clip in record.clips]
    rejects = [
        {
            **_terms(reject.clip, record.name),
            "reason": str(reject.reason),
            "detail": reject.detail,
            PICTURE: pictures.get(reject.clip.key),
        }
        for record in records
        for pictures in (read_pictures(layout.pictures(record.name)),)
        for reject in record.rejects
    ]
    for path, rows, schema, group_rows in (
        (layout.index, clips, index_schema(audio=audio), GROUP_ROWS),
        (layout.rejects, rejects, REJECTS_SCHEMA, REJECTS_GROUP_ROWS),
    ):
        table = pa.Table.from_pylist(sorted(rows, key=lambda row: row["key"]), schema)
        plain = [name for name in schema.names if name != PICTURE]  # pictures stay as they are, to be found again
        with publish(path) as temporary:
            pq.write_table(
                table,
                temporary,
                compression={name: "none" if name == PICTURE else "zstd" for name in schema.names},
                use_dictionary=plain,
                row_group_size=group_rows,
            )


def _clip_row(shard: str, record: ClipRecord) -> dict[str, Any]:
    row = {**_terms(record.clip, shard), **record.model_dump(exclude={"clip", "sound"})}
    if record.sound is not None:
        row.update(sound_s=record.sound.seconds, sound_flaw=str(record.sound.flaw or ""))
    return row


def _terms(clip: Clip, shard: str) -> dict[str, Any]:
    """Return who it is, where it is, and what it may be used for."""
    source = clip.source
    return {
        "key": clip.key,
        "identity": clip.identity,
        "video": clip.video,
        "clip": clip.clip,
        "split": clip.split,
        "shard": shard,
        "licence": clip.licence,
        "consent": clip.consent,
        "credit": clip.credit,
        "source": f"{source.package} {source.member}" if isinstance(source, PackageSource) else source.path,
        "source_url": clip.source_url,
        "attributes": json.dumps(clip.attributes, sort_keys=True, ensure_ascii=False),
    }

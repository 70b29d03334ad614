"""The sound beside a shard: `audio/<shard>.parquet`, one row and one row group per clip that has sound."""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.schema import Clip
from pipeline.audio import Sound, decode_flac
from pipeline.files import Files
from pipeline.layout import NAMES
from pipeline.schema import feature
from pipeline.sound_track import CutSound

AUDIO = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
"""What Hugging Face `datasets` stores as an `Audio`; `path` is only a name that tells the format."""
SOUND_COLUMNS: tuple[tuple[str, pa.DataType], ...] = (
    ("identity", pa.string()),
    ("video", pa.string()),
    ("clip", pa.string()),
    ("audio", AUDIO),
    ("rate_hz", pa.int32()),
    ("channels", pa.int32()),
    ("samples", pa.int64()),
    ("start_s", pa.float64()),
)
KEY_COLUMNS = ("identity", "video", "clip")
KEPT_FOOTERS = 128
"""Lists of the clips of a file that are kept in memory per process."""


def sound_features() -> dict[str, Any]:
    """Return the features of such a file as Hugging Face `datasets` writes them."""
    return {name: {"_type": "Audio"} if name == "audio" else feature(kind) for name, kind in SOUND_COLUMNS}


SOUND_SCHEMA = pa.schema(SOUND_COLUMNS, metadata={"huggingface": json.dumps({"info": {"features": sound_features()}})})
PARQUET_OPTIONS: Mapping[str, Any] = {
    "compression": {**{name: "zstd" for name, kind in SOUND_COLUMNS if kind != AUDIO}, "audio.bytes": "none"},
    "use_dictionary": False,
    "write_statistics": list(KEY_COLUMNS),
    "write_page_checksum": True,
    "store_schema": True,
}
"""Sound is compressed already. The footer holds the least and the largest key of each row group: that of its clip."""


class SoundWriter:
    """Writes the sound of the clips of a shard, one after the other, as a context manager."""

    def __init__(self, path: Path, metadata: Mapping[str, str]) -> None:
        schema = SOUND_SCHEMA.with_metadata({**(SOUND_SCHEMA.metadata or {}), **metadata})
        self._parquet = pq.ParquetWriter(path, schema, **PARQUET_OPTIONS)

    def __enter__(self) -> "SoundWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._parquet.close()

    def add(self, clip: Clip, sound: CutSound, start_s: float) -> None:
        """Write the row of a clip.

        Args:
            clip: Whose it is.
            sound: Its sound.
            start_s: Time of the first sample, counted from the first stored frame of the clip.
        """
        row = {
            "identity": clip.identity,
            "video": clip.video,
            "clip": clip.clip,
            "audio": {"bytes": sound.flac, "path": f"{clip.identity}_{clip.video}_{clip.clip}.flac"},
            "rate_hz": sound.rate_hz,
            "channels": sound.channels,
            "samples": sound.samples,
            "start_s": start_s,
        }
        self._parquet.write_table(pa.Table.from_pylist([row], SOUND_SCHEMA), row_group_size=1)


def count_sounds(path: Path) -> int:
    """Return how many clips have sound in the file, after reading all of it and comparing the checksums.

    Raises:
        OSError: It is damaged.
        pa.ArrowInvalid: It is no Parquet file.
    """
    with pq.ParquetFile(path, page_checksum_verification=True) as parquet:
        return sum(parquet.read_row_group(group).num_rows for group in range(parquet.num_row_groups))


def stored_sound(files: Files, edition: str, shard: str, names: tuple[str, str, str]) -> Sound | None:
    """Return the sound of a clip, None where it has none; only the footer and the clip's own bytes are read.

    Args:
        files: Where the dataset lies.
        edition: What tells this edition of the dataset from an earlier or later one at the same place.
        shard: Name of the clip's shard.
        names: Identity, video and clip.
    """
    group = _groups(files, edition, shard).get(names)
    if group is None:
        return None
    with files.open(NAMES.audio(shard).as_posix()) as file, pq.ParquetFile(file) as parquet:
        (row,) = parquet.read_row_group(group, columns=["audio", "rate_hz", "start_s"]).to_pylist()
    return Sound(samples=decode_flac(row["audio"]["bytes"]), rate_hz=row["rate_hz"], start_s=row["start_s"])


@lru_cache(maxsize=KEPT_FOOTERS)
def _groups(files: Files, edition: str, shard: str) -> dict[tuple[str, ...], int]:
    """Return which row group belongs to which clip."""
    del edition
    with files.open(NAMES.audio(shard).as_posix()) as file, pq.ParquetFile(file) as parquet:
        metadata = parquet.metadata
        groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
        return {
            tuple(group.column(column).statistics.max for column in range(len(KEY_COLUMNS))): number
            for number, group in enumerate(groups)
        }

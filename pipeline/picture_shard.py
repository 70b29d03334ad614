"""The pictures of clips that were left out of a shard: `rejects/<shard>.parquet`, one row per picture.

They wait there until `rejects.parquet` is made of all of them: records, which every command reads, stay small.
"""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.schema import Clip
from pipeline.layout import DatasetLayout
from weights.errors import HeadshotError
from weights.files import publish

PICTURE = "picture"
PICTURES_SCHEMA = pa.schema([("key", pa.string()), ("identity", pa.string()), (PICTURE, pa.binary())])
JPEG_SCAN = b"\xff\xda"


def write_pictures(path: Path, pictures: Mapping[str, bytes], clips: Mapping[str, Clip]) -> None:
    """Write the pictures of a shard, or remove what an earlier one had where there are none.

    Args:
        path: The file.
        pictures: JPEGs by the key of their clip.
        clips: The shard's clips by key.
    """
    if not pictures:
        path.unlink(missing_ok=True)
        return
    rows = [{"key": key, "identity": clips[key].identity, PICTURE: jpeg} for key, jpeg in sorted(pictures.items())]
    with publish(path) as temporary:
        pq.write_table(
            pa.Table.from_pylist(rows, PICTURES_SCHEMA),
            temporary,
            compression="none",  # they are compressed already, and a takedown looks for their bytes
            use_dictionary=False,
            write_page_checksum=True,
        )


def read_pictures(path: Path) -> dict[str, bytes]:
    """Return the pictures of a shard by the key of their clip; none where there is no file.

    Raises:
        HeadshotError: The file is damaged.
    """
    if not path.is_file():
        return {}
    try:
        rows = pq.read_table(path, schema=PICTURES_SCHEMA, page_checksum_verification=True).to_pylist()
    except (OSError, pa.ArrowInvalid) as error:
        raise HeadshotError(
            f"{path}, which holds pictures of rejected clips, is damaged ({error}); delete it to go on without them"
        ) from error
    return {row["key"]: row[PICTURE] for row in rows}


def pictures_of(path: Path, identity: str) -> list[bytes]:
    """Return the pictures of a person's clips in such a file or in `rejects.parquet`, none where it cannot be read."""
    try:
        with pq.ParquetFile(path) as parquet:
            if PICTURE not in parquet.schema_arrow.names:
                return []
            rows = parquet.read(columns=["identity", PICTURE]).to_pylist()
    except (OSError, pa.ArrowInvalid):
        return []
    return [row[PICTURE] for row in rows if row["identity"] == identity and row[PICTURE]]


def remove_pictures(layout: DatasetLayout) -> None:
    """Remove all pictures of rejected clips; `rejects.parquet` goes first, so that it is written again without them."""
    files = [path for path in layout.files_of_shards() if path == layout.pictures(path.stem)]
    if files:
        layout.rejects.unlink(missing_ok=True)
    for path in files:
        path.unlink()


def without_header(jpeg: bytes) -> bytes:
    """Return what is a picture's own: its header has the tables that all pictures of one quality share."""
    return jpeg[jpeg.index(JPEG_SCAN) :]

"""Where in a shard the image and the points of each row lie, so that single rows are read without touching the rest.

The image and landmark columns of a shard are neither compressed nor dictionary-encoded, so each image, and the points
of each row, are one unbroken run of bytes of the file. The index beside the shard is a plain array; the shard stays
ordinary Parquet.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow.parquet as pq

from weights.errors import HeadshotError

ROW_DTYPE = np.dtype([("image", "<i8"), ("landmarks", "<i8"), ("image_bytes", "<i4"), ("ok", "?")])
"""Of a row: byte offset of its image, byte offset of its points, length of its image, and whether it shows a face."""
IMAGE_BYTES = "image.bytes"
LANDMARK_VALUES = "landmarks.list.element"


def locate_rows(path: Path) -> np.ndarray:
    """Return the places of every row of the file, as `ROW_DTYPE`.

    Every entry is found by comparing the file with what pyarrow reads from it, so it is checked by making it.

    Raises:
        HeadshotError: The image or landmark column is compressed or damaged.
    """
    with pq.ParquetFile(path) as parquet, path.open("rb") as file:
        groups = range(parquet.metadata.num_row_groups)
        parts = [_locate_group(parquet, group, file, path) for group in groups]
    return np.concatenate(parts) if parts else np.empty(0, ROW_DTYPE)


def _locate_group(parquet: pq.ParquetFile, group: int, file: BinaryIO, path: Path) -> np.ndarray:
    table = parquet.read_row_group(group, columns=[IMAGE_BYTES, "landmarks", "ok"])
    places = np.empty(len(table), ROW_DTYPE)
    layout = parquet.metadata.row_group(group)

    images = [image.as_py() for image in table["image"].combine_chunks().field("bytes")]
    start, chunk = _column_bytes(file, layout, IMAGE_BYTES)
    prefixed = (len(image).to_bytes(4, "little") + image for image in images)  # Parquet's PLAIN encoding of one value
    places["image"] = [start + place + 4 for place in _find_in_order(chunk, prefixed, path)]
    places["image_bytes"] = [len(image) for image in images]

    points = table["landmarks"].combine_chunks().flatten().to_numpy().astype("<f4", copy=False).reshape(len(table), -1)
    start, chunk = _column_bytes(file, layout, LANDMARK_VALUES)
    places["landmarks"] = [start + place for place in _find_in_order(chunk, (row.tobytes() for row in points), path)]
    places["ok"] = table["ok"].to_numpy()
    return places


def _column_bytes(file: BinaryIO, row_group: Any, name: str) -> tuple[int, bytes]:
    for index in range(row_group.num_columns):
        column = row_group.column(index)
        if column.path_in_schema == name:
            file.seek(column.data_page_offset)
            return column.data_page_offset, file.read(column.total_compressed_size)
    raise HeadshotError(f"{file.name} has no column {name}; it is not a shard of this project")


def _find_in_order(chunk: bytes, values: Iterable[bytes], path: Path) -> Iterator[int]:
    position = 0
    for value in values:
        if not chunk.startswith(value, position):  # the next one nearly always lies right behind: no search for it
            position = chunk.find(value, position)
        if position < 0:
            raise HeadshotError(f"{path}: a value is not where the file says; the shard is damaged, make it again")
        yield position
        position += len(value)

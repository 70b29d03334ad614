"""Where in a shard each image lies, so that single frames are read without touching the rest.

A shard's image column is neither compressed nor dictionary-encoded, so each image is one unbroken run of bytes of
the file. The index beside the shard is a plain array; the shard stays ordinary Parquet.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow.parquet as pq

from weights.errors import HeadshotError

OFFSET_DTYPE = np.dtype([("offset", "<i8"), ("length", "<i4")])
IMAGE_BYTES = "image.bytes"


def locate_images(path: Path) -> np.ndarray:
    """Return offset and length of every image in the file, row by row.

    Every entry is found by comparing the file with what pyarrow reads from it, so it is checked by making it.

    Raises:
        HeadshotError: The image column is compressed or damaged.
    """
    rows: list[tuple[int, int]] = []
    with pq.ParquetFile(path) as parquet, path.open("rb") as file:
        for group in range(parquet.metadata.num_row_groups):
            start, chunk = _column_bytes(file, parquet.metadata.row_group(group))
            images = parquet.read_row_group(group, columns=[IMAGE_BYTES])["image"].combine_chunks()
            rows += _find_in_order(chunk, start, images.field("bytes"), path)
    return np.array(rows, OFFSET_DTYPE)


def _column_bytes(file: BinaryIO, row_group: Any) -> tuple[int, bytes]:
    for index in range(row_group.num_columns):
        column = row_group.column(index)
        if column.path_in_schema == IMAGE_BYTES:
            file.seek(column.data_page_offset)
            return column.data_page_offset, file.read(column.total_compressed_size)
    raise HeadshotError(f"{file.name} has no column {IMAGE_BYTES}; it is not a shard of this project")


def _find_in_order(chunk: bytes, start: int, images: Any, path: Path) -> Iterator[tuple[int, int]]:
    position = 0
    for image in images:
        data = image.as_py()
        prefixed = len(data).to_bytes(4, "little") + data  # Parquet's PLAIN encoding of one value
        position = chunk.find(prefixed, position)
        if position < 0:
            raise HeadshotError(f"{path}: an image is not where the file says; the shard is damaged, make it again")
        yield start + position + 4, len(data)
        position += len(prefixed)

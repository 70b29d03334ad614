"""A table of clips, read piece by piece and turned into records only where they are asked for."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, Generic, SupportsIndex, TypeVar, overload

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.files import Files

Row = TypeVar("Row")
GROUP_ROWS = 1 << 16
"""Rows of a row group, the piece that is read to get at one row: some ten milliseconds."""
KEPT_GROUPS = 64
"""Row groups kept in memory per process."""
REPEATED = frozenset({"identity", "split", "shard", "licence", "consent", "credit", "reason"})
"""Columns with few different values, kept as numbers and a dictionary."""


@dataclass(frozen=True, slots=True)
class ClipRows(Sequence[Row], Generic[Row]):
    """The rows of a table that is sorted by `key`, as records of one kind.

    Nothing is read before it is needed, and a copy in another process reads for itself, so a million clips cost as
    much as what is asked of them.
    """

    files: Files
    edition: str
    """What tells this edition of the dataset from an earlier or later one at the same place."""
    name: str
    """Of the table's file."""
    kind: type[Row]
    """A dataclass whose fields are columns of the table."""

    def find(self, key: str) -> Row | None:
        """Return the row with this key."""
        outline = self._outline()
        group = bisect_left(outline.last_keys, key)
        if group == len(outline.last_keys):
            return None
        keys = self._group(group)["key"]
        row = bisect_left(range(len(keys)), key, key=lambda row: keys[row].as_py())
        return self[outline.starts[group] + row] if keys[row].as_py() == key else None

    def column(self, name: str) -> pa.Array:
        """Return a whole column; text of few kinds as a dictionary array."""
        with self.files.open(self.name) as file:
            return _read(file, [name])[name].combine_chunks()

    def __len__(self) -> int:
        return self._outline().starts[-1]

    @overload
    def __getitem__(self, position: SupportsIndex) -> Row: ...

    @overload
    def __getitem__(self, position: slice) -> list[Row]: ...

    def __getitem__(self, position: SupportsIndex | slice) -> Row | list[Row]:
        if isinstance(position, slice):
            return [self[row] for row in range(*position.indices(len(self)))]
        starts = self._outline().starts
        row = range(starts[-1])[position]
        group = bisect_right(starts, row) - 1
        return self.kind(**{name: column[row - starts[group]].as_py() for name, column in self._group(group).items()})

    def __iter__(self) -> Iterator[Row]:
        for group in range(len(self._outline().last_keys)):
            for batch in pa.table(self._group(group)).to_batches(max_chunksize=1024):
                yield from (self.kind(**row) for row in batch.to_pylist())

    def _outline(self) -> "_Outline":
        return _outline(self.files, self.edition, self.name)

    def _group(self, group: int) -> dict[str, pa.Array]:
        names = tuple(field.name for field in fields(self.kind))  # type: ignore[arg-type]
        return _group(self.files, self.edition, self.name, group, names)


@dataclass(frozen=True, slots=True)
class _Outline:
    starts: list[int]
    """First row of each row group, and at last the number of rows."""
    last_keys: list[str]


@lru_cache(maxsize=KEPT_GROUPS)
def _outline(files: Files, edition: str, table: str) -> _Outline:
    del edition
    with files.open(table) as file, pq.ParquetFile(file) as parquet:
        keys = parquet.schema_arrow.get_field_index("key")
        groups = [parquet.metadata.row_group(number) for number in range(parquet.metadata.num_row_groups)]
        groups = [group for group in groups if group.num_rows]
        starts = np.cumsum([0, *(group.num_rows for group in groups)]).tolist()
        return _Outline(starts, [group.column(keys).statistics.max for group in groups])


@lru_cache(maxsize=KEPT_GROUPS)
def _group(files: Files, edition: str, table: str, group: int, names: tuple[str, ...]) -> dict[str, pa.Array]:
    del edition
    with files.open(table) as file:
        columns = _read(file, names, group)
    return {name: columns[name].combine_chunks() for name in names}


def _read(file: Any, names: Sequence[str], group: int | None = None) -> pa.Table:
    with pq.ParquetFile(file, read_dictionary=REPEATED.intersection(names)) as parquet:
        columns = list(names)
        return parquet.read(columns) if group is None else parquet.read_row_group(group, columns)

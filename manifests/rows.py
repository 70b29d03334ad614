"""Clips as the rows of a flat table, the same in CSV and in Parquet.

A field that is not set is an empty cell. Attributes are columns `attributes.<name>`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from manifests.schema import Clip

SOURCE_COLUMNS = ("path", "provider", "package", "archive_sha256", "member", "sha256")
BOX_COLUMNS = ("face_x0", "face_y0", "face_x1", "face_y1")
TEXT_COLUMNS = ("licence", "consent", "credit", "source_url")
"""Here an empty cell is an empty text."""
COLUMNS = (
    *("identity", "video", "clip", "split"),
    *SOURCE_COLUMNS,
    *("start_s", "end_s"),
    *BOX_COLUMNS,
    *TEXT_COLUMNS,
    "withdrawn",
)
REQUIRED = ("identity", "video", "clip", "split", "path", "licence", "consent")
"""Of these there must be a column; in `path` or `package` there must be a value as well."""
ATTRIBUTES = "attributes."


def columns_of(clips: Sequence[Clip]) -> dict[str, list[Any]]:
    """Return the table as one list for each column, None where a cell is empty."""
    sources = [vars(clip.source) for clip in clips]
    boxes = [clip.face_box or (None,) * 4 for clip in clips]
    table: dict[str, list[Any]] = {}
    for name in COLUMNS:
        if name in SOURCE_COLUMNS:
            table[name] = [source.get(name) for source in sources]
        elif name in BOX_COLUMNS:
            corner = BOX_COLUMNS.index(name)
            table[name] = [box[corner] for box in boxes]
        else:
            table[name] = [getattr(clip, name) for clip in clips]
    for name in sorted({name for clip in clips for name in clip.attributes}):
        table[ATTRIBUTES + name] = [clip.attributes.get(name) for clip in clips]
    return table


def contents_of(table: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """Yield what each row says, in the shape that `Clip` is validated from.

    Args:
        table: One sequence for each column; None in an empty cell. Columns that `Clip` does not know are passed on,
            so that it can refuse them.
    """
    # Whatever can be settled for a whole column costs nothing for a row: there may be a million of them.
    length = len(next(iter(table.values()), ()))
    used = {name: column for name, column in table.items() if any(cell is not None for cell in column)}
    groups = (*SOURCE_COLUMNS, *BOX_COLUMNS)
    plain = {name: column for name, column in used.items() if name not in groups and not name.startswith(ATTRIBUTES)}
    for name in TEXT_COLUMNS:
        plain[name] = [cell or "" for cell in used.get(name, [""] * length)]
    names = tuple(plain)
    rows = zip(*plain.values(), strict=True)
    for row, source, box, attributes in zip(
        rows, _sources(used, length), _boxes(used, length), _attributes(used, length), strict=True
    ):
        content = {name: cell for name, cell in zip(names, row, strict=True) if cell is not None}
        content["source"] = source
        if box is not None:
            content["face_box"] = box
        if attributes:
            content["attributes"] = attributes
        yield content


def _sources(used: Mapping[str, Sequence[Any]], length: int) -> Iterator[dict[str, Any]]:
    columns = {name: used[name] for name in SOURCE_COLUMNS if name in used}
    if tuple(columns) == ("path",):
        yield from ({"kind": "file", "path": path} if path is not None else {"kind": "file"} for path in used["path"])
        return
    for row in _rows(columns, length):
        yield {"kind": "package" if "package" in row else "file", **row}


def _boxes(used: Mapping[str, Sequence[Any]], length: int) -> Iterator[tuple[Any, ...] | None]:
    empty = [None] * length
    for box in zip(*(used.get(name, empty) for name in BOX_COLUMNS), strict=True):
        yield None if box == (None,) * len(BOX_COLUMNS) else box


def _attributes(used: Mapping[str, Sequence[Any]], length: int) -> Iterator[dict[str, Any]]:
    yield from _rows(
        {name.removeprefix(ATTRIBUTES): column for name, column in used.items() if name.startswith(ATTRIBUTES)}, length
    )


def _rows(columns: Mapping[str, Sequence[Any]], length: int) -> Iterator[dict[str, Any]]:
    """Yield the filled cells of each row, also where there are no columns."""
    names = tuple(columns)
    for row in zip(*columns.values(), strict=True) if columns else ((),) * length:
        yield {name: cell for name, cell in zip(names, row, strict=True) if cell is not None}

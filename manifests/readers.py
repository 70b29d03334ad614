"""Manifests from files. The suffix names the format."""

import csv
import json
import tomllib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from manifests.garbage import collection_paused
from manifests.names import safe_name
from manifests.rows import ATTRIBUTES, COLUMNS, REQUIRED, contents_of
from manifests.schema import Clip, Manifest
from weights.errors import HeadshotError

DEMO = Path(__file__).with_name("demo.toml")
"""The sample clips that come from packages."""
PARQUET_HEADER = b"headshot.manifest"
"""Key of the metadata of a Parquet file that holds the header of the manifest as JSON."""
CSV_COMMENT = "#"
"""Begins the lines above the columns of a CSV file that hold the header of the manifest as TOML."""
BATCH = 8192

_SHOWN = 5
_CLIPS = TypeAdapter(list[Clip])


def read_manifest(path: Path) -> Manifest:
    """Return the manifest in the file at `path`, checked.

    Raises:
        HeadshotError: The file is absent, of an unknown format or broken, or a rule of the manifest is; the
            message names the clip and the field.
    """
    read = _READERS.get(path.suffix)
    if read is None:
        raise HeadshotError(
            f"{path}: manifests are read from {', '.join(_READERS)} files, not {path.suffix or 'no suffix'!r}"
        )
    if not path.is_file():
        raise HeadshotError(f"{path}: there is no such manifest; the sample clips are in {DEMO}")
    with collection_paused():
        return read(path)


def _read_toml(path: Path) -> Manifest:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HeadshotError(f"{path} is not valid TOML: {error}; correct it there") from error
    return _validated(path, content)


def _read_csv(path: Path) -> Manifest:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, columns = _csv_header(path, file)
            _check_columns(path, columns)
            rows = csv.reader(file, strict=True)
            return _assembled(path, header, iter(lambda: _csv_batch(path, columns, rows), {}))
    except (UnicodeDecodeError, csv.Error) as error:
        raise HeadshotError(f"{path} is not valid CSV: {error}; correct it there") from error


def _csv_header(path: Path, file: Any) -> tuple[dict[str, Any], list[str]]:
    """Return the header of the manifest, by default from the name of the file, and the names of the columns."""
    comments = []
    for line in file:
        if not line.startswith(CSV_COMMENT):
            columns = next(csv.reader([line]), [])
            break
        comments.append(line.removeprefix(CSV_COMMENT).strip())
    else:
        columns = []
    try:
        header = tomllib.loads("\n".join(comments))
    except tomllib.TOMLDecodeError as error:
        raise HeadshotError(f"{path}: the lines with {CSV_COMMENT} at the top are not TOML: {error}") from error
    return {**_default_header(path), **header}, columns


def _csv_batch(path: Path, columns: list[str], rows: Any) -> dict[str, list[str | None]]:
    batch = list(islice(rows, BATCH))
    for row in batch:
        if len(row) != len(columns):
            raise HeadshotError(
                f"{path}: a row has {len(row)} cells instead of {len(columns)}: {','.join(row)[:100]}; correct it there"
            )
    cells = zip(*batch, strict=True) if batch else ()
    return {name: [cell or None for cell in column] for name, column in zip(columns, cells, strict=bool(batch))}


def _read_parquet(path: Path) -> Manifest:
    try:
        with pq.ParquetFile(path) as file:
            metadata = file.schema_arrow.metadata or {}
            header = json.loads(metadata.get(PARQUET_HEADER, b"{}"))
            _check_columns(path, file.schema_arrow.names)
            tables = ({name: _values(batch[name]) for name in batch.schema.names} for batch in file.iter_batches(BATCH))
            return _assembled(path, {**_default_header(path), **header}, tables)
    except (pa.ArrowException, ValueError, OSError) as error:
        raise HeadshotError(f"{path} is not a Parquet file of clips: {error}; make it again") from error


def _values(column: Any) -> list[Any]:
    """Return the cells of a column; equal texts as one object, for a million clips share few licences."""
    types = pa.types
    if types.is_dictionary(column.type):
        encoded = column
    elif types.is_string(column.type) or types.is_large_string(column.type):
        encoded = column.dictionary_encode()
    else:
        values: list[Any] = column.to_pylist()
        return values
    words = [*encoded.dictionary.to_pylist(), None]
    return [words[index] for index in encoded.indices.fill_null(len(words) - 1).to_pylist()]


def _default_header(path: Path) -> dict[str, str]:
    return {"name": safe_name(path.stem), "title": path.stem}


_READERS: dict[str, Callable[[Path], Manifest]] = {".toml": _read_toml, ".csv": _read_csv, ".parquet": _read_parquet}


def _check_columns(path: Path, columns: list[str]) -> None:
    enough = {*columns, "path"} if "package" in columns else set(columns)
    missing = [name for name in REQUIRED if name not in enough]
    unknown = [name for name in columns if name not in COLUMNS and not name.startswith(ATTRIBUTES)]
    if missing or unknown or len(set(columns)) < len(columns):
        raise HeadshotError(
            f"{path}: missing columns: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'}. "
            f"Known are {', '.join(COLUMNS)} and {ATTRIBUTES}<name>, each once"
        )


def _assembled(path: Path, header: dict[str, Any], tables: Iterator[dict[str, Any]]) -> Manifest:
    """Return the manifest of a table that comes in parts, so that not all of it is there twice."""
    clips: list[Clip] = []
    for table in tables:
        contents = list(contents_of(table))
        try:
            clips += _CLIPS.validate_python(contents)
        except ValidationError as error:
            raise HeadshotError(_explain(path, {"clips": contents}, error, ("clips",), len(clips))) from error
    return _validated(path, {**header, "clips": clips})


def _validated(path: Path, content: dict[str, Any]) -> Manifest:
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        raise HeadshotError(_explain(path, content, error)) from error


def _explain(
    path: Path, content: dict[str, Any], error: ValidationError, above: tuple[str, ...] = (), before: int = 0
) -> str:
    """Return what is wrong, as far as it fits; clips are counted from those `before`, which came in earlier parts."""
    problems = error.errors()
    lines = [_describe(problem, content, above, before) for problem in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        lines.append(f"and {len(problems) - _SHOWN} more")
    return f"{path}: {'; '.join(lines)}. Correct the manifest and run the command again"


def _describe(problem: ErrorDetails, content: dict[str, Any], above: tuple[str, ...], before: int) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    location = [*above, *(str(part) for part in problem["loc"])]
    if location[:1] == ["clips"] and len(location) > 1:
        index = int(location[1])
        location[:2] = [_clip_name(content["clips"][index], before + index)]
    found = "" if problem["type"] in ("missing", "value_error") else f" (found {problem['input']!r})"
    return f"{', '.join(location)}: {message}{found}" if location else message


def _clip_name(clip: Any, index: int) -> str:
    """Return the key of a clip as far as it can be read, else its place in the file."""
    names = [clip.get(field) for field in ("identity", "video", "clip")] if isinstance(clip, dict) else [None]
    return f"clip {'/'.join(map(str, names))}" if all(names) else f"clip number {index + 1}"

"""Manifests to files. The suffix names the format; what is written reads back equal."""

import csv
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.readers import CSV_COMMENT, PARQUET_HEADER
from manifests.rows import BOX_COLUMNS, columns_of
from manifests.schema import Manifest
from weights.errors import HeadshotError
from weights.files import publish

_HEADER = {"schema_version", "name", "title", "description"}
_FIRST = "schema_version = "
"""How the header of a manifest begins in TOML, and behind a `#` in CSV."""
_NUMBERS = {"start_s", "end_s", *BOX_COLUMNS}


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write `manifest` to `path`, all or nothing.

    TOML is for people, Parquet for a million clips, CSV for spreadsheets: its first lines begin with `#` and hold the
    name, title and description.

    Raises:
        HeadshotError: The suffix is none of these.
    """
    check_suffix(path)
    with publish(path) as temporary:
        _WRITERS[path.suffix](manifest, temporary)


def check_suffix(path: Path) -> None:
    """Refuse a path that no manifest can be written to, before any work is done for it.

    Raises:
        HeadshotError: The suffix is not that of a format.
    """
    if path.suffix not in _WRITERS:
        raise HeadshotError(f"{path}: manifests are written to {', '.join(_WRITERS)} files; choose one of these")


def check_target(path: Path, source: Path | None = None) -> None:
    """Refuse a path that no manifest may be written to, before any work is done for it.

    What is there already may be replaced if it is a manifest, but neither the one that is read nor anything else: it
    could be the annotations of a corpus.

    Args:
        path: Where a manifest is to be written.
        source: The manifest that it is made from.

    Raises:
        HeadshotError: The suffix is not that of a format, or what lies there must not be replaced.
    """
    check_suffix(path)
    if not path.exists():
        return
    if source is not None and source.exists() and path.samefile(source):
        raise HeadshotError(f"--out {path} is the manifest that is read, and it is not overwritten; give another name")
    if not (path.is_file() and _is_manifest(path)):
        raise HeadshotError(
            f"--out {path} is there already and was not written as a manifest (it could be the annotations of a "
            "corpus), so it is not overwritten; give another name, or remove it"
        )


def _is_manifest(path: Path) -> bool:
    """Return whether a file begins as those written here do."""
    try:
        if path.suffix == ".parquet":
            return PARQUET_HEADER in (pq.read_metadata(path).metadata or {})
        with path.open(encoding="utf-8-sig") as file:
            return file.readline().removeprefix(f"{CSV_COMMENT} ").startswith(_FIRST)
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return False


def _write_toml(manifest: Manifest, path: Path) -> None:
    tables = [_toml_lines(manifest.model_dump(include=_HEADER))]
    for clip in manifest.clips:
        content = clip.model_dump(exclude_defaults=True) | {"source": clip.source.model_dump(exclude_none=True)}
        tables.append("[[clips]]\n" + _toml_lines(content))
    if not manifest.clips:
        tables[0] += "clips = []\n"
    path.write_text("\n".join(tables), encoding="utf-8")


def _write_csv(manifest: Manifest, path: Path) -> None:
    table = columns_of(manifest.clips)
    with path.open("w", encoding="utf-8", newline="") as file:
        header = _toml_lines(manifest.model_dump(include=_HEADER))
        file.writelines(f"{CSV_COMMENT} {line}\n" for line in header.removesuffix("\n").split("\n"))
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))


def _write_parquet(manifest: Manifest, path: Path) -> None:
    table = columns_of(manifest.clips)
    header = json.dumps(manifest.model_dump(include=_HEADER))
    schema = pa.schema([(name, _arrow_type(name)) for name in table], metadata={PARQUET_HEADER: header})
    pq.write_table(pa.table(table, schema), path, compression="zstd")


_WRITERS: dict[str, Callable[[Manifest, Path], None]] = {
    ".toml": _write_toml,
    ".csv": _write_csv,
    ".parquet": _write_parquet,
}


def _arrow_type(column: str) -> Any:
    if column in _NUMBERS:
        return pa.float64()
    return pa.date32() if column == "withdrawn" else pa.string()


def _toml_lines(content: dict[str, Any]) -> str:
    return "".join(f"{name} = {_toml_value(value)}\n" for name, value in content.items() if value is not None)


def _toml_value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml_value(inner)}" for name, inner in value.items()) + " }"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return value.isoformat() if isinstance(value, date) else repr(value)

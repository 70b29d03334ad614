"""The source videos of a person who leaves: which may be deleted, and which others are seen in too."""

from dataclasses import dataclass
from pathlib import Path

from manifests.samples import resolve
from manifests.schema import Clip, FileSource
from pipeline.layout import DatasetLayout
from pipeline.plan import read_plan
from pipeline.takedown import Change
from pipeline.takedown_notes import Takedown
from weights.errors import HeadshotError


@dataclass(frozen=True, slots=True, kw_only=True)
class Videos:
    """The source videos of a person."""

    own: tuple[Path, ...]
    """Files that show nobody else of the dataset and lie in the folder of videos: they may be deleted."""
    others: tuple[str, ...]
    """The rest, each with the reason why it is left alone."""


def videos_of(root: Path, takedown: Takedown, folder: Path) -> Videos:
    """Return the videos of the person, and which of them may be deleted.

    Args:
        root: Folder of the dataset.
        takedown: Says where the videos lie.
        folder: Of the videos; files outside it are left alone.
    """
    plan = read_plan(DatasetLayout(root.resolve()))
    clips = [clip for clip in takedown.clips if not _is_bare(clip)]
    shared = {clip.source for shard in plan.shards for clip in shard.clips if clip.identity != takedown.identity} & {
        clip.source for clip in clips
    }
    own: dict[Path, None] = {}
    others: dict[str, None] = {}
    for clip in clips:
        try:
            path = resolve(clip, folder).resolve()
        except HeadshotError:
            continue
        if clip.source in shared:
            others[f"{path}: it shows somebody else of the dataset too"] = None
        elif not path.is_relative_to(folder.resolve()):
            others[f"{path}: it is not in {folder}"] = None
        else:
            own[path] = None
    return Videos(own=tuple(own), others=tuple(others))


def delete_videos(videos: Videos) -> Change:
    """Delete the videos that may be deleted."""
    for path in videos.own:
        path.unlink(missing_ok=True)
    return Change(what="source videos, deleted", files=len(videos.own), rows=0, unit="")


def _is_bare(clip: Clip) -> bool:
    return isinstance(clip.source, FileSource) and not clip.source.path

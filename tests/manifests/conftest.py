"""What the tests of all corpora need: clips and problems apart, and videos that need not be videos."""

from collections.abc import Iterable
from pathlib import Path

from manifests.corpus import Problem, Terms
from manifests.schema import Clip
from manifests.videos import VideoFacts, Videos

TERMS = Terms(licence="for research", consent="not known", credit="the authors")
WIDE = VideoFacts(aspect=16 / 9, fps=25.0)


def parted(entries: Iterable[Clip | Problem]) -> tuple[dict[str, Clip], list[Problem]]:
    """Return the clips by key, and the problems."""
    clips: dict[str, Clip] = {}
    problems = []
    for entry in entries:
        if isinstance(entry, Problem):
            problems.append(entry)
        else:
            assert entry.key not in clips
            clips[entry.key] = entry
    return clips, problems


def videos_in(folder: Path, *paths: str, facts: VideoFacts | None = WIDE) -> Videos:
    """Make empty files and return them as videos that all say the same about themselves."""
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    folder.mkdir(exist_ok=True)
    return Videos(folder, lambda _: facts)

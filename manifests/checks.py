"""What a manifest that obeys all rules may still lack: videos, terms, consent."""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from manifests.samples import place_of
from manifests.schema import Clip, Manifest
from weights.errors import HeadshotError

DOCUMENTED = ("licence", "consent", "source_url")
"""Fields that should say something about every clip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """A number of clips that lack something."""

    what: str
    clips: int
    first: str
    """Key of one of them."""


def lacks(manifest: Manifest, missing: frozenset[str]) -> tuple[Lack, ...]:
    """Return what clips that are not withdrawn lack, without what none of them lacks.

    Args:
        manifest: The clips.
        missing: Keys of clips whose video is not there.
    """
    clips = _in_use(manifest)
    found = {f"no {field}": [clip.key for clip in clips if not getattr(clip, field)] for field in DOCUMENTED}
    found["no video"] = [clip.key for clip in clips if clip.key in missing]
    found["no face_box"] = [clip.key for clip in clips if clip.face_box is None]
    return tuple(Lack(what=what, clips=len(keys), first=keys[0]) for what, keys in found.items() if keys)


def missing_videos(
    manifest: Manifest, folder: Path, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> frozenset[str]:
    """Return the keys of the clips that are not withdrawn and whose video is not in `folder`.

    Args:
        manifest: The clips.
        folder: Where a command would look for videos.
        progress: Told how many of how many videos were looked for.
    """
    clips = _in_use(manifest)
    places = {source: place_of(source, folder) for source in dict.fromkeys(clip.source for clip in clips)}
    absent = set()
    for done, (source, place) in enumerate(places.items(), start=1):
        if not os.path.isfile(place):  # noqa: PTH113 - a million times
            absent.add(source)
        if done % 1000 == 0:
            progress(done, len(places))
    return frozenset(clip.key for clip in clips if clip.source in absent)


def require_consent(manifest: Manifest) -> None:
    """Refuse a manifest with clips for which nobody knows on what basis the person agreed.

    Raises:
        HeadshotError: Such a clip is neither documented nor withdrawn.
    """
    unknown = [clip.key for clip in _in_use(manifest) if not clip.consent.strip()]
    if unknown:
        licences = Counter(clip.licence for clip in _in_use(manifest)).most_common(1)
        raise HeadshotError(
            f"manifest {manifest.name}: {len(unknown)} of {len(manifest.clips)} clips state no consent, such as "
            f"{unknown[0]} (licence {licences[0][0] or 'not stated'!r}; a licence is not consent); fill in `consent`, "
            "leave these clips out, or go without --require-consent"
        )


def _in_use(manifest: Manifest) -> list[Clip]:
    return [clip for clip in manifest.clips if clip.withdrawn is None]

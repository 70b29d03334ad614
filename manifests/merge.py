"""Several manifests made one: nobody twice without being told so, nobody in two splits."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from manifests.schema import Clip, FileSource, Manifest, Name, Split
from weights.errors import HeadshotError

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A manifest that goes into another one."""

    manifest: Manifest
    videos: Path | None
    """Folder that the paths of its videos start from; None leaves them as they are."""


def merge(
    parts: Sequence[Part],
    *,
    name: Name,
    title: str,
    move: Mapping[str, Split] | None = None,
    same_people: bool = False,
) -> Manifest:
    """Return one manifest of the clips of several, in their order.

    Args:
        parts: Manifests. Where a folder of videos is given, paths become absolute, since one folder cannot serve all;
            videos from packages are found by their package and stay as they are.
        name: Of the result.
        title: Of the result.
        move: The split that people are put into, by name; the others stay where they are.
        same_people: A name that occurs in two manifests is one person. Otherwise it is refused: `person1` of two
            manifests may be two people.

    Raises:
        HeadshotError: A clip or a person is in two of the manifests, a person would be in two splits, or nobody has
            a name in `move`.
    """
    move = move or {}
    keys = Counter(key for part in parts for key in {clip.key for clip in part.manifest.clips})
    _refuse_twice(keys, "clip", "leave them out of one of the two")
    people = Counter(identity for part in parts for identity in {clip.identity for clip in part.manifest.clips})
    if not same_people:
        _refuse_twice(people, "identity", "if they are the same people say so with --same-people, else rename them")
    unknown = sorted(move.keys() - people.keys())
    if unknown:
        raise HeadshotError(f"--move {', '.join(unknown)}: none of the manifests has a person of that name")
    clips = [_moved(_placed(clip, part.videos), move) for part in parts for clip in part.manifest.clips]
    _refuse_two_splits(clips)
    descriptions = dict.fromkeys(part.manifest.description for part in parts if part.manifest.description)
    return Manifest(name=name, title=title, description="\n\n".join(descriptions), clips=tuple(clips))


def _placed(clip: Clip, videos: Path | None) -> Clip:
    if videos is None or not isinstance(clip.source, FileSource):
        return clip
    path = str((videos / clip.source.path).absolute())
    return clip.model_copy(update={"source": clip.source.model_copy(update={"path": path})})


def _moved(clip: Clip, move: Mapping[str, Split]) -> Clip:
    return clip.model_copy(update={"split": move[clip.identity]}) if clip.identity in move else clip


def _refuse_twice(counts: Mapping[str, int], what: str, remedy: str) -> None:
    twice = sorted(name for name, count in counts.items() if count > 1)
    if twice:
        raise HeadshotError(f"{_listed(twice, what)} in more than one of the manifests; {remedy}")


def _refuse_two_splits(clips: Iterable[Clip]) -> None:
    splits: dict[str, set[str]] = {}
    for clip in clips:
        splits.setdefault(clip.identity, set()).add(clip.split)
    both = sorted(identity for identity, of_one in splits.items() if len(of_one) > 1)
    if both:
        raise HeadshotError(
            f"{_listed(both, 'identity')} in different splits of the manifests; a person may be in one split only, so "
            f"put them into one, such as --move {both[0]}=test"
        )


def _listed(names: Sequence[str], what: str) -> str:
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    return f"{what} {shown} {'is' if len(names) == 1 else 'are'}"

"""Who is seen when: stretches of video put together to people, and the person the clip is about picked out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float

from pipeline.blazeface import box_iou
from pipeline.config import PipelineConfig
from pipeline.track import SAME_FACE_IOU, Track
from pipeline.verdicts import ClipRejectedError, RejectReason

SAME_PERSON = 0.5
"""Stretches at different places, or of different scenes, are the same person's from this cosine on.

Measured with the embedded recogniser (`fr-feature-512`) on 24 clips of 17 people, means of five faces of a stretch: of
5,849 pairs of one person two lie below it (median 0.91), of 10,435 pairs of two people none comes above 0.38 (median
0.00). With three faces the least alike pair of one person has 0.39, the most alike of two 0.40. See docs/pipeline.md.
"""
OTHER_PERSON = 0.35
"""Stretches at the same place, moments apart, are the same person's unless their cosine is below this: place speaks for
it. No pair of one person is, and 0.2% of the pairs of two people are not."""
MARGIN = 0.1
"""Two people who are seen side by side are told apart only if one of them is that much more alike."""

Embed = Callable[[Sequence[Track]], Float[np.ndarray, "pieces width"]]
"""Returns a unit vector for each stretch."""


@dataclass(frozen=True, slots=True)
class Person:
    """The stretches of a clip in which one person is seen, in the order of time; none overlap."""

    scenes: tuple[Track, ...]

    @property
    def rows(self) -> list[int]:
        """Positions in the clip's frames, increasing."""
        return [row for scene in self.scenes for row in scene.rows]

    @property
    def weight(self) -> float:
        """How much of the clip is about this person: frames times side of the face."""
        return sum(_weight(scene) for scene in self.scenes)

    def face_px(self) -> float:
        """Return the median side of the face in source pixels."""
        return Track(faces=[face for scene in self.scenes for face in scene.faces]).face_px()

    def framed_alike(self) -> "Person":
        """Return the person in the main scene and in those where the head is at about the same place.

        One crop has to serve them all.
        """
        main = _middle_box(max(self.scenes, key=_weight))
        return Person(
            tuple(scene for scene in self.scenes if float(box_iou(main, _middle_box(scene)[None])[0]) >= SAME_FACE_IOU)
        )

    def absent(self) -> tuple[range, ...]:
        """Return the rows between scenes, in which somebody else or nobody is seen."""
        return tuple(range(one.rows[-1] + 1, other.rows[0]) for one, other in pairwise(self.scenes))


def people_in(tracks: Sequence[Track], embed: Embed) -> list[Person]:
    """Return who is seen in a clip.

    Where place alone cannot tell who is who, faces are compared: before and after a scene cut, a sudden change of the
    picture or an absence. A clip in which everybody stays in sight costs nothing.

    Args:
        tracks: Every face that was followed.
        embed: Looks at stretches of them; not called where there is nothing to decide.
    """
    pieces, before = _pieces(tracks)
    together = _together(pieces)
    comparable = np.flatnonzero(~together.all(axis=1))
    if not len(comparable):
        return [Person((piece,)) for piece in pieces]
    found = embed([pieces[index] for index in comparable])
    vectors = np.zeros((len(pieces), found.shape[1]))
    vectors[comparable] = found
    held = {
        index: other
        for index, other in enumerate(before)
        if other is not None and vectors[index] @ vectors[other] >= OTHER_PERSON
    }
    return [Person(_scenes(group, pieces, held)) for group in _grouped(vectors, together, held)]


def pick_person(people: Sequence[Person], hint: Float[np.ndarray, " 4"] | None, config: PipelineConfig) -> Person:
    """Return the person the clip is about.

    Args:
        people: Everybody seen.
        hint: Face box in pixels at the start of the clip, from the manifest; None lets the longest and largest
            face win, unless a second one competes with it.
        config: Gives the limits.

    Raises:
        ClipRejectedError: There is no face (where the hint says), or two people compete.
    """
    ranked = sorted(people, key=lambda person: -person.weight)
    if not ranked:
        raise ClipRejectedError(RejectReason.NO_FACE, "no face in any frame")
    if hint is not None:
        return _hinted(ranked, hint, config)
    for rival in ranked[1:]:
        _check_rival(ranked[0], rival, config)
    return ranked[0]


def _hinted(people: list[Person], hint: Float[np.ndarray, " 4"], config: PipelineConfig) -> Person:
    first_second = [(person, scene) for person in people for scene in person.scenes if scene.rows[0] <= config.fps]
    overlaps = [float(box_iou(hint, scene.faces[0].box[None])[0]) for _, scene in first_second]
    if not overlaps or max(overlaps) <= 0:
        where = ", ".join(f"{value:.0f}" for value in hint)
        raise ClipRejectedError(
            RejectReason.NO_FACE,
            f"none of the {len(people)} faces lies where the manifest's face_box says (pixels {where}) "
            "in the first second",
        )
    return first_second[int(np.argmax(overlaps))][0]


def _check_rival(chosen: Person, rival: Person, config: PipelineConfig) -> None:
    what_to_do = "give the clip a face_box in the manifest that says who is meant"
    together = len(set(chosen.rows) & set(rival.rows)) / len(chosen.rows)
    size = rival.face_px() / chosen.face_px()
    if together >= config.ambiguous_time and size >= config.ambiguous_size:
        raise ClipRejectedError(
            RejectReason.AMBIGUOUS_FACE,
            f"two people: the second face is {size:.0%} as large as the first and is seen with it in {together:.0%} "
            f"of its frames; {what_to_do}",
        )
    if config.recognise and rival.weight >= config.ambiguous_share * chosen.weight:
        raise ClipRejectedError(
            RejectReason.AMBIGUOUS_FACE,
            f"two people by turns, or one who cannot be recognised: {len(chosen.rows)} frames of the first face, "
            f"{len(rival.rows)} of the second, {size:.0%} as large; {what_to_do}",
        )


def _pieces(tracks: Sequence[Track]) -> tuple[list[Track], list[int | None]]:
    """Return the stretches of one person each, and for each the one that went before it at its place."""
    pieces: list[Track] = []
    before: list[int | None] = []
    for track in tracks:
        for part, piece in enumerate(track.pieces()):
            before.append(len(pieces) - 1 if part else None)
            pieces.append(piece)
    return pieces, before


def _together(pieces: Sequence[Track]) -> Bool[np.ndarray, "pieces pieces"]:
    """Return which stretches overlap in time, so that they cannot be the same person's; each overlaps itself."""
    first, last = (np.array([piece.rows[end] for piece in pieces], int) for end in (0, -1))
    return np.asarray((first[:, None] <= last) & (first <= last[:, None]))


def _grouped(
    vectors: Float[np.ndarray, "pieces width"], together: Bool[np.ndarray, "pieces pieces"], held: Mapping[int, int]
) -> list[list[int]]:
    """Return the stretches of each person: first those that place holds together, then the most alike, pair by pair."""
    groups: list[list[int]] = []
    for index in range(len(vectors)):
        if index in held:
            groups[-1].append(index)  # stretches of one track follow each other
        else:
            groups.append([index])
    while pair := _most_alike(groups, vectors, together):
        keep, add = pair
        groups[keep] += groups.pop(add)
    return groups


def _most_alike(
    groups: list[list[int]], vectors: Float[np.ndarray, "pieces width"], together: Bool[np.ndarray, "pieces pieces"]
) -> tuple[int, int] | None:
    """Return the two groups to be joined next, the lower one first; None where no two are the same person for sure."""
    members = np.array([np.isin(np.arange(len(vectors)), group) for group in groups])
    means = members @ vectors
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), np.finfo(float).tiny)
    cosines, meet = means @ means.T, members @ together @ members.T
    ones, others = np.nonzero(np.triu(~meet & (cosines >= SAME_PERSON)))
    np.fill_diagonal(meet, val=False)
    for place in np.argsort(-cosines[ones, others], kind="stable"):
        one, other = int(ones[place]), int(others[place])
        bar = cosines[one, other] - MARGIN
        beside_other, beside_one = meet[other] & ~meet[one], meet[one] & ~meet[other]
        if not (cosines[one, beside_other] > bar).any() and not (cosines[other, beside_one] > bar).any():
            return one, other
    return None


def _scenes(group: list[int], pieces: Sequence[Track], held: Mapping[int, int]) -> tuple[Track, ...]:
    """Return the stretches of a person, those that place holds together as one."""
    scenes: list[Track] = []
    last = None
    for index in sorted(group, key=lambda index: pieces[index].rows[0]):
        if index in held and held[index] == last:
            scenes[-1] = Track(rows=scenes[-1].rows + pieces[index].rows, faces=scenes[-1].faces + pieces[index].faces)
        else:
            scenes.append(pieces[index])
        last = index
    return tuple(scenes)


def _weight(scene: Track) -> float:
    return len(scene.rows) * scene.face_px()


def _middle_box(scene: Track) -> Float[np.ndarray, " 4"]:
    return np.asarray(np.median([face.box for face in scene.faces], axis=0))

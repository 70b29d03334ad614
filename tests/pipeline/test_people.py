"""Stretches put together to people; embeddings are arrows in a plane, given in degrees."""

from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.config import PipelineConfig
from pipeline.people import Person, people_in, pick_person
from pipeline.portraits import portraits
from pipeline.track import Track
from pipeline.verdicts import ClipRejectedError, RejectReason
from tests.pipeline.conftest import _disc_face

LEFT, MIDDLE, RIGHT = (20, 40, 60, 80), (30, 40, 70, 80), (120, 40, 160, 80)


def stretch(rows: range, box: Sequence[float] = LEFT, doubts: Sequence[int] = ()) -> Track:
    faces = [_disc_face(np.array(box, np.float32)) for _ in rows]
    return Track(rows=list(rows), faces=faces, doubts=list(doubts))


class Arrows:
    """Embeds stretches as unit vectors with the angles that are given, by their first row and side."""

    def __init__(self, degrees: dict[tuple[int, str], float]) -> None:
        self._degrees = degrees
        self.asked = 0

    def __call__(self, pieces: Sequence[Track]) -> np.ndarray:
        self.asked += len(pieces)
        keys = [(piece.rows[0], "right" if piece.last.box[0] > 100 else "left") for piece in pieces]
        angles = np.radians([self._degrees[key] for key in keys])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def people(tracks: Sequence[Track], degrees: dict[tuple[int, str], float]) -> list[list[list[int]]]:
    """Return first and last row of each scene of each person."""
    found = people_in(tracks, Arrows(degrees))
    return sorted([[scene.rows[0], scene.rows[-1]] for scene in person.scenes] for person in found)


def reason_of(persons: Sequence[Person]) -> RejectReason:
    with pytest.raises(ClipRejectedError) as rejected:
        pick_person(persons, None, PipelineConfig())
    return rejected.value.verdict.reason


def test_nobody_is_compared_where_everybody_stays_in_sight() -> None:
    arrows = Arrows({})
    assert len(people_in([stretch(range(50))], arrows)) == 1
    assert len(people_in([stretch(range(50)), stretch(range(10, 50), RIGHT)], arrows)) == 2
    assert people_in([], arrows) == []
    assert arrows.asked == 0


def test_scenes_of_one_person_are_joined_and_the_one_between_is_not() -> None:
    tracks = [stretch(range(50)), stretch(range(50, 90)), stretch(range(90, 140))]
    angles = {(0, "left"): 0, (50, "left"): 90, (90, "left"): 20}
    assert people(tracks, angles) == [[[0, 49], [90, 139]], [[50, 89]]]


def test_what_lies_between_alike_and_different_is_not_joined_across_a_cut() -> None:
    tracks = [stretch(range(50)), stretch(range(50, 90))]
    assert len(people(tracks, {(0, "left"): 0, (50, "left"): 59})) == 1
    assert len(people(tracks, {(0, "left"): 0, (50, "left"): 61})) == 2


def test_at_the_same_place_a_face_is_the_same_persons_unless_it_clearly_is_not() -> None:
    track = stretch(range(100), doubts=[40])
    assert people([track], {(0, "left"): 0, (40, "left"): 65}) == [[[0, 99]]]
    assert people([track], {(0, "left"): 0, (40, "left"): 75}) == [[[0, 39]], [[40, 99]]]


def test_two_people_who_changed_places_across_a_cut_are_told_apart() -> None:
    tracks = [stretch(range(50)), stretch(range(50), RIGHT), stretch(range(50, 90)), stretch(range(50, 90), RIGHT)]
    angles = {(0, "left"): 0, (0, "right"): 90, (50, "left"): 85, (50, "right"): 5}
    found = people_in(tracks, Arrows(angles))
    places = [[bool(scene.last.box[0] > 100) for scene in person.scenes] for person in found]
    assert sorted(places) == [[False, True], [True, False]]


def test_somebody_who_could_be_either_of_two_is_neither() -> None:
    tracks = [stretch(range(50)), stretch(range(50, 90)), stretch(range(50, 90), RIGHT)]
    assert len(people(tracks, {(0, "left"): 0, (50, "left"): 30, (50, "right"): -32})) == 3
    assert len(people(tracks, {(0, "left"): 0, (50, "left"): 10, (50, "right"): -50})) == 2


def test_two_people_by_turns_are_ambiguous_and_a_short_interruption_is_not() -> None:
    def two(second: int) -> list[Person]:
        return [Person((stretch(range(50)),)), Person((stretch(range(50, 50 + second)),))]

    assert reason_of(two(40)) == RejectReason.AMBIGUOUS_FACE
    assert pick_person(two(20), None, PipelineConfig()).rows == [*range(50)]
    assert pick_person(two(40), None, PipelineConfig(recognise=False)).rows == [*range(50)]


def test_who_is_seen_in_most_scenes_wins_over_who_sits_beside_in_one() -> None:
    """Each scene alone would be ambiguous or shorter; together they say who the clip is about."""
    tracks = [stretch(range(60)), stretch(range(60, 100)), stretch(range(60, 100), RIGHT), stretch(range(100, 140))]
    angles = {(0, "left"): 0, (60, "left"): 10, (60, "right"): 90, (100, "left"): 5}
    chosen = pick_person(people_in(tracks, Arrows(angles)), None, PipelineConfig())
    assert chosen.rows == [*range(140)]


def test_a_hint_names_the_person_of_all_scenes() -> None:
    tracks = [stretch(range(50)), stretch(range(50), RIGHT), stretch(range(50, 90), RIGHT)]
    angles = {(0, "left"): 0, (0, "right"): 90, (50, "right"): 5}
    hint = np.array(LEFT, np.float32)
    chosen = pick_person(people_in(tracks, Arrows(angles)), hint, PipelineConfig())
    assert chosen.rows == [*range(90)]
    assert chosen.framed_alike().rows == [*range(50)]


def test_scenes_with_the_head_at_the_same_place_share_a_crop() -> None:
    person = Person((stretch(range(50)), stretch(range(60, 90), MIDDLE), stretch(range(100, 120), RIGHT)))
    kept = person.framed_alike()
    assert [scene.rows[0] for scene in kept.scenes] == [0, 60]
    assert kept.absent() == (range(50, 60),)


def test_portraits_are_the_most_frontal_faces_of_a_stretch() -> None:
    track = stretch(range(100, 150))
    for place, face in enumerate(track.faces):
        face.pose_deg[:] = (0 if place in (7, 33) else 20, 0, 90)
    rows = [row for row, _ in portraits(track)]
    assert len(rows) == 5
    assert {107, 133} <= set(rows)
    assert len(portraits(stretch(range(3)))) == 3

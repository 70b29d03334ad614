"""Following several people and picking the one who is meant; faces are discs."""

from collections.abc import Iterable

import numpy as np
import pytest

from pipeline.config import PipelineConfig
from pipeline.cuts import Change, CutDetector
from pipeline.people import Person, pick_person
from pipeline.track import Track, Tracker
from pipeline.verdicts import ClipRejectedError, RejectReason
from tests.pipeline.conftest import DiscBackend, disc_frames

LEFT, RIGHT = (60, 60, 22), (140, 60, 20)


def tracks_of(frames: Iterable[np.ndarray], config: PipelineConfig | None = None) -> list[Track]:
    tracker = Tracker(DiscBackend(), config or PipelineConfig())
    for row, frame in enumerate(frames):
        tracker.step(row, frame)
    return tracker.tracks()


def pick(frames: Iterable[np.ndarray], hint: tuple[float, ...] | None = None) -> Track:
    box = None if hint is None else np.array(hint, np.float32)
    people = [Person((track,)) for track in tracks_of(frames)]
    (scene,) = pick_person(people, box, PipelineConfig()).scenes
    return scene


def reason_of(frames: Iterable[np.ndarray], hint: tuple[float, ...] | None = None) -> RejectReason:
    with pytest.raises(ClipRejectedError) as rejected:
        pick(frames, hint)
    return rejected.value.verdict.reason


def test_one_face_is_one_track_with_every_frame() -> None:
    (track,) = tracks_of(disc_frames(50))
    assert track.rows == list(range(50))


def test_a_face_that_comes_later_gets_a_track_of_its_own() -> None:
    frames = disc_frames(20, [LEFT]) + disc_frames(40, [LEFT, RIGHT])[20:]
    first, second = sorted(tracks_of(frames), key=lambda track: track.rows[0])
    assert first.rows == list(range(40))
    assert second.rows[0] in range(20, 31)
    assert second.rows[-1] == 39


def test_a_face_found_again_at_its_place_after_a_moment_is_the_same_person() -> None:
    frames = disc_frames(60)
    for index in range(20, 35):
        frames[index] = disc_frames(1, [])[0]
    (track,) = tracks_of(frames)
    assert track.rows == [*range(20), *range(35, 60)]


def test_after_a_long_absence_it_may_be_somebody_else() -> None:
    frames = disc_frames(20) + disc_frames(60, []) + disc_frames(20)
    assert len(tracks_of(frames)) == 2


def test_faces_are_not_followed_across_a_scene_cut() -> None:
    dark = disc_frames(30)
    bright = [
        np.clip(frame.astype(int) + np.array([0, 110, 170]), 0, 255).astype(np.uint8) for frame in disc_frames(30)
    ]
    assert len(tracks_of(dark + bright)) == 2


def test_a_face_that_leaves_the_picture_is_lost_before_its_points_are_guesses() -> None:
    """The disc slides out to the left; a ring of points with more than a fifth outside is no longer a face."""
    frames = [disc_frames(1, [(60 - 2 * index, 60, 22)])[0] for index in range(45)]

    class Sliding(DiscBackend):
        def detect(self, rgb: np.ndarray) -> list:
            found = super().detect(rgb)
            for detection in found:  # the whole disc, also the part that cannot be seen
                detection.box[0] = detection.box[2] - 45
            return found

    tracker = Tracker(Sliding(), PipelineConfig())
    for row, frame in enumerate(frames):
        tracker.step(row, frame)
    (track,) = tracker.tracks()
    outside = [(face.points < 0).any(axis=1).mean() for face in track.faces]
    assert 0 < max(outside) <= 0.2
    assert 20 <= track.rows[-1] <= 30


def test_two_people_of_similar_size_without_a_hint_are_ambiguous() -> None:
    assert reason_of(disc_frames(40, [LEFT, RIGHT])) == RejectReason.AMBIGUOUS_FACE


def test_a_hint_says_who_is_meant() -> None:
    frames = disc_frames(40, [LEFT, RIGHT])
    assert pick(frames, (120, 40, 165, 85)).last.box[0] > 100
    assert pick(frames, (35, 40, 85, 85)).last.box[0] < 100


def test_a_hint_where_nobody_is_rejects_the_clip() -> None:
    assert reason_of(disc_frames(40, [LEFT]), (150, 90, 190, 119)) == RejectReason.NO_FACE


def test_a_small_face_in_the_background_does_not_make_a_clip_ambiguous() -> None:
    assert pick(disc_frames(40, [(60, 60, 30), (150, 40, 10)])).last.box[0] < 100


def test_a_passer_by_does_not_make_a_clip_ambiguous() -> None:
    frames = disc_frames(40, [LEFT, RIGHT])[:10] + disc_frames(60, [LEFT])[10:]
    assert len(pick(frames).rows) == 60


def test_no_face_at_all_is_its_own_reason() -> None:
    assert reason_of(disc_frames(10, [])) == RejectReason.NO_FACE


def test_what_the_detector_no_longer_confirms_is_not_kept() -> None:
    """A follower that clings to an empty place is stopped, and what it claimed since is forgotten."""

    class Clinging(DiscBackend):
        def follow(self, _: np.ndarray, previous):  # type: ignore[no-untyped-def]
            return previous

    tracker = Tracker(Clinging(), PipelineConfig(detect_every=5))
    for row, frame in enumerate(disc_frames(21) + disc_frames(60, [])):
        tracker.step(row, frame)
    (track,) = tracker.tracks()
    assert track.rows[-1] == 20


def test_a_cut_is_noticed_and_movement_is_not() -> None:
    detector = CutDetector(40.0)
    moving = disc_frames(30, [LEFT, RIGHT])
    assert {detector.change(frame) for frame in moving} == {Change.NONE}
    assert detector.change(255 - moving[-1]) is Change.CUT


def test_a_cut_between_scenes_that_look_alike_is_a_sudden_change() -> None:
    detector = CutDetector(40.0)
    changes = [detector.change(frame) for frame in disc_frames(20, [LEFT]) + disc_frames(20, [RIGHT])]
    assert [row for row, change in enumerate(changes) if change is Change.SUDDEN] == [20]


def test_a_face_is_in_doubt_after_an_absence_and_after_a_sudden_change() -> None:
    away = disc_frames(60)
    for index in range(20, 35):
        away[index] = disc_frames(1, [])[0]
    (track,) = tracks_of(away)
    assert [piece.rows for piece in track.pieces()] == [[*range(20)], [*range(35, 60)]]
    lit = disc_frames(60)
    lit[30:] = [np.clip(frame.astype(int) + 15, 0, 255).astype(np.uint8) for frame in lit[30:]]
    (track,) = tracks_of(lit)
    assert [piece.rows for piece in track.pieces()] == [[*range(30)], [*range(30, 60)]]

"""What a set is made of: single frames, or runs of frames that follow each other."""

import numpy as np
import pytest

from eval.features import Frames
from eval.metrics.members import FRAMES, RUNS, Members
from eval.tasks.neighbours import ALONE

PAIRS = Members(frames=2, unreliable_below=3)


def frames(previous: list[int] | None, count: int = 6) -> Frames:
    pixels = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    return Frames.of(pixels, None if previous is None else np.array(previous))


@pytest.mark.parametrize("previous", [None, [ALONE, 0, 1, ALONE, 3, 4]])
def test_each_frame_is_a_member_of_a_set_of_pictures(previous: list[int] | None) -> None:
    assert FRAMES.places(frames(previous)).tolist() == [[place] for place in range(6)]


def test_runs_hold_only_frames_that_follow_each_other_and_share_none() -> None:
    assert PAIRS.places(frames([ALONE, 0, 1, ALONE, 3, 4])).tolist() == [[0, 1], [3, 4]]
    assert PAIRS.places(frames([ALONE, 0, 1, 2, 3, 4])).tolist() == [[0, 1], [2, 3], [4, 5]]
    assert PAIRS.places(frames([ALONE, ALONE, 0, 2, ALONE, 4])).tolist() == [[2, 3], [4, 5]]


@pytest.mark.parametrize("previous", [None, [ALONE] * 6])
def test_frames_that_nobody_put_in_a_row_make_no_run(previous: list[int] | None) -> None:
    assert PAIRS.places(frames(previous)).shape == (0, 2)


def test_a_run_is_known_by_its_frames_and_their_order() -> None:
    all_frames = frames(None)
    one, other, same = all_frames.in_runs(np.array([[0, 1, 2], [0, 2, 1], [0, 1, 2]])).digests
    assert one == same != other
    assert all_frames.in_runs(np.array([[4, 1], [2, 3]])).pixels[:, :, 0, 0, 0].tolist() == [[4, 1], [2, 3]]


def test_a_run_of_one_frame_is_that_frame_so_that_its_features_are_found_again() -> None:
    all_frames = frames(None)
    alone = all_frames.in_runs(FRAMES.places(all_frames))
    assert alone.digests == all_frames.digests
    np.testing.assert_array_equal(alone.pixels, all_frames.pixels)


@pytest.mark.parametrize(
    ("members", "count", "status"),
    [
        (FRAMES, 63, "refused"),
        (FRAMES, 64, "unreliable"),
        (FRAMES, 255, "unreliable"),
        (FRAMES, 256, "ok"),
        (RUNS, 0, "refused"),
        (RUNS, 63, "refused"),
        (RUNS, 64, "unreliable"),
        (RUNS, 2047, "unreliable"),
        (RUNS, 2048, "ok"),
    ],
)
def test_few_members_are_refused_or_flagged(members: Members, count: int, status: str) -> None:
    assert members.reliability(count) == status

from pathlib import Path

from eval.tasks.making import make_tasks
from eval.tasks.neighbours import ALONE, neighbours
from eval.tasks.queries import QueryFrame
from tests.eval.conftest import drawn_store


def frames(*places: tuple[str, int]) -> list[QueryFrame]:
    return [QueryFrame(clip, row, "near") for clip, row in places]


def test_only_the_frame_just_before_is_a_neighbour() -> None:
    assert neighbours(frames(("a", 4), ("a", 5), ("a", 7), ("a", 8))).tolist() == [ALONE, 0, ALONE, 2]


def test_neighbours_are_in_one_clip() -> None:
    assert neighbours(frames(("a", 4), ("b", 5), ("a", 5))).tolist() == [ALONE, ALONE, 0]


def test_the_order_of_the_frames_does_not_matter() -> None:
    assert neighbours(frames(("a", 6), ("a", 5))).tolist() == [1, ALONE]


def test_nothing_has_no_neighbours() -> None:
    assert neighbours([]).tolist() == []


def test_a_real_choice_of_frames_has_some_and_not_all(tmp_path: Path) -> None:
    """Every tenth row of the drawn clips has no face, so its successor is alone."""
    (task, *_) = make_tasks(drawn_store(tmp_path), [1], size_px=32, query_frames=32).tasks
    previous = neighbours(task.frames)
    assert 0 < (previous == ALONE).sum() < len(task.frames)
    for place, before in enumerate(previous):
        if before != ALONE:
            assert task.frames[before].clip == task.frames[place].clip
            assert task.frames[before].row + 1 == task.frames[place].row

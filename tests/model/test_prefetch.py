"""Batches made ahead come in the order of the steps, and are those that would have been made on the spot."""

import threading
from contextlib import closing
from functools import partial

import pytest
import torch

from model.batches import Batches, DrawnEpisodes, Part
from model.prefetch import AHEAD, prefetched
from tests.model.conftest import DrawnClip


@pytest.fixture
def batches(people: list[DrawnClip]) -> Batches:
    return Batches(people, [p.identity for p in people], size_px=64, shots=2, batch=4, seed=0)


def same(one: DrawnEpisodes, other: DrawnEpisodes) -> bool:
    return all(
        torch.equal(getattr(one, name), getattr(other, name)) for name in ("frames", "maps", "canvases", "clips")
    )


@pytest.mark.parametrize("loaders", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_a_thread_or_processes_give_the_batches_of_the_steps_in_order(batches: Batches, loaders: int) -> None:
    steps = range(3, 9)
    made = list(prefetched(batches.draw, steps, loaders))
    assert len(made) == len(steps)
    assert all(same(episodes, batches.draw(step)) for step, episodes in zip(steps, made, strict=True))


def test_the_next_batches_are_made_while_one_is_in_use(batches: Batches) -> None:
    started = [threading.Event() for _ in range(8)]

    def make(step: int) -> DrawnEpisodes:
        started[step].set()
        return batches.draw(step)

    with closing(prefetched(make, range(8), 0)) as made:
        next(made)
        assert started[AHEAD].wait(timeout=60)
    assert not started[7].is_set()


def test_an_error_in_making_a_batch_reaches_the_step_that_wanted_it(batches: Batches) -> None:
    def make(step: int) -> DrawnEpisodes:
        if step == 2:
            raise OSError("the disk is gone")
        return batches.draw(step)

    made = prefetched(make, range(4), 0)
    next(made)
    next(made)
    with pytest.raises(OSError, match="the disk is gone"):
        next(made)


def test_the_parts_of_a_batch_together_are_the_batch(batches: Batches) -> None:
    whole = batches.draw(5)
    parts = [partial(batches.draw, part=Part(number, 2))(5) for number in range(2)]
    assert torch.equal(torch.cat([part.frames for part in parts]), whole.frames)
    assert torch.equal(torch.cat([part.clips for part in parts]), whole.clips)
    pieces = whole.on(torch.device("cpu")).split(4)
    assert [len(piece.target_frames) for piece in pieces] == [1] * 4
    assert torch.equal(pieces[2].target_frames, whole.on(torch.device("cpu")).target_frames[2:3])


def test_what_is_shown_of_a_person_is_not_augmented(batches: Batches, people: list[DrawnClip]) -> None:
    shown = batches.unaltered(2)
    assert shown.clips.tolist() == [0, 1]
    for clip, frames in zip(people, shown.frames, strict=False):
        assert all((clip.images == frame.numpy()).all(axis=(1, 2, 3)).any() for frame in frames)

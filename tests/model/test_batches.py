"""Episodes are pure functions of seed and step."""

from collections import Counter

import numpy as np
import pytest
import torch

from model.batches import Batch, Batches, jitter, to_images, to_tensor
from tests.model.conftest import DrawnClip

CPU = torch.device("cpu")


def batches(people: list[DrawnClip], seed: int = 0, batch: int = 4) -> Batches:
    return Batches(people, [p.identity for p in people], size_px=64, shots=2, batch=batch, seed=seed)


def same(one: Batch, other: Batch) -> bool:
    return torch.equal(one.target_frames, other.target_frames) and torch.equal(one.support_maps, other.support_maps)


def test_a_step_always_gives_the_same_batch_whatever_was_asked_before(people: list[DrawnClip]) -> None:
    fresh, used = batches(people), batches(people)
    for step in range(3):
        used.batch_at(step, CPU)
    assert same(fresh.batch_at(7, CPU), used.batch_at(7, CPU))
    assert not same(fresh.batch_at(7, CPU), fresh.batch_at(8, CPU))
    assert not same(fresh.batch_at(7, CPU), batches(people, seed=1).batch_at(7, CPU))


def test_people_are_drawn_evenly_whatever_the_length_and_number_of_their_clips() -> None:
    long_twice = [DrawnClip("ada", (200, 150, 120), frames=40), DrawnClip("ada", (200, 150, 120), frames=40)]
    clips = [*long_twice, DrawnClip("bob", (120, 90, 60), frames=4)]
    drawn = Counter(int(c) for step in range(40) for c in batches(clips, batch=8).batch_at(step, CPU).clips)
    assert 0.4 < drawn[2] / drawn.total() < 0.6
    assert drawn[0] > 0
    assert drawn[1] > 0


def test_the_target_is_never_among_the_support_frames(people: list[DrawnClip]) -> None:
    for step in range(10):
        batch = batches(people).batch_at(step, CPU)
        for support, target in zip(batch.support_maps, batch.target_maps, strict=True):
            assert not any(torch.equal(one, target) for one in support)


def test_the_canvas_is_a_support_frame_warped_to_the_target_with_its_own_map(people: list[DrawnClip]) -> None:
    batch = batches(people, batch=8).batch_at(0, CPU)
    assert torch.equal(batch.canvas[:, 3:], batch.support_maps[:, 0])
    copied = (batch.support_frames[:, 0] - batch.target_frames).abs().mean()
    assert (batch.canvas[:, :3] - batch.target_frames).abs().mean() < 0.7 * copied


def test_networks_without_a_canvas_get_the_same_episodes_and_nothing_is_warped_for_them(
    people: list[DrawnClip], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = batches(people).batch_at(0, CPU)
    monkeypatch.setattr("model.batches.canvas_images", lambda *_: pytest.fail("a frame was warped"))
    plain = Batches(people, [p.identity for p in people], size_px=64, shots=2, batch=4, seed=0, canvas=False)
    batch = plain.batch_at(0, CPU)
    assert batch.canvas is None
    assert [part.canvas for part in batch.split(2)] == [None, None]
    assert same(batch, whole)


def test_jitter_moves_landmarks_with_the_picture() -> None:
    """A white square painted on a landmark is under that landmark after the move."""
    frame = np.zeros((1, 64, 64, 3), np.uint8)
    frame[0, 18:23, 38:43] = 255
    points = np.full((1, 68, 2), [40.0, 20.0], np.float32)
    for seed in range(5):
        moved, landmarks = jitter(frame, points, np.random.default_rng(seed))
        ys, xs = np.nonzero(moved[0, :, :, 0] > 128)
        assert np.allclose([xs.mean(), ys.mean()], landmarks[0, 0], atol=0.6)


def test_images_survive_the_way_to_tensors_and_back(people: list[DrawnClip]) -> None:
    images = people[0].images[:3]
    assert np.array_equal(to_images(to_tensor(images, CPU)), images)

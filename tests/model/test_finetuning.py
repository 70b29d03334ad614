"""Fine-tuning learns the person and leaves the checkpoint alone."""

import copy

import numpy as np
import pytest
import torch

from model.batches import to_images
from model.checkpoint import Networks
from model.content import ContentLoss
from model.finetuning import Person, adapt_feed_forward, fine_tune
from model.presets import FineTuningConfig, Preset
from tests.model.conftest import DrawnClip

CPU = torch.device("cpu")


@pytest.fixture
def networks(tiny: Preset) -> Networks:
    torch.manual_seed(0)
    return Networks(tiny, clips=2)


def person_of(clip: DrawnClip, shots: int) -> Person:
    return Person(frames=clip.images[:shots], landmarks=clip.points[:shots])


def error_on(adapted_frames: torch.Tensor, clip: DrawnClip) -> float:
    return float(np.abs(to_images(adapted_frames).astype(int) - clip.images).mean())


@pytest.mark.slow
def test_it_comes_closer_to_the_person_than_feed_forward(
    tiny: Preset, networks: Networks, random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    schedule = tiny.fine_tuning.model_copy(update={"iterations_at_shots": ((1, 40),), "rate": 5e-3})
    preset = tiny.model_copy(update={"fine_tuning": schedule})
    clip, person = people[0], person_of(people[0], 4)
    before = error_on(adapt_feed_forward(networks, person, CPU).render(clip.points, CPU), clip)
    tuned = fine_tune(networks, preset, random_weight_content, person, device=CPU, seed=0)
    assert tuned.iterations == 40
    assert error_on(tuned.render(clip.points, CPU), clip) < 0.9 * before


def test_the_checkpoint_is_left_untouched(
    tiny: Preset, networks: Networks, random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    before = copy.deepcopy(networks.tensors())
    fine_tune(networks, tiny, random_weight_content, person_of(people[0], 3), device=CPU, seed=0)
    after = networks.tensors()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("shots", [1, 3])
def test_the_same_seed_gives_the_same_person(
    tiny: Preset, networks: Networks, random_weight_content: ContentLoss, people: list[DrawnClip], shots: int
) -> None:
    clip = people[1]
    runs = [
        fine_tune(networks, tiny, random_weight_content, person_of(clip, shots), device=CPU, seed=seed)
        for seed in (5, 5, 6)
    ]
    frames = [run.render(clip.points[:2], CPU) for run in runs]
    assert torch.equal(frames[0], frames[1])
    assert not torch.equal(frames[0], frames[2])


def test_it_starts_from_the_embedders_idea_of_the_person(
    tiny: Preset, networks: Networks, random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    """Without an iteration the fine-tuned head is the feed-forward head."""
    schedule = tiny.fine_tuning.model_copy(update={"iterations_at_shots": ((1, 0),)})
    preset = tiny.model_copy(update={"fine_tuning": schedule})
    clip, person = people[2], person_of(people[2], 2)
    untouched = fine_tune(networks, preset, random_weight_content, person, device=CPU, seed=0)
    feed_forward = adapt_feed_forward(networks, person, CPU)
    assert torch.equal(untouched.render(clip.points, CPU), feed_forward.render(clip.points, CPU))


def test_iterations_are_interpolated_in_the_logarithm_of_shots() -> None:
    schedule = FineTuningConfig(
        iterations_at_shots=((1, 100), (4, 200), (16, 400)), batch=1, rate=1, discriminator_rate=1, ema_decay=0
    )
    assert [schedule.iterations(shots) for shots in (1, 2, 4, 8, 16, 64)] == [100, 150, 200, 300, 400, 400]

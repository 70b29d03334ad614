"""Fine-tuning learns the person and leaves the checkpoint alone."""

import copy

import numpy as np
import pytest
import torch

from model.batches import to_images
from model.checkpoint import Networks
from model.content import ContentLoss
from model.fine_tuner import FineTuner
from model.finetuning import adapt_feed_forward, fine_tune
from model.person import Person
from model.presets import FineTuningConfig, Preset
from tests.model.conftest import DrawnClip

CPU = torch.device("cpu")


@pytest.fixture
def networks(tiny: Preset) -> Networks:
    torch.manual_seed(0)
    return Networks(tiny, clips=2)


def person_of(clip: DrawnClip, shots: int) -> Person:
    return Person(frames=clip.images[:shots], landmarks=clip.points[:shots], size_px=64)


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


def stopping(tiny: Preset, most: int, rate: float) -> Preset:
    """Return the preset with the stop rule."""
    schedule = tiny.fine_tuning.model_copy(
        update={"stop": "held_out", "iterations_at_shots": ((1, most),), "rate": rate, "check_every": 2}
    )
    return tiny.model_copy(update={"fine_tuning": schedule})


def test_it_stops_early_where_held_out_frames_get_worse(
    tiny: Preset, networks: Networks, random_weight_content: ContentLoss
) -> None:
    """Frames of noise have nothing in common: what is learned from some only spoils the others."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (4, 64, 64, 3), dtype=np.uint8)
    clip = DrawnClip("ada", (200, 150, 120), frames=4)
    person = Person(frames=noise, landmarks=clip.points, size_px=64)
    tuned = fine_tune(networks, stopping(tiny, 60, 2e-2), random_weight_content, person, device=CPU, seed=0)
    assert tuned.iterations < 30
    assert len(tuned.person.frames) == 4


@pytest.mark.slow
def test_it_goes_on_where_held_out_frames_get_better(
    tiny: Preset, networks: Networks, random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    person = person_of(people[0], 5)
    tuned = fine_tune(networks, stopping(tiny, 20, 1e-3), random_weight_content, person, device=CPU, seed=0)
    assert tuned.iterations == 24  # the cap, and a fifth more on all frames


def test_the_stop_rule_is_deterministic_and_needs_a_frame_to_spare(
    tiny: Preset, networks: Networks, random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    preset, clip = stopping(tiny, 2, 5e-3), people[1]
    runs = [
        fine_tune(networks, preset, random_weight_content, person_of(clip, 4), device=CPU, seed=seed) for seed in (5, 5)
    ]
    frames = [run.render(clip.points[:2], CPU) for run in runs]
    assert torch.equal(frames[0], frames[1])
    two = fine_tune(networks, preset, random_weight_content, person_of(clip, 2), device=CPU, seed=5)
    assert two.iterations == 2


def test_going_back_is_as_if_training_had_never_gone_further(
    tiny: Preset, networks: Networks, random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    person = person_of(people[0], 3)

    def after(detour: int) -> torch.Tensor:
        tuner = FineTuner(networks, tiny, random_weight_content, person, CPU)
        tuner.train(person, 2, np.random.default_rng(0))
        kept = tuner.snapshot()
        tuner.train(person, detour, np.random.default_rng(1))
        tuner.loss_on(person, person)
        tuner.restore(kept)
        return tuner.train(person, 2, np.random.default_rng(2)).result().render(people[0].points[:2], CPU)

    assert torch.equal(after(detour=0), after(detour=2))


@pytest.mark.slow
def test_without_a_canvas_nothing_is_warped_and_averaged_layers_keep_a_spectral_norm_of_one(
    small_zakharov: Preset,
    random_weight_content: ContentLoss,
    people: list[DrawnClip],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("model.person.canvas_images", lambda *_: pytest.fail("a frame was warped"))
    torch.manual_seed(0)
    networks = Networks(small_zakharov, clips=1)
    preset = stopping(small_zakharov, 4, 5e-2)
    tuned = fine_tune(networks, preset, random_weight_content, person_of(people[0], 3), device=CPU, seed=0)
    assert tuned.render(people[0].points[:2], CPU).shape == (2, 3, 64, 64)
    for layer in tuned.generator.modules():
        if isinstance(layer, torch.nn.Conv2d):
            assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.02)

"""The landmark-to-image baseline: losses against hand-computed values, phases that keep apart, fine-tuning."""

import copy

import numpy as np
import pytest
import torch

from model.batches import Batches, to_images, to_tensor
from model.content import ContentLoss
from model.landmark_map import draw_all
from model.pix2pixhd import CoarseGenerator, PatchDiscriminators, Pix2pixHDParts, least_squares
from model.pix2pixhd_learner import Pix2pixHDLearner, fine_tune
from tests.model.conftest import DrawnClip, small_pix2pixhd
from weights.errors import HeadshotError

CPU = torch.device("cpu")


@pytest.fixture
def networks() -> Pix2pixHDParts:
    torch.manual_seed(0)
    return Pix2pixHDParts(small_pix2pixhd().network)


def learner_and_batches(content: ContentLoss, people: list[DrawnClip], **schedule: float):
    preset = small_pix2pixhd()
    preset = preset.model_copy(update={"meta_learning": preset.meta_learning.model_copy(update=schedule)})
    batches = Batches(people, [p.identity for p in people], size_px=64, shots=1, batch=2, seed=0, canvas=False)
    return Pix2pixHDLearner(preset, content, CPU, seed=0), batches


def changed(module: torch.nn.Module, before: dict[str, torch.Tensor]) -> bool:
    return any(not torch.equal(p, before[name]) for name, p in module.named_parameters())


def test_least_squares_against_hand_computed_values() -> None:
    coarse, fine = torch.tensor([[1.0, 3.0]]), torch.tensor([[0.0]])
    assert float(least_squares([coarse, fine], 1.0)) == pytest.approx((4 / 2 + 1) / 2)
    assert float(least_squares([coarse, fine], 0.0)) == pytest.approx((10 / 2 + 0) / 2)


def test_each_scale_sees_half_of_the_resolution_before() -> None:
    judges = PatchDiscriminators(small_pix2pixhd().network)
    scores, features = judges(torch.zeros(2, 3, 64, 64), torch.zeros(2, 3, 64, 64))
    assert [score.shape for score in scores] == [(2, 1, 16, 16), (2, 1, 8, 8)]
    assert [x.shape[-1] for x in features] == [32, 16, 16, 8]


def test_the_phases_leave_each_other_untouched(random_weight_content: ContentLoss, people: list[DrawnClip]) -> None:
    learner, batches = learner_and_batches(random_weight_content, people)
    learner.warm_up(5)
    parts, batch = learner.networks, batches.batch_at(0, CPU)
    before = {name: copy.deepcopy(dict(part.named_parameters())) for name, part in parts.parts.items()}
    generated, _ = learner.generator(0, batch, adversarial=True)
    assert changed(parts.generator, before["generator"])
    assert not changed(parts.discriminators, before["discriminators"])
    between = copy.deepcopy(dict(parts.generator.named_parameters()))
    learner.discriminator(0, batch, generated.detach())
    assert not changed(parts.generator, between)
    assert changed(parts.discriminators, before["discriminators"])


def test_before_their_time_the_discriminators_neither_learn_nor_count(
    random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    learner, batches = learner_and_batches(random_weight_content, people)
    assert set(learner.step(0, batches.batch_at(0, CPU))) == {"content", "pixel"}
    names = {"content", "pixel", "adversarial", "feature_matching", "least_squares"}
    assert set(learner.step(5, batches.batch_at(5, CPU))) == names


def test_a_checkpoint_keeps_averaged_generator_and_current_discriminators(
    random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    learner, batches = learner_and_batches(random_weight_content, people, adversarial_from=0.0)
    for number in range(2):
        learner.step(number, batches.batch_at(number, CPU))
    kept, current = learner.result(), learner.networks
    assert not changed(kept.discriminators, dict(current.discriminators.named_parameters()))
    assert changed(kept.generator, dict(current.generator.named_parameters()))
    assert not changed(kept.generator, dict(learner.averaged.generator.named_parameters()))


def test_state_that_is_saved_and_loaded_continues_bit_by_bit(
    random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    straight, batches = learner_and_batches(random_weight_content, people, adversarial_from=0.0)
    for number in range(2):
        straight.step(number, batches.batch_at(number, CPU))
    first, _ = learner_and_batches(random_weight_content, people, adversarial_from=0.0)
    first.step(0, batches.batch_at(0, CPU))
    second, _ = learner_and_batches(random_weight_content, people, adversarial_from=0.0)
    second.load(first.tensors())
    second.step(1, batches.batch_at(1, CPU))
    expected, got = straight.tensors(), second.tensors()
    assert expected.keys() == got.keys()
    assert all(torch.equal(expected[name], got[name]) for name in expected)


def test_a_loss_that_is_not_finite_stops_with_phase_and_step(
    random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    learner, batches = learner_and_batches(random_weight_content, people)
    with torch.no_grad():
        next(learner.networks.generator.parameters()).fill_(float("nan"))
    with pytest.raises(HeadshotError, match="phase generator, step 2"):
        learner.step(2, batches.batch_at(2, CPU))


def tuned(networks: Pix2pixHDParts, content: ContentLoss, clip: DrawnClip, shots: int, seed: int = 0):
    frames, points = clip.images[:shots], clip.points[:shots]
    return fine_tune(networks, small_pix2pixhd(), content, frames, points, device=CPU, seed=seed)


def test_fine_tuning_leaves_the_checkpoint_untouched(
    networks: Pix2pixHDParts, random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    for part in networks.parts.values():
        part.eval().requires_grad_(False)
    before = copy.deepcopy(networks.tensors())
    generator, iterations = tuned(networks, random_weight_content, people[0], 3)
    assert iterations == 3
    assert changed(generator, dict(networks.generator.named_parameters()))
    after = networks.tensors()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not any(p.requires_grad for part in networks.parts.values() for p in part.parameters())


def test_the_same_seed_gives_the_same_person(
    networks: Pix2pixHDParts, random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    maps = to_tensor(draw_all(people[1].points[:1], 64), CPU)
    shown = [tuned(networks, random_weight_content, people[1], 3, seed)[0](maps) for seed in (5, 5, 6)]
    assert torch.equal(shown[0], shown[1])
    assert not torch.equal(shown[0], shown[2])


def test_iterations_are_passes_over_the_frames_within_bounds() -> None:
    schedule = small_pix2pixhd().fine_tuning.model_copy(
        update={"epochs": 40, "batch": 4, "fewest_iterations": 30, "most_iterations": 200}
    )
    assert [schedule.iterations(shots) for shots in (1, 4, 8, 32)] == [30, 40, 80, 200]


@pytest.mark.slow
def test_it_overfits_one_batch(random_weight_content: ContentLoss, people: list[DrawnClip]) -> None:
    learner, batches = learner_and_batches(random_weight_content, people, steps=1000, rate=5e-3)
    batch = batches.batch_at(0, CPU)
    values = [learner.step(number, batch)["pixel"] for number in range(100)]
    assert np.mean(values[-10:]) < 0.3 * values[0]


@pytest.mark.slow
def test_fine_tuning_brings_the_person(
    networks: Pix2pixHDParts, random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    clip = people[0]
    preset = small_pix2pixhd()
    schedule = preset.fine_tuning.model_copy(update={"fewest_iterations": 60, "most_iterations": 60, "rate": 5e-3})
    preset = preset.model_copy(update={"fine_tuning": schedule})
    maps = to_tensor(draw_all(clip.points, 64), CPU)
    generator, _ = fine_tune(
        networks, preset, random_weight_content, clip.images[:4], clip.points[:4], device=CPU, seed=0
    )

    def error(one: CoarseGenerator) -> float:
        with torch.no_grad():
            return float(np.abs(to_images(one(maps)).astype(int) - clip.images).mean())

    assert error(generator) < 0.5 * error(networks.generator)

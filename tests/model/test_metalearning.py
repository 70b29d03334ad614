"""The two phases of a step touch what they should, learn, and continue where they stopped."""

import copy

import pytest
import torch

from model.batches import Batches
from model.content import ContentLoss
from model.metalearning import MetaLearner
from model.presets import Preset
from tests.model.conftest import DrawnClip
from weights.errors import HeadshotError

CPU = torch.device("cpu")


@pytest.fixture
def playing(tiny: Preset) -> Preset:
    """The tiny preset with the discriminator in play from the first step."""
    schedule = tiny.meta_learning.model_copy(update={"adversarial_from": 0.0})
    return tiny.model_copy(update={"meta_learning": schedule})


def learner_for(preset: Preset, content: ContentLoss, people: list[DrawnClip]) -> tuple[MetaLearner, Batches]:
    batches = Batches(people, [p.identity for p in people], size_px=64, shots=2, batch=2, seed=0)
    return MetaLearner(preset, len(people), content, CPU, seed=0), batches


def snapshot(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return copy.deepcopy(dict(module.named_parameters()))


def changed(module: torch.nn.Module, before: dict[str, torch.Tensor]) -> bool:
    return any(not torch.equal(p, before[name]) for name, p in module.named_parameters())


def test_the_discriminator_phase_leaves_embedder_and_generator_untouched(
    playing: Preset, random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    learner, batches = learner_for(playing, random_weight_content, people)
    batch, networks = batches.batch_at(0, CPU), learner.networks
    before = {name: snapshot(part) for name, part in networks.parts.items()}
    learner.discriminator(0, batch, torch.zeros_like(batch.target_frames))
    assert not changed(networks.embedder, before["embedder"])
    assert not changed(networks.generator, before["generator"])
    assert changed(networks.discriminator, before["discriminator"])


def test_the_other_phase_leaves_the_discriminator_untouched(
    playing: Preset, random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    learner, batches = learner_for(playing, random_weight_content, people)
    networks = learner.networks
    before = {name: snapshot(part) for name, part in networks.parts.items()}
    learner.embedder_generator(0, batches.batch_at(0, CPU), adversarial=True)
    assert changed(networks.embedder, before["embedder"])
    assert changed(networks.generator, before["generator"])
    assert not changed(networks.discriminator, before["discriminator"])


def test_before_its_time_the_discriminator_neither_learns_nor_counts(
    tiny: Preset, random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    learner, batches = learner_for(tiny, random_weight_content, people)
    assert set(learner.step(0, batches.batch_at(0, CPU))) == {"content", "pixel"}
    later = tiny.meta_learning.steps - 1
    names = {"content", "pixel", "adversarial", "feature_matching", "match", "hinge"}
    assert set(learner.step(later, batches.batch_at(later, CPU))) == names


@pytest.mark.parametrize("canvas", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_it_overfits_one_batch(
    tiny: Preset, random_weight_content: ContentLoss, people: list[DrawnClip], canvas: bool
) -> None:
    schedule = tiny.meta_learning.model_copy(
        update={"steps": 1000, "adversarial_from": 1.0, "generator_rate": 5e-3, "projection_rate": 5e-3}
    )
    network = tiny.network.model_copy(update={"canvas": canvas})
    preset = tiny.model_copy(update={"meta_learning": schedule, "network": network})
    learner, batches = learner_for(preset, random_weight_content, people)
    batch = batches.batch_at(0, CPU)
    first = learner.step(0, batch)
    for number in range(1, 60):
        last = learner.step(number, batch)
    assert last["pixel"] < 0.5 * first["pixel"]


def test_a_loss_that_is_not_finite_stops_with_phase_and_step(
    tiny: Preset, random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    learner, batches = learner_for(tiny, random_weight_content, people)
    with torch.no_grad():
        next(learner.networks.generator.parameters()).fill_(float("nan"))
    with pytest.raises(HeadshotError, match="phase embedder_generator, step 3"):
        learner.step(3, batches.batch_at(3, CPU))


def test_state_that_is_saved_and_loaded_continues_bit_by_bit(
    playing: Preset, random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    straight, batches = learner_for(playing, random_weight_content, people)
    for number in range(4):
        straight.step(number, batches.batch_at(number, CPU))
    first, _ = learner_for(playing, random_weight_content, people)
    for number in range(2):
        first.step(number, batches.batch_at(number, CPU))
    second, _ = learner_for(playing, random_weight_content, people)
    second.load(first.tensors())
    for number in range(2, 4):
        second.step(number, batches.batch_at(number, CPU))
    expected, got = straight.tensors(), second.tensors()
    assert expected.keys() == got.keys()
    assert all(torch.equal(expected[name], got[name]) for name in expected)

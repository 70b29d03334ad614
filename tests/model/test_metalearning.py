"""The two phases of a step touch what they should, learn, and continue where they stopped."""

import copy

import pytest
import torch

from model.batches import Batch, Batches
from model.content import ContentLoss
from model.metalearning import MetaLearner
from model.presets import Preset, preset
from tests.model.conftest import DrawnClip
from weights.errors import HeadshotError

CPU = torch.device("cpu")


@pytest.fixture
def playing(tiny: Preset) -> Preset:
    """The tiny preset with the discriminator in play from the first step."""
    schedule = tiny.meta_learning.model_copy(update={"adversarial_from": 0.0})
    return tiny.model_copy(update={"meta_learning": schedule})


def learner_for(preset: Preset, content: ContentLoss, people: list[DrawnClip]) -> tuple[MetaLearner, Batches]:
    batches = Batches(
        people, [p.identity for p in people], size_px=64, shots=2, batch=2, seed=0, canvas=preset.network.canvas
    )
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


def test_two_discriminator_steps_are_two_updates_on_the_same_frames_for_one_of_the_others(
    playing: Preset, random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    schedule = playing.meta_learning.model_copy(update={"discriminator_steps": 2})
    twice = playing.model_copy(update={"meta_learning": schedule})
    learner, batches = learner_for(twice, random_weight_content, people)
    by_hand, _ = learner_for(playing, random_weight_content, people)
    batch = batches.batch_at(0, CPU)
    learner.step(0, batch)
    by_hand.warm_up(0)
    generated, _ = by_hand.embedder_generator(0, batch, adversarial=True)
    for _ in range(2):
        by_hand.discriminator(0, batch, generated.detach())
    for part, module in learner.networks.parts.items():
        expected = by_hand.networks.parts[part].state_dict()
        assert all(torch.equal(tensor, expected[name]) for name, tensor in module.state_dict().items())
    updates = {
        phase: {int(moments["step"]) for moments in optimiser.state.values()}
        for phase, optimiser in learner.optimisers.items()
    }
    assert updates == {"embedder_generator": {1}, "discriminator": {2}}


def test_the_feed_forward_variant_has_no_match_term(
    playing: Preset, random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    terms = {}
    for variant in ("ff", "ft"):
        learner, batches = learner_for(playing.varied(variant=variant), random_weight_content, people)
        terms[variant] = set(learner.step(0, batches.batch_at(0, CPU)))
    assert terms["ft"] - terms["ff"] == {"match"}


@pytest.mark.parametrize("version", ["zakharov-256-v1", "zakharov-256-v2"])
def test_the_papers_layout_learns_from_a_step(
    small_zakharov: Preset, random_weight_content: ContentLoss, people: list[DrawnClip], version: str
) -> None:
    pooling = preset(version).network.pooling
    network = small_zakharov.network.model_copy(update={"pooling": pooling})
    learner, batches = learner_for(
        small_zakharov.model_copy(update={"network": network}), random_weight_content, people
    )
    before = {name: snapshot(part) for name, part in learner.networks.parts.items()}
    values = learner.step(0, batches.batch_at(0, CPU))
    assert set(values) == {"content", "pixel", "adversarial", "feature_matching", "match", "hinge"}
    assert values["pixel"] == 0
    assert all(changed(part, before[name]) for name, part in learner.networks.parts.items())


def test_averaged_networks_keep_a_spectral_norm_of_one(
    small_zakharov: Preset, random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    """The average of weights needs directions that fit it, or its layers would be larger than they should be."""
    schedule = small_zakharov.meta_learning.model_copy(
        update={"generator_rate": 1e-2, "embedder_rate": 1e-2, "steps": 100, "adversarial_from": 1.0}
    )
    learner, batches = learner_for(
        small_zakharov.model_copy(update={"meta_learning": schedule}), random_weight_content, people
    )
    batch = batches.batch_at(0, CPU)
    for number in range(5):
        learner.step(number, batch)
    kept = learner.result()
    for part in ("embedder", "generator"):
        for layer in kept.parts[part].eval().modules():
            if isinstance(layer, torch.nn.Conv2d):
                assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.02)


@pytest.mark.slow
def test_the_full_networks_learn_from_a_step(random_weight_content: ContentLoss) -> None:
    """One episode of one support frame at 256 px, everything else as in `zakharov-256-v2`."""
    large = preset("zakharov-256-v2").varied(embedded_content=True)
    schedule = large.meta_learning.model_copy(update={"batch": 1, "shots": 1})
    learner = MetaLearner(large.model_copy(update={"meta_learning": schedule}), 1, random_weight_content, CPU, seed=0)
    images = torch.rand(1, 3, 256, 256) * 2 - 1
    batch = Batch(
        support_frames=images[None],
        support_maps=images[None],
        target_frames=images,
        target_maps=images,
        canvas=None,
        clips=torch.zeros(1, dtype=torch.long),
    )
    before = {name: snapshot(part) for name, part in learner.networks.parts.items()}
    learner.step(0, batch)
    assert all(changed(part, before[name]) for name, part in learner.networks.parts.items())


@pytest.mark.slow
@pytest.mark.parametrize("canvas", [True, False])
def test_it_overfits_one_batch(
    tiny: Preset, random_weight_content: ContentLoss, people: list[DrawnClip], canvas: bool
) -> None:
    schedule = tiny.meta_learning.model_copy(
        update={"steps": 1000, "adversarial_from": 1.0, "generator_rate": 5e-3, "projection_rate": 5e-3}
    )
    network = tiny.network.model_copy(update={"canvas": canvas, "flow_px": 32 if canvas else None})
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

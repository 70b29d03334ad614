"""Updates in parts are updates of the whole, layouts survive, and a GPU computes what a CPU computes."""

from contextlib import nullcontext

import pytest
import torch
from torch import nn

from model import metalearning
from model.batches import Batches, Part
from model.content import ContentLoss
from model.engine import lay_out, lay_out_like_parameters, update
from model.metalearning import MetaLearner
from model.presets import Preset
from tests.model.conftest import DrawnClip

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device here")


def test_an_update_in_parts_is_that_of_the_mean_over_them() -> None:
    rng = torch.Generator().manual_seed(0)
    inputs, wanted = torch.randn(8, 3, generator=rng), torch.randn(8, 1, generator=rng)
    whole, parts = nn.Linear(3, 1), nn.Linear(3, 1)
    parts.load_state_dict(whole.state_dict())
    optimisers = [torch.optim.SGD(layer.parameters(), lr=0.1) for layer in (whole, parts)]
    update(optimisers[0], (whole(inputs) - wanted).square().mean(), gradient_clip=1e9, where="")
    before = parts.weight.detach().clone()
    for number, (some, their) in enumerate(zip(inputs.chunk(4), wanted.chunk(4), strict=True)):
        assert torch.equal(parts.weight, before)
        loss = (parts(some) - their).square().mean()
        update(optimisers[1], loss, gradient_clip=1e9, where="", part=Part(number, 4))
    assert torch.allclose(whole.weight, parts.weight, atol=1e-6)
    assert not torch.equal(parts.weight, before)


def test_moments_from_a_file_get_the_layout_of_their_parameters() -> None:
    modules = {"embedder": nn.Conv2d(4, 8, 3), "generator": nn.Conv2d(4, 8, 3)}
    lay_out(modules)
    embedder, generator = modules["embedder"].weight, modules["generator"].weight
    assert embedder.is_contiguous(memory_format=torch.channels_last)
    assert generator.is_contiguous()
    optimiser = torch.optim.Adam([embedder])
    embedder.grad = torch.randn_like(embedder)
    optimiser.step()
    moments = optimiser.state[embedder]
    expected = moments["exp_avg"].clone()
    moments["exp_avg"] = moments["exp_avg"].contiguous()
    lay_out_like_parameters(optimiser)
    assert moments["exp_avg"].stride() == embedder.stride()
    assert torch.equal(moments["exp_avg"], expected)


@pytest.fixture
def float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave rounding to bfloat16 out of the comparison."""
    monkeypatch.setattr(metalearning, "mixed_precision", lambda _: nullcontext())


def learner_on(
    device: str, preset: Preset, content: ContentLoss, people: list[DrawnClip], accumulate: int = 1
) -> MetaLearner:
    return MetaLearner(preset, len(people), content, torch.device(device), seed=0, accumulate=accumulate)


def playing(tiny: Preset) -> Preset:
    schedule = tiny.meta_learning.model_copy(update={"adversarial_from": 0.0, "batch": 4})
    return tiny.model_copy(update={"meta_learning": schedule})


def batches_of(people: list[DrawnClip]) -> Batches:
    return Batches(people, [p.identity for p in people], size_px=64, shots=2, batch=4, seed=0)


def test_a_batch_in_parts_gives_the_losses_and_the_step_of_the_whole(
    float32: None, tiny: Preset, random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    preset, batch = playing(tiny), batches_of(people).batch_at(0, torch.device("cpu"))
    whole, parts, half = (
        learner_on("cpu", preset, random_weight_content, people, accumulate=accumulate) for accumulate in (1, 4, 1)
    )
    values, in_parts = whole.step(0, batch), parts.step(0, batch)
    assert values == pytest.approx(in_parts, rel=1e-2)
    half.step(0, batch.split(2)[0])
    distance = _between(whole, parts)
    assert distance < 0.1 * _between(whole, half)


def _between(one: MetaLearner, other: MetaLearner) -> float:
    """Return the mean distance of all weights of E and G."""
    parts = ("embedder", "generator")
    pairs = [(one.networks.parts[part].parameters(), other.networks.parts[part].parameters()) for part in parts]
    differences = [(a - b).detach().abs().flatten() for left, right in pairs for a, b in zip(left, right, strict=True)]
    return float(torch.cat(differences).mean())


@needs_gpu
def test_a_step_on_a_gpu_has_the_losses_of_a_step_on_a_cpu(
    float32: None, tiny: Preset, random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    preset, drawn = playing(tiny), batches_of(people).draw(0)
    found = []
    for device in ("cpu", "cuda"):
        learner = learner_on(device, preset, random_weight_content, people)
        found.append(learner.step(0, drawn.on(torch.device(device))))
    random_weight_content.cpu()
    assert found[0] == pytest.approx(found[1], rel=1e-2, abs=1e-4)


@needs_gpu
def test_a_gpu_renders_what_a_cpu_renders(
    tiny: Preset, random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    drawn = batches_of(people).unaltered(3)
    frames = []
    for device in ("cpu", "cuda"):
        learner = learner_on(device, tiny, random_weight_content, people)
        frames.append(learner.preview(drawn.on(torch.device(device))).cpu())
    random_weight_content.cpu()
    assert (frames[0] - frames[1]).abs().max() < 0.02

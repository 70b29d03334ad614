"""The learned warp moves pixels and paints none, starts as no movement, and learns to move."""

import numpy as np
import pytest
import torch

from model.batches import Batches
from model.content import ContentLoss
from model.x2face import X2Face, bend
from model.x2face_learner import X2FaceLearner
from tests.model.conftest import DrawnClip, small_x2face
from weights.errors import HeadshotError

CPU = torch.device("cpu")


def pictures(count: int, size: int = 16) -> torch.Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


def learner_and_batches(content: ContentLoss, people: list[DrawnClip]) -> tuple[X2FaceLearner, Batches]:
    preset = small_x2face()
    batches = Batches(people, [p.identity for p in people], size_px=64, shots=2, batch=2, seed=0, canvas=False)
    return X2FaceLearner(preset, content, CPU, seed=0), batches


def test_a_flow_of_nothing_leaves_the_picture_alone() -> None:
    frames = pictures(2)
    assert torch.allclose(bend(frames, torch.zeros(2, 2, 16, 16)), frames, atol=1e-5)


@pytest.mark.parametrize(("dx", "dy"), [(3, 0), (0, -2), (1, 4)])
def test_a_constant_flow_moves_the_picture_by_so_many_pixels(dx: int, dy: int) -> None:
    frames = pictures(1)
    flow = torch.tensor([dx * 2 / 16, dy * 2 / 16]).view(1, 2, 1, 1).expand(1, 2, 16, 16)
    expected = torch.roll(frames, (-dy, -dx), (2, 3))
    assert torch.allclose(bend(frames, flow)[..., 4:12, 4:12], expected[..., 4:12, 4:12], atol=1e-5)


def test_where_the_flow_is_not_finite_neither_is_the_picture() -> None:
    flow = torch.zeros(1, 2, 16, 16)
    flow[0, 0, 3, 5] = torch.nan
    lost = bend(pictures(1), flow).isnan()
    assert lost[0, :, 3, 5].all()
    assert int(lost.sum()) == 3


def test_before_training_the_result_is_the_mean_of_the_support() -> None:
    network = X2Face(small_x2face().network)
    frames, maps = pictures(3, 64)[None], pictures(3, 64)[None]
    with torch.no_grad():
        generated = network(network.embed(frames, maps), maps[0])
    assert torch.allclose(generated, frames.mean(dim=1).expand(3, -1, -1, -1), atol=1e-4)


def test_the_order_of_the_support_makes_no_difference() -> None:
    torch.manual_seed(0)
    network = X2Face(small_x2face().network)
    torch.nn.init.normal_(network.embedding.heads[-1].weight, std=0.1)
    frames, maps = pictures(3, 64)[None], pictures(3, 64)[None]
    with torch.no_grad():
        one, other = network.embed(frames, maps), network.embed(frames.flip(1), maps.flip(1))
    assert torch.allclose(one, other, atol=1e-5)
    assert not torch.allclose(one, frames.mean(dim=1), atol=1e-2), "the flow moves something"


def test_one_person_does_not_show_through_in_another() -> None:
    torch.manual_seed(0)
    network = X2Face(small_x2face().network)
    torch.nn.init.normal_(network.embedding.heads[-1].weight, std=0.1)
    frames, maps = pictures(4, 64).view(2, 2, 3, 64, 64), pictures(4, 64).view(2, 2, 3, 64, 64)
    with torch.no_grad():
        both, alone = network.embed(frames, maps), network.embed(frames[1:], maps[1:])
    assert torch.allclose(both[1:], alone, atol=1e-5)


def test_a_loss_that_is_not_finite_stops_with_phase_and_step(
    random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    learner, batches = learner_and_batches(random_weight_content, people)
    with torch.no_grad():
        next(learner.networks.x2face.parameters()).fill_(float("nan"))
    with pytest.raises(HeadshotError, match="phase warp, step 3"):
        learner.step(3, batches.batch_at(3, CPU))


def test_state_that_is_saved_and_loaded_continues_bit_by_bit(
    random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    straight, batches = learner_and_batches(random_weight_content, people)
    for number in range(2):
        straight.step(number, batches.batch_at(number, CPU))
    first, _ = learner_and_batches(random_weight_content, people)
    first.step(0, batches.batch_at(0, CPU))
    second, _ = learner_and_batches(random_weight_content, people)
    second.load(first.tensors())
    second.step(1, batches.batch_at(1, CPU))
    expected, got = straight.tensors(), second.tensors()
    assert expected.keys() == got.keys()
    assert all(torch.equal(expected[name], got[name]) for name in expected)


@pytest.mark.slow
def test_it_overfits_one_batch(random_weight_content: ContentLoss, people: list[DrawnClip]) -> None:
    learner, batches = learner_and_batches(random_weight_content, people)
    batch = batches.batch_at(0, CPU)
    values = [learner.step(number, batch)["pixel"] for number in range(200)]
    assert np.mean(values[-10:]) < 0.5 * values[0]

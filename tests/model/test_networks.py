"""The networks against the equations they implement."""

import pytest
import torch

from model.blocks import adaptive_instance_norm
from model.networks import Discriminator, Embedder, Generator
from model.presets import Preset


def test_adaptive_instance_norm_follows_its_equation() -> None:
    x = torch.randn(2, 3, 5, 7) * 4 + 2
    scale, shift = torch.randn(2, 3), torch.randn(2, 3)
    mean, var = x.mean((2, 3), keepdim=True), x.var((2, 3), correction=0, keepdim=True)
    expected = (x - mean) / (var + 1e-5).sqrt() * (1 + scale)[..., None, None] + shift[..., None, None]
    assert torch.allclose(adaptive_instance_norm(x, scale, shift), expected, atol=1e-5)


def test_realism_score_is_a_projection_on_the_clip_vector(tiny: Preset) -> None:
    """The score is linear in W_i + w_0, with V(x, y) as its slope and b as its offset (equation 6)."""
    network = Discriminator(tiny.network, clips=3).eval()
    frames, maps = torch.randn(2, 3, 64, 64), torch.randn(2, 3, 64, 64)
    length = tiny.network.identity_embedding
    zero = network(frames, maps, torch.zeros(1, length))[0]
    assert torch.allclose(zero, network.bias.expand(2))
    one, other = torch.randn(1, length), torch.randn(1, length)
    both = network(frames, maps, one + other)[0]
    assert torch.allclose(both, network(frames, maps, one)[0] + network(frames, maps, other)[0] - zero, atol=1e-5)


def test_clip_vectors_are_the_column_plus_the_shared_vector(tiny: Preset) -> None:
    network = Discriminator(tiny.network, clips=3)
    vectors = network.clip_vectors(torch.tensor([2]))
    assert torch.allclose(vectors[0], network.clip_embedding.weight[2] + network.shared_embedding)


def test_identity_embedding_is_the_mean_over_support_frames_in_any_order(tiny: Preset) -> None:
    network = Embedder(tiny.network).eval()
    frames, maps = torch.randn(1, 4, 3, 64, 64), torch.randn(1, 4, 3, 64, 64)
    whole = network(frames, maps)
    single = torch.stack([network(frames[:, i : i + 1], maps[:, i : i + 1]) for i in range(4)]).mean(dim=0)
    assert torch.allclose(whole, single, atol=1e-5)
    assert torch.allclose(whole, network(frames[:, [2, 0, 3, 1]], maps[:, [2, 0, 3, 1]]), atol=1e-5)


def test_generator_without_canvas_depends_on_the_person_through_adain_parameters_only(tiny: Preset) -> None:
    network = Generator(tiny.network.model_copy(update={"canvas": False})).eval()
    maps = torch.randn(1, 3, 64, 64)
    one = network(maps, torch.zeros(1, network.adain_parameter_count))
    other = network(maps, torch.randn(1, network.adain_parameter_count))
    assert one.shape == (1, 3, 64, 64)
    assert not torch.allclose(one, other)
    with pytest.raises(ValueError, match="takes no canvas"):
        network(maps, torch.zeros(1, network.adain_parameter_count), torch.zeros(1, 6, 64, 64))


def test_generator_with_canvas_starts_from_the_canvas(tiny: Preset) -> None:
    """Before any training the output is close to the canvas frame: what is learned is a correction of it."""
    network = Generator(tiny.network).eval()
    canvas = torch.rand(1, 6, 64, 64) * 1.6 - 0.8
    params = torch.zeros(1, network.adain_parameter_count)
    far = torch.rand(1, 3, 64, 64) * 1.6 - 0.8
    made = network(canvas[:, 3:], params, canvas)
    assert (made - canvas[:, :3]).abs().mean() < 0.5 * (made - far).abs().mean()
    with pytest.raises(ValueError, match="needs a canvas"):
        network(canvas[:, 3:], params)


@pytest.mark.parametrize("stride", [1, 2])
def test_output_has_the_size_of_the_input_at_either_stride(tiny: Preset, stride: int) -> None:
    network = Generator(tiny.network.model_copy(update={"stride": stride}))
    params = torch.zeros(1, network.adain_parameter_count)
    assert network(torch.zeros(2, 3, 64, 64), params, torch.zeros(2, 6, 64, 64)).shape == (2, 3, 64, 64)

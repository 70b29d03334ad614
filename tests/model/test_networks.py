"""The networks against the equations they implement."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F

from model.attention import SelfAttention
from model.checkpoint import Networks
from model.network_config import NetworkConfig
from model.networks import CANVAS_RANGE, Discriminator, Embedder, Generator, _moved
from model.presets import Preset, preset


@pytest.mark.parametrize("name", ["tiny", "small_zakharov"])
def test_realism_score_is_a_projection_on_the_clip_vector(name: str, request: pytest.FixtureRequest) -> None:
    """The score is linear in W_i + w_0, with V(x, y) as its slope and b as its offset (equation 6)."""
    config: NetworkConfig = request.getfixturevalue(name).network
    network = Discriminator(config, clips=3).eval()
    with torch.no_grad():
        network.bias.fill_(0.3)
    frames, maps = torch.randn(2, 3, 64, 64), torch.randn(2, 3, 64, 64)
    clips = torch.tensor([2, 0])
    slopes = torch.stack([network(frames, maps, unit[None])[0] - 0.3 for unit in torch.eye(config.identity_embedding)])
    w = network.clip_embedding.weight[clips] + network.shared_embedding
    expected = (slopes.T * w).sum(dim=1) + 0.3
    assert torch.allclose(network(frames, maps, network.clip_vectors(clips))[0], expected, atol=1e-4)


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
    network = Generator(tiny.network.model_copy(update={"canvas": False, "flow_px": None})).eval()
    maps = torch.randn(1, 3, 64, 64)
    one = network(maps, torch.zeros(1, network.adain_parameter_count))
    other = network(maps, torch.randn(1, network.adain_parameter_count))
    assert one.shape == (1, 3, 64, 64)
    assert not torch.allclose(one, other)
    with pytest.raises(ValueError, match="takes no canvas"):
        network(maps, torch.zeros(1, network.adain_parameter_count), torch.zeros(1, 6, 64, 64))


def test_the_flow_moves_the_canvas_and_at_first_does_not(tiny: Preset) -> None:
    torch.manual_seed(0)
    network = Generator(tiny.network).eval()
    canvas = torch.rand(1, 6, 64, 64) * 1.6 - 0.8
    canvas[:, :3] = F.avg_pool2d(F.pad(canvas[:, :3], (4, 4, 4, 4)), 9, stride=1)
    params = network.adain_params(torch.zeros(1, tiny.network.identity_embedding))
    for parameter in network.head.parameters():
        parameter.data.zero_()
    with torch.no_grad():
        torch.testing.assert_close(
            network(canvas[:, 3:], params, canvas), canvas[:, :3] * CANVAS_RANGE, atol=1e-3, rtol=0
        )
        network.flow.weight.zero_()
        moved = _moved(canvas[:, :3], torch.full((1, 2, 16, 16), 10.0))
    quarter = 16
    torch.testing.assert_close(moved[..., :-quarter, :-quarter], canvas[:, :3, quarter:, quarter:], atol=1e-3, rtol=0)


def test_gradients_reach_the_flow(tiny: Preset) -> None:
    torch.manual_seed(0)
    network = Generator(tiny.network)
    canvas = torch.rand(1, 6, 64, 64) * 1.6 - 0.8
    params = network.adain_params(torch.zeros(1, tiny.network.identity_embedding))
    (network(canvas[:, 3:], params, canvas) - canvas[:, :3].roll(2, dims=3)).abs().mean().backward()
    assert network.flow.weight.grad.abs().sum() > 0


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
    network = Generator(tiny.network.model_copy(update={"stride": stride, "flow_px": 64 // stride}))
    params = torch.zeros(1, network.adain_parameter_count)
    assert network(torch.zeros(2, 3, 64, 64), params, torch.zeros(2, 6, 64, 64)).shape == (2, 3, 64, 64)


def test_feature_matching_sees_every_block_of_the_papers_discriminator(small_zakharov: Preset) -> None:
    """Four blocks down and one that keeps the resolution, the first of them on the image itself."""
    network = Discriminator(small_zakharov.network, clips=1)
    images = torch.zeros(1, 3, 64, 64)
    _, features = network(images, images, torch.zeros(1, 32))
    assert [tuple(f.shape[1:]) for f in features] == [(8, 32, 32), (16, 16, 16), (32, 8, 8), (32, 4, 4), (32, 4, 4)]


def test_the_papers_embedding_is_the_pooled_features_themselves(small_zakharov: Preset) -> None:
    network = Embedder(small_zakharov.network).eval()
    frames, maps = torch.randn(1, 1, 3, 64, 64), torch.randn(1, 1, 3, 64, 64)
    features = network.blocks(network.stem(torch.cat([frames, maps], dim=2)[:, 0]))
    assert features.shape == (1, 32, 4, 4)
    assert torch.allclose(network(frames, maps), features.relu().sum(dim=(2, 3)), atol=1e-4)


def test_the_papers_generator_draws_at_full_size_and_takes_the_person_through_adain_only(
    small_zakharov: Preset,
) -> None:
    network = Generator(small_zakharov.network).eval()
    maps = torch.randn(2, 3, 64, 64)
    one = network(maps, torch.zeros(1, network.adain_parameter_count))
    assert one.shape == (2, 3, 64, 64)
    assert one.abs().max() <= 1
    last = torch.zeros(1, network.adain_parameter_count)
    last[:, -1] = 1.0  # the shift in front of the last layer
    assert not torch.allclose(one, network(maps, last))


def test_every_layer_of_the_papers_networks_has_spectral_norm(small_zakharov: Preset) -> None:
    kinds = (torch.nn.Conv2d, torch.nn.ConvTranspose2d, torch.nn.Linear)
    for part in Networks(small_zakharov, clips=2).parts.values():
        layers = [layer for layer in part.modules() if isinstance(layer, kinds)]
        assert layers
        assert all(hasattr(layer, "parametrizations") for layer in layers)


@pytest.fixture
def shapes_only(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, torch.nn.Module]]:
    """Build the networks of a preset without any numbers; neither of what is left out has parameters."""

    def build(name: str) -> dict[str, torch.nn.Module]:
        with torch.device("meta"):
            return Networks(preset(name), clips=1).parts

    monkeypatch.setattr(torch.nn.init, "orthogonal_", lambda weight: weight)
    monkeypatch.setattr(torch.nn.utils.parametrizations, "spectral_norm", lambda layer: layer)
    return build


@pytest.mark.parametrize("name", ["zakharov-256-v1", "zakharov-256-v2"])
def test_the_large_presets_have_the_published_numbers_of_parameters(
    name: str, shapes_only: Callable[[str], dict[str, torch.nn.Module]]
) -> None:
    """E 15, G 38 and D 20 million, D without W."""
    counts = {part: sum(p.numel() for p in module.parameters()) for part, module in shapes_only(name).items()}
    assert {part: round(count / 1e6) for part, count in counts.items()} == {
        "embedder": 15,
        "generator": 38,
        "discriminator": 20,
    }


def test_attention_sits_where_the_preset_says(
    shapes_only: Callable[[str], dict[str, torch.nn.Module]],
) -> None:
    """Down at 32 px in all three networks, up at 64 px in the generator."""
    parts = shapes_only("zakharov-256-v2")
    seen: dict[str, list[int]] = {part: [] for part in parts}
    for part, module in parts.items():
        for layer in module.modules():
            if isinstance(layer, SelfAttention):
                layer.register_forward_hook(lambda _, __, out, part=part: seen[part].append(out.shape[-1]))
    images = torch.zeros(1, 3, 256, 256, device="meta")
    parts["embedder"](images[None], images[None])
    parts["generator"](images, torch.zeros(1, parts["generator"].adain_parameter_count, device="meta"))
    parts["discriminator"](images, images, torch.zeros(1, 512, device="meta"))
    assert seen == {"embedder": [32], "generator": [32, 64], "discriminator": [32]}


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("attention_down_px", 24, "24 px"),
        ("attention_up_px", 16, "16 px"),
        ("canvas", True, "canvas"),
        ("flow_px", 64, "no canvas to move"),
        ("identity_embedding", 256, "last channels are 256"),
    ],
)
def test_a_layout_that_cannot_be_built_is_refused(field: str, value: object, complaint: str) -> None:
    fields = preset("zakharov-256-v2").network.model_dump() | {field: value}
    with pytest.raises(ValueError, match=complaint):
        NetworkConfig.model_validate(fields)

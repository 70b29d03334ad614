"""The content networks are those their authors trained, see what they were trained to see, and are weighted."""

from pathlib import Path

import pytest
import torch

from model import content
from model.content import ContentLoss
from model.loss_weights import ContentNetwork
from model.presets import preset
from model.vgg import SPECS, Vgg, VggSpec
from weights.errors import HeadshotError, WeightUnavailable
from weights.torchvision_import import import_torchvision


def random_state(spec: VggSpec) -> dict[str, torch.Tensor]:
    """Return tensors that fit a network, under torchvision's names."""
    state, inputs, index = {}, 3, 0
    for width in spec.widths:
        if isinstance(width, str):
            index += 1
            continue
        state[f"features.{index}.weight"] = torch.randn(width, inputs, 3, 3) * 0.01
        state[f"features.{index}.bias"] = torch.zeros(width)
        inputs, index = width, index + 2
    return state


def seen_by_first_convolution(name: ContentNetwork, rgb: tuple[float, float, float]) -> list[float]:
    """Return what reaches the first convolution of a network when it is shown one colour, given in [0, 1]."""
    network, seen = Vgg(SPECS[name], random_state(SPECS[name])), []
    network.layers[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    colour = torch.tensor(rgb).view(1, 3, 1, 1).expand(1, 3, 32, 32)
    network(colour * 2 - 1)
    assert torch.allclose(seen[0], seen[0][:, :, :1, :1].expand(1, 3, 32, 32))
    return seen[0][0, :, 0, 0].tolist()


@pytest.mark.parametrize("name", ["vgg16", "vgg19"])
def test_imagenet_networks_see_rgb_less_the_mean_over_the_deviation(name: ContentNetwork) -> None:
    expected = [(1.0 - 0.485) / 0.229, (0.5 - 0.456) / 0.224, (0.0 - 0.406) / 0.225]
    assert seen_by_first_convolution(name, (1.0, 0.5, 0.0)) == pytest.approx(expected, rel=1e-4)


def test_vggface_sees_bytes_as_bgr_less_the_mean() -> None:
    expected = [0.0 - 103.939, 127.5 - 116.779, 255.0 - 123.680]
    assert seen_by_first_convolution("vggface", (1.0, 0.5, 0.0)) == pytest.approx(expected, rel=1e-4)


def test_the_loss_of_two_networks_is_the_weighted_sum_computed_by_hand() -> None:
    """One-channel networks that pass on one channel of the middle pixel, times a factor."""

    def one_channel(spec: VggSpec, channel: int, factor: float) -> Vgg:
        weight = torch.zeros(1, 3, 3, 3)
        weight[0, channel, 1, 1] = factor
        return Vgg(spec, {"features.0.weight": weight, "features.0.bias": torch.tensor([1000.0])})

    plain = {"weight_id": "none", "widths": (1,), "taps": (0,), "mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
    red = one_channel(VggSpec(**plain, bgr=False, scale=1.0), 0, 3.0)
    blue_bytes = one_channel(VggSpec(**plain, bgr=True, scale=255.0), 0, 1.0)
    loss = ContentLoss([(red, 0.5), (blue_bytes, 0.1)])
    generated = torch.tensor([0.5, 0.0, -1.0]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    target = torch.tensor([-0.5, 0.0, -0.6]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    # Red differs by 0.5 of [0, 1], blue by 0.2.
    assert loss(generated, target).item() == pytest.approx(0.5 * 3 * 0.5 + 0.1 * 255 * 0.2, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "model", "taps"),
    [
        ("vgg16", "vgg16", (1, 6, 11)),
        ("vgg19", "vgg19", (1, 6, 11, 20, 29)),
        ("vggface", "vgg16", (1, 6, 11, 18, 25)),
    ],
)
def test_activations_equal_those_of_torchvision_with_the_same_random_weights(
    name: ContentNetwork, model: str, taps: tuple[int, ...]
) -> None:
    """relu1_1, relu2_1 and so on, counted as torchvision counts layers."""
    import_torchvision()
    from torchvision import models

    torch.manual_seed(0)
    reference = getattr(models, model)(weights=None).features.eval()
    network = Vgg(SPECS[name], {f"features.{key}": tensor for key, tensor in reference.state_dict().items()})
    frames = torch.rand(2, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        expected = [reference[: tap + 1](network.prepared(frames)) for tap in taps]
        got = network(frames)
    assert len(got) == len(expected)
    assert all(torch.allclose(a, b, rtol=1e-4, atol=1e-6) for a, b in zip(got, expected, strict=True))


def test_networks_that_cannot_be_had_stop_early_and_all_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(weight_id: str) -> Path:
        raise WeightUnavailable(f"{weight_id} is not here.")

    monkeypatch.setattr(content, "fetch", refuse)
    with pytest.raises(HeadshotError) as caught:
        ContentLoss.pretrained(preset("zakharov-256-v2").losses)
    message = str(caught.value)
    assert "vgg19-torchvision is not here." in message
    assert "vggface is not here." in message
    assert "--content embedded" in message


def test_vggface_says_how_it_is_added(empty_cache: Path) -> None:
    with pytest.raises(HeadshotError, match="headshot weights add vggface PATH"):
        ContentLoss.pretrained(
            preset("zakharov-256-v2").losses.model_copy(update={"content_networks": (("vggface", 0.025),)})
        )


def test_a_frame_has_no_distance_to_itself(random_weight_content: ContentLoss) -> None:
    frame = torch.rand(1, 3, 32, 32)
    assert random_weight_content(frame, frame).item() == 0


def test_more_noise_is_farther_away(random_weight_content: ContentLoss) -> None:
    frame, noise = torch.rand(1, 3, 32, 32) - 0.5, torch.randn(1, 3, 32, 32)
    distances = [random_weight_content(frame + scale * noise, frame).item() for scale in (0.05, 0.1, 0.2)]
    assert distances == sorted(distances)


def test_gradients_reach_the_generated_frame_but_not_the_network(random_weight_content: ContentLoss) -> None:
    generated = torch.rand(1, 3, 32, 32, requires_grad=True)
    random_weight_content(generated, torch.rand(1, 3, 32, 32)).backward()
    assert generated.grad is not None
    assert generated.grad.abs().sum() > 0
    assert all(p.grad is None for p in random_weight_content.parameters())


def unit_loss(frames: tuple[torch.Tensor, torch.Tensor], factor: float = 1.0) -> float:
    """Return the loss of unit length over a network that passes on the three colours of each pixel, times a factor."""
    spec = VggSpec(weight_id="none", widths=(3,), taps=(0,), mean=(0, 0, 0), std=(1, 1, 1), bgr=False, scale=1.0)
    weight = torch.zeros(3, 3, 3, 3)
    weight[range(3), range(3), 1, 1] = factor
    network = Vgg(spec, {"features.0.weight": weight, "features.0.bias": torch.zeros(3)})
    return float(ContentLoss([(network, 1.0)], unit=True)(*frames))


def colour(*rgb: float) -> torch.Tensor:
    """Return a frame of one colour, given in [0, 1]."""
    return torch.tensor(rgb).view(1, 3, 1, 1).expand(1, 3, 4, 4) * 2 - 1


def test_activations_of_unit_length_are_compared_by_direction() -> None:
    """(3, 4, 0) / 5 and (4, 3, 0) / 5 are .2 apart in two channels; twice as bright makes no difference."""
    assert unit_loss((colour(0.3, 0.4, 0), colour(0.8, 0.6, 0))) == pytest.approx(0.4, rel=0.01)
    assert unit_loss((colour(0.3, 0.4, 0), colour(0.6, 0.8, 0))) == pytest.approx(0, abs=0.01)
    assert unit_loss((colour(0.3, 0.4, 0), colour(0.8, 0.6, 0)), factor=50) == pytest.approx(0.4, rel=0.01)


def test_unit_length_of_nothing_is_nothing() -> None:
    assert unit_loss((colour(0, 0, 0), colour(0, 0, 0))) == 0

"""The content network is VGG16 with the normalisation that it was trained with."""

import pytest
import torch

from model.content import ContentLoss
from weights.torchvision_import import import_torchvision


@pytest.mark.slow
def test_activations_equal_torchvisions_vgg16_with_the_same_random_weights() -> None:
    import_torchvision()
    from torchvision.models import vgg16
    from torchvision.transforms.functional import normalize

    torch.manual_seed(0)
    reference = vgg16(weights=None).features.eval()
    loss = ContentLoss({f"features.{name}": tensor for name, tensor in reference.state_dict().items()})
    one, other = torch.rand(2, 3, 32, 32) * 2 - 1, torch.rand(2, 3, 32, 32) * 2 - 1
    prepared = [normalize((x + 1) / 2, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]) for x in (one, other)]
    with torch.no_grad():
        expected = sum(
            (reference[: layer + 1](prepared[0]) - reference[: layer + 1](prepared[1])).abs().mean()
            for layer in (1, 6, 11)
        )
    assert loss(one, other).item() == pytest.approx(float(expected), rel=1e-5)


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

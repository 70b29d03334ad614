"""The layers against the equations they implement."""

import pytest
import torch
import torch.nn.functional as F

from model.attention import SelfAttention
from model.blocks import AdaptiveResidual, Residual, ResidualDown, adaptive_instance_norm, pooled


def test_adaptive_instance_norm_follows_its_equation() -> None:
    x = torch.randn(2, 3, 5, 7) * 4 + 2
    scale, shift = torch.randn(2, 3), torch.randn(2, 3)
    mean, var = x.mean((2, 3), keepdim=True), x.var((2, 3), correction=0, keepdim=True)
    expected = (x - mean) / (var + 1e-5).sqrt() * (1 + scale)[..., None, None] + shift[..., None, None]
    assert torch.allclose(adaptive_instance_norm(x, scale, shift), expected, atol=1e-5)


def test_self_attention_follows_its_equation() -> None:
    """Pixel by pixel: y_j = x_j + gamma v(sum_i softmax_i(f(x_i) . g(x_j)) h(x_i))."""
    layer = SelfAttention(16)
    with torch.no_grad():
        layer.gamma.fill_(0.7)
        for convolution in (layer.keys, layer.queries, layer.values, layer.out):
            convolution.bias.normal_()
    x = torch.randn(1, 16, 3, 4)
    pixels = [x[0, :, row, column] for row in range(3) for column in range(4)]

    def apply(convolution: torch.nn.Module, pixel: torch.Tensor) -> torch.Tensor:
        return convolution.weight[:, :, 0, 0] @ pixel + convolution.bias

    for j, pixel in enumerate(pixels):
        scores = torch.stack([apply(layer.keys, other) @ apply(layer.queries, pixel) for other in pixels])
        shares = scores.exp() / scores.exp().sum()
        mixed = sum(share * apply(layer.values, other) for share, other in zip(shares, pixels, strict=True))
        expected = pixel + 0.7 * apply(layer.out, mixed)
        assert torch.allclose(layer(x)[0, :, j // 4, j % 4], expected, atol=1e-5)


def test_self_attention_begins_as_the_identity() -> None:
    x = torch.randn(1, 16, 4, 4)
    assert torch.equal(SelfAttention(16)(x), x)


def test_the_papers_block_down_convolves_and_then_averages() -> None:
    block = ResidualDown(3, 5, resampling="pooled", slope=0.0)
    x = torch.randn(2, 3, 8, 8)
    y = F.conv2d(x.relu(), block.first.weight, block.first.bias, padding=1)
    y = F.conv2d(y.relu(), block.second.weight, block.second.bias, padding=1)
    short = F.conv2d(x, block.shortcut.weight, block.shortcut.bias)
    assert torch.allclose(block(x), F.avg_pool2d(y, 2) + F.avg_pool2d(short, 2), atol=1e-5)


def test_a_block_that_reads_the_image_does_not_rectify_it() -> None:
    block = ResidualDown(3, 5, normalise=True, resampling="pooled", slope=0.0, reads_image=True)
    x = -torch.rand(1, 3, 8, 8)
    y = F.conv2d(x, block.first.weight, block.first.bias, padding=1)
    y = F.conv2d(y.relu(), block.second.weight, block.second.bias, padding=1)
    short = F.conv2d(x, block.shortcut.weight, block.shortcut.bias)
    assert torch.allclose(block(x), F.avg_pool2d(y + short, 2), atol=1e-5)


def test_the_papers_block_up_repeats_pixels_and_then_convolves() -> None:
    block = AdaptiveResidual(6, 4, upsample=True, resampling="pooled", slope=0.0)
    x, psi = torch.randn(2, 6, 4, 4), torch.randn(2, block.parameter_count)
    scale1, shift1, scale2, shift2 = psi.split([6, 6, 4, 4], dim=1)
    y = adaptive_instance_norm(x, scale1, shift1).relu().repeat_interleave(2, 2).repeat_interleave(2, 3)
    y = F.conv2d(y, block.first.weight, block.first.bias, padding=1)
    y = adaptive_instance_norm(y, scale2, shift2).relu()
    y = F.conv2d(y, block.second.weight, block.second.bias, padding=1)
    repeated = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    short = F.conv2d(repeated, block.shortcut.weight, block.shortcut.bias)
    assert torch.allclose(block(x, psi), y + short, atol=1e-4)


def test_a_plain_block_adds_to_its_input() -> None:
    block = Residual(4, slope=0.0)
    x = torch.randn(1, 4, 4, 4)
    y = F.conv2d(x.relu(), block.first.weight, block.first.bias, padding=1)
    y = F.conv2d(y.relu(), block.second.weight, block.second.bias, padding=1)
    assert torch.allclose(block(x), x + y, atol=1e-5)


def test_pooling_of_known_features() -> None:
    x = torch.tensor([[[[1.0, -2.0], [3.0, 4.0]], [[-1.0, -1.0], [-1.0, -5.0]]]])
    assert pooled(x, "sum").tolist() == [[8, 0]]
    assert pooled(x, "max").tolist() == [[4, 0]]
    assert pooled(x, "scaled_sum").tolist() == [[pytest.approx(4), 0]]

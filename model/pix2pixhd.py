"""Landmarks to pictures after Pix2pixHD (Wang et al. 2018, arXiv 1711.11585), in a compact size."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from model.baseline_presets import Pix2pixHDConfig
from model.blocks import SLOPE, initialised, instance_norm
from model.checkpoint import Parts

OUTPUT_SCALE = 0.2


class CoarseGenerator(nn.Module):
    """The coarse ("global") generator: convolutions down, residual blocks, convolutions up.

    It sees a landmark map and nothing of the person. What it knows of a person it has learned in fine-tuning.

    Differs from the paper in strided first and last layers at half the resolution, LeakyReLU, zero padding, and sizes.
    """

    def __init__(self, config: Pix2pixHDConfig) -> None:
        super().__init__()
        channels = config.generator_channels
        down = [_layer(nn.Conv2d(a, b, 4, stride=2, padding=1), b) for a, b in pairwise((3, *channels))]
        middle = [_Residual(channels[-1]) for _ in range(config.residual_blocks)]
        up = [_layer(nn.ConvTranspose2d(a, b, 4, stride=2, padding=1), b) for a, b in pairwise(channels[::-1])]
        last = nn.ConvTranspose2d(channels[0], 3, 4, stride=2, padding=1)
        initialised(last)
        with torch.no_grad():
            last.weight.mul_(OUTPUT_SCALE)
        self.layers = nn.Sequential(*down, *middle, *up, last)

    def forward(self, landmark_maps: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch 3 height width"]:
        """Return frames in [-1, 1]."""
        return torch.tanh(self.layers(landmark_maps).float())


class PatchDiscriminators(nn.Module):
    """Discriminators that score patches of a frame given its landmark map, at several scales."""

    def __init__(self, config: Pix2pixHDConfig) -> None:
        super().__init__()
        self.scales = nn.ModuleList(_Patches(config.discriminator_channels) for _ in range(config.discriminator_scales))

    def forward(
        self,
        frames: Float[Tensor, "batch 3 height width"],
        landmark_maps: Float[Tensor, "batch 3 height width"],
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return the patch scores of every scale, and the features after every layer of every scale."""
        x = torch.cat([frames, landmark_maps], dim=1)
        scores: list[Tensor] = []
        features: list[Tensor] = []
        for scale in self.scales:
            score, found = scale(x)
            scores.append(score)
            features += found
            x = F.avg_pool2d(x, 2)
        return scores, features


class Pix2pixHDParts(Parts):
    """Generator and discriminators, as a checkpoint keeps them."""

    def __init__(self, config: Pix2pixHDConfig) -> None:
        self.generator = CoarseGenerator(config)
        self.discriminators = PatchDiscriminators(config)

    @property
    def parts(self) -> dict[str, nn.Module]:
        """The two modules by name."""
        return {"generator": self.generator, "discriminators": self.discriminators}


def least_squares(scores: Sequence[Tensor], wanted: float) -> Float[Tensor, ""]:
    """Return the squared distance of patch scores from what they should be, mean over patches, then over scales.

    Source: LSGAN, Mao et al. 2017, as in Pix2pixHD: 1 for real and 0 for generated frames.
    """
    return torch.stack([(score.float() - wanted).square().mean() for score in scores]).mean()


class _Patches(nn.Module):
    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        first = nn.Sequential(initialised(nn.Conv2d(6, channels[0], 4, stride=2, padding=1)), nn.LeakyReLU(SLOPE))
        rest = [_layer(nn.Conv2d(a, b, 4, stride=2, padding=1), b) for a, b in pairwise(channels)]
        self.layers = nn.ModuleList([first, *rest])
        self.score = initialised(nn.Conv2d(channels[-1], 1, 3, padding=1))

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        features: list[Tensor] = []
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        return self.score(x), features


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _layer(nn.Conv2d(channels, channels, 3, padding=1), channels)
        self.second = initialised(nn.Conv2d(channels, channels, 3, padding=1))
        self.norm = instance_norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.norm(self.second(self.first(x)))
        return result


def _layer(convolution: nn.Conv2d | nn.ConvTranspose2d, outputs: int) -> nn.Module:
    return nn.Sequential(initialised(convolution), instance_norm(outputs), nn.LeakyReLU(SLOPE))

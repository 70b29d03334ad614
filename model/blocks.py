"""Layers that the three networks are built from."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

SLOPE = 0.2
"""Of every LeakyReLU. A plain ReLU after AdaIN let the output collapse to a constant on small data."""


class ResidualDown(nn.Module):
    """Halve the resolution: a strided and a plain convolution beside a strided shortcut.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        normalise: Instance norm in front of each convolution (the generator has it, the others do not).
        spectral: Spectral norm on each convolution (the discriminator has it).

    Source: the residual block of BigGAN, as in Zakharov et al. 2019; differs in strided convolutions where those
    convolve and then pool, a third of the time on a CPU.
    """

    def __init__(self, inputs: int, outputs: int, *, normalise: bool = False, spectral: bool = False) -> None:
        super().__init__()
        self.first = initialised(nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), spectral=spectral)
        self.second = initialised(nn.Conv2d(outputs, outputs, 3, padding=1), spectral=spectral)
        self.shortcut = initialised(nn.Conv2d(inputs, outputs, 2, stride=2), spectral=spectral)
        self.norms = nn.ModuleList(
            instance_norm(channels) if normalise else nn.Identity() for channels in (inputs, outputs)
        )

    def forward(self, x: Float[Tensor, "batch inputs height width"]) -> Float[Tensor, "batch outputs half_h half_w"]:
        """Return the features at half the resolution."""
        y = self.first(F.leaky_relu(self.norms[0](x), SLOPE))
        y = self.second(F.leaky_relu(self.norms[1](y), SLOPE))
        halved: Tensor = y + self.shortcut(x)
        return halved


class AdaptiveResidual(nn.Module):
    """Residual block whose two instance norms take scale and shift from outside (AdaIN); can double the resolution.

    The block uses `parameter_count` numbers of a person's AdaIN parameters psi: for each norm a scale
    (added to one) and a shift per channel.

    Source: the up-sampling residual block of Zakharov et al. 2019; differs in transposed convolutions where that
    repeats pixels and then convolves.
    """

    def __init__(self, inputs: int, outputs: int, *, upsample: bool) -> None:
        super().__init__()
        self.inputs, self.outputs = inputs, outputs
        self.second = initialised(nn.Conv2d(outputs, outputs, 3, padding=1))
        self.first: nn.Module
        self.shortcut: nn.Module
        if upsample:
            self.first = initialised(nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1))
            self.shortcut = initialised(nn.ConvTranspose2d(inputs, outputs, 2, stride=2))
        else:
            self.first = initialised(nn.Conv2d(inputs, outputs, 3, padding=1))
            self.shortcut = nn.Identity() if inputs == outputs else initialised(nn.Conv2d(inputs, outputs, 1))
        self.parameter_count = 2 * (inputs + outputs)

    def forward(
        self,
        x: Float[Tensor, "batch inputs height width"],
        adain_params: Float[Tensor, "batch parameters"],
    ) -> Float[Tensor, "batch outputs out_h out_w"]:
        """Return the features, normalised and re-coloured for the person that `adain_params` describe."""
        counts = [self.inputs, self.inputs, self.outputs, self.outputs]
        scale1, shift1, scale2, shift2 = torch.split(adain_params, counts, dim=1)
        y = self.first(F.leaky_relu(adaptive_instance_norm(x, scale1, shift1), SLOPE))
        y = self.second(F.leaky_relu(adaptive_instance_norm(y, scale2, shift2), SLOPE))
        result: Tensor = y + self.shortcut(x)
        return result


def adaptive_instance_norm(
    x: Float[Tensor, "batch channels height width"],
    scale: Float[Tensor, "batch channels"],
    shift: Float[Tensor, "batch channels"],
) -> Float[Tensor, "batch channels height width"]:
    """Return `x` with each channel standardised over space, times (1 + scale), plus shift.

    Source: Huang and Belongie 2017, equation 8, with the scale stored as its distance from one so that psi = 0 is
    plain instance norm.
    """
    normalised = F.group_norm(x, x.shape[1])
    return normalised * (1 + scale)[:, :, None, None] + shift[:, :, None, None]


def instance_norm(channels: int) -> nn.Module:
    """Return an instance norm with a learned scale and shift.

    Group norm with one channel a group is the same function; torch's own instance norm takes eight times as
    long on a CPU.
    """
    return nn.GroupNorm(channels, channels)


def initialised(layer: nn.Conv2d | nn.ConvTranspose2d, *, spectral: bool = False) -> nn.Module:
    """Return the convolution with orthogonal weights and zero bias, under spectral norm if asked."""
    nn.init.orthogonal_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    if spectral:
        nn.utils.parametrizations.spectral_norm(layer)
    return layer


def stem(inputs: int, outputs: int, stride: int, *, spectral: bool = False) -> nn.Module:
    """Return the first layer, which works at 1/`stride` of the resolution (1 or 2) from the start."""
    kernel = 3 if stride == 1 else 4
    return initialised(nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=1), spectral=spectral)


def head(inputs: int, stride: int) -> nn.Module:
    """Return the last layer, to RGB at `stride` (1 or 2) times the resolution of its input."""
    if stride == 1:
        return initialised(nn.Conv2d(inputs, 3, 3, padding=1))
    return initialised(nn.ConvTranspose2d(inputs, 3, 4, stride=2, padding=1))


def pooled(x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels"]:
    """Return the rectified features summed over space, divided by the square root of their number.

    The paper sums; the division keeps the variance independent of the resolution.
    """
    area = x.shape[2] * x.shape[3]
    vectors: Tensor = torch.relu(x).sum(dim=(2, 3)) / float(area) ** 0.5
    return vectors

"""Layers that the three networks are built from."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from model.network_config import Pooling, Resampling

SLOPE = 0.2
"""Of the LeakyReLUs in small presets. A plain ReLU after AdaIN let the output collapse to a constant on small data."""


class ResidualDown(nn.Module):
    """Halve the resolution: two convolutions beside a shortcut.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        normalise: Instance norm in front of each convolution (the generator has it, the others do not).
        spectral: Spectral norm on each convolution.
        resampling: `pooled` convolves and then averages 2 x 2 pixels; `strided` takes a third of the time on a CPU.
        slope: Of the rectifiers.
        reads_image: The input is an image: it is neither normalised nor rectified.

    Source: the residual block of BigGAN, as in Zakharov et al. 2019; `strided` differs from it. A 1 x 1 convolution
    and an average change places freely, so the shortcut averages first.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        normalise: bool = False,
        spectral: bool = False,
        resampling: Resampling = "strided",
        slope: float = SLOPE,
        reads_image: bool = False,
    ) -> None:
        super().__init__()
        self.pools, self.slope, self.reads_image = resampling == "pooled", slope, reads_image
        kernel, stride, short = (3, 1, 1) if self.pools else (4, 2, 2)
        self.first = initialised(nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=1), spectral=spectral)
        self.second = initialised(nn.Conv2d(outputs, outputs, 3, padding=1), spectral=spectral)
        self.shortcut = initialised(nn.Conv2d(inputs, outputs, short, stride=short), spectral=spectral)
        self.norms = nn.ModuleList(
            instance_norm(channels) if normalise and not reads_image else nn.Identity()
            for channels in (inputs, outputs)
        )

    def forward(self, x: Float[Tensor, "batch inputs height width"]) -> Float[Tensor, "batch outputs half_h half_w"]:
        """Return the features at half the resolution."""
        y = self.first(x if self.reads_image else F.leaky_relu(self.norms[0](x), self.slope))
        y = self.second(F.leaky_relu(self.norms[1](y), self.slope))
        if self.pools:
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
        halved: Tensor = y + self.shortcut(x)
        return halved


class Residual(nn.Module):
    """Two convolutions beside the identity: same channels, same resolution, no norm of the features."""

    def __init__(self, channels: int, *, spectral: bool = False, slope: float = SLOPE) -> None:
        super().__init__()
        self.slope = slope
        self.first = initialised(nn.Conv2d(channels, channels, 3, padding=1), spectral=spectral)
        self.second = initialised(nn.Conv2d(channels, channels, 3, padding=1), spectral=spectral)

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels height width"]:
        """Return the features of the same shape."""
        y = self.first(F.leaky_relu(x, self.slope))
        added: Tensor = x + self.second(F.leaky_relu(y, self.slope))
        return added


class AdaptiveResidual(nn.Module):
    """Residual block whose two instance norms take scale and shift from outside (AdaIN); can double the resolution.

    The block uses `parameter_count` numbers of a person's AdaIN parameters psi: for each norm a scale
    (added to one) and a shift per channel.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        upsample: Double the resolution.
        spectral: Spectral norm on each convolution.
        resampling: `pooled` repeats pixels and then convolves; `strided` uses transposed convolutions.
        slope: Of the rectifiers.

    Source: the up-sampling residual block of Zakharov et al. 2019; `strided` differs from it. A 1 x 1 convolution and
    repeating pixels change places freely, so the shortcut convolves first.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        upsample: bool,
        spectral: bool = False,
        resampling: Resampling = "strided",
        slope: float = SLOPE,
    ) -> None:
        super().__init__()
        self.inputs, self.outputs, self.slope = inputs, outputs, slope
        self.repeats = upsample and resampling == "pooled"
        self.second = initialised(nn.Conv2d(outputs, outputs, 3, padding=1), spectral=spectral)
        self.first: nn.Module
        self.shortcut: nn.Module
        if upsample and not self.repeats:
            self.first = initialised(nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1), spectral=spectral)
            self.shortcut = initialised(nn.ConvTranspose2d(inputs, outputs, 2, stride=2), spectral=spectral)
        else:
            self.first = initialised(nn.Conv2d(inputs, outputs, 3, padding=1), spectral=spectral)
            plain = inputs == outputs and not upsample
            self.shortcut = nn.Identity() if plain else initialised(nn.Conv2d(inputs, outputs, 1), spectral=spectral)
        self.parameter_count = 2 * (inputs + outputs)

    def forward(
        self,
        x: Float[Tensor, "batch inputs height width"],
        adain_params: Float[Tensor, "batch parameters"],
    ) -> Float[Tensor, "batch outputs out_h out_w"]:
        """Return the features, normalised and re-coloured for the person that `adain_params` describe."""
        counts = [self.inputs, self.inputs, self.outputs, self.outputs]
        scale1, shift1, scale2, shift2 = torch.split(adain_params, counts, dim=1)
        y = F.leaky_relu(adaptive_instance_norm(x, scale1, shift1), self.slope)
        y = self.first(_repeated(y) if self.repeats else y)
        y = self.second(F.leaky_relu(adaptive_instance_norm(y, scale2, shift2), self.slope))
        short = self.shortcut(x)
        result: Tensor = y + (_repeated(short) if self.repeats else short)
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


def initialised(layer: nn.Conv2d | nn.ConvTranspose2d | nn.Linear, *, spectral: bool = False) -> nn.Module:
    """Return the layer with orthogonal weights and zero bias, under spectral norm if asked."""
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


def head(inputs: int, stride: int, *, spectral: bool = False) -> nn.Module:
    """Return the last layer, to RGB at `stride` (1 or 2) times the resolution of its input."""
    if stride == 1:
        return initialised(nn.Conv2d(inputs, 3, 3, padding=1), spectral=spectral)
    return initialised(nn.ConvTranspose2d(inputs, 3, 4, stride=2, padding=1), spectral=spectral)


def pooled(
    x: Float[Tensor, "batch channels height width"], pooling: Pooling = "scaled_sum"
) -> Float[Tensor, "batch channels"]:
    """Return the rectified features pooled over space.

    The paper sums; its first version took the maximum. `scaled_sum` divides the sum by the square root of the number
    of pixels, which keeps the variance independent of the resolution.
    """
    rectified = torch.relu(x)
    if pooling == "max":
        return rectified.amax(dim=(2, 3))
    vectors: Tensor = rectified.sum(dim=(2, 3))
    return vectors if pooling == "sum" else vectors / float(x.shape[2] * x.shape[3]) ** 0.5


def smoothed(x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels height width"]:
    """Return the features convolved with (1, 2, 1) x (1, 2, 1) / 16.

    The filter passes nothing of every other pixel's frequency, in which transposed convolutions leave a checkerboard:
    Odena et al. 2016, "Deconvolution and Checkerboard Artifacts". Two averages over 2 x 2 pixels are that filter.
    """
    padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
    return F.avg_pool2d(F.avg_pool2d(padded, 2, stride=1), 2, stride=1)


def _repeated(x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels out_h out_w"]:
    """Return the features at twice the resolution, each pixel four times."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")

"""I3D, the network that the Frechet video distance is defined on: Inception v1 with its kernels inflated into time."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import avg_pool3d, interpolate, max_pool3d, pad, relu

from eval.features import FeatureCache, Frames
from weights.files import sha256_of

INPUT_PX = 224
CLASSES = 400
NORM_EPSILON = 1e-3
"""Of the batch normalisation in Sonnet, which the parameters were trained with."""
_MIXED: tuple[tuple[str, int, tuple[int, ...]], ...] = (
    ("Mixed_3b", 192, (64, 96, 128, 16, 32, 32)),
    ("Mixed_3c", 256, (128, 128, 192, 32, 96, 64)),
    ("Mixed_4b", 480, (192, 96, 208, 16, 48, 64)),
    ("Mixed_4c", 512, (160, 112, 224, 24, 64, 64)),
    ("Mixed_4d", 512, (128, 128, 256, 24, 64, 64)),
    ("Mixed_4e", 512, (112, 144, 288, 32, 64, 64)),
    ("Mixed_4f", 528, (256, 160, 320, 32, 128, 128)),
    ("Mixed_5b", 832, (256, 160, 320, 32, 128, 128)),
    ("Mixed_5c", 832, (384, 192, 384, 48, 128, 128)),
)
"""Name, channels that come in, and channels of the six convolutions of each module."""
_SHRINK_BEFORE = {"Mixed_4b": 3, "Mixed_5b": 2}
"""Sides of the pooling that halves time and picture before a module."""


class I3dLogits:
    """Turns each run of frames into the scores of the 400 classes of Kinetics, averaged over time."""

    VERSION = 1
    width = CLASSES

    def __init__(self, network: "I3d", key: str) -> None:
        """Wrap a network in evaluation mode; the key names its parameters and the version of the preparation."""
        self._network = network
        self.key = key

    @classmethod
    def load(cls, path: Path) -> "I3dLogits":
        """Load the published parameters from a safetensors file."""
        return cls(build_network(load_file(path)), f"i3d-kinetics400@{cls.VERSION}-{sha256_of(path)[:12]}")

    def extract(self, frames: Frames, cache: FeatureCache) -> Float[np.ndarray, "runs width"]:  # noqa: ARG002
        """Return the scores of runs of RGB frames of any size, one run after the other."""
        with torch.inference_mode():
            return np.concatenate([self._network(prepared(run)[None]).numpy() for run in frames.pixels])


def prepared(run: UInt8[np.ndarray, "time size size 3"]) -> Float[Tensor, "3 time height width"]:
    """Return a run as the network takes it: bilinear to 224 pixels, scaled to [-1, 1]."""
    pictures = torch.from_numpy(run.copy()).permute(0, 3, 1, 2).float()
    resized = interpolate(pictures, (INPUT_PX, INPUT_PX), mode="bilinear", align_corners=False)
    return (resized / 127.5 - 1).transpose(0, 1)


def build_network(state: Mapping[str, Tensor]) -> "I3d":
    """Return the network in evaluation mode with these parameters, batch normalisation folded into its convolutions.

    Args:
        state: For each convolution `<name>.weight` and `<name>.bias`; where it is normalised also `<name>.mean` and
            `<name>.variance`. Nothing may be missing or left over.
    """
    folded: dict[str, Tensor] = {}
    for name, value in state.items():
        unit, _, part = name.rpartition(".")
        if f"{unit}.variance" not in state:
            folded[name] = value
            continue
        scale = (state[f"{unit}.variance"] + NORM_EPSILON).rsqrt()
        if part == "weight":
            folded[name] = value * scale[:, None, None, None, None]
        elif part == "bias":
            folded[name] = value - state[f"{unit}.mean"] * scale
    network = I3d()
    network.load_state_dict(folded, strict=True)
    return network.eval()


class I3d(nn.Module):
    """Inflated Inception v1 with RGB input, from runs of at least nine frames to class scores.

    Source: Carreira and Zisserman 2017, arXiv:1705.07750, figure 3; names of layers as in their code.
    """

    def __init__(self) -> None:
        super().__init__()
        self.Conv3d_1a_7x7 = nn.Conv3d(3, 64, 7, stride=2)
        self.Conv3d_2b_1x1 = nn.Conv3d(64, 64, 1)
        self.Conv3d_2c_3x3 = nn.Conv3d(64, 192, 3)
        self.mixed = nn.ModuleDict({name: _Mixed(channels, widths) for name, channels, widths in _MIXED})
        self.logits = nn.Conv3d(1024, CLASSES, 1)

    def forward(self, runs: Float[Tensor, "runs 3 time height width"]) -> Float[Tensor, "runs classes"]:
        """Return the class scores before the softmax, averaged over time, of runs in [-1, 1]."""
        x = _pooled(_convolved(self.Conv3d_1a_7x7, runs), (1, 3, 3), (1, 2, 2))
        x = _convolved(self.Conv3d_2c_3x3, _convolved(self.Conv3d_2b_1x1, x))
        x = _pooled(x, (1, 3, 3), (1, 2, 2))
        for name, module in self.mixed.items():
            if name in _SHRINK_BEFORE:
                x = _pooled(x, (_SHRINK_BEFORE[name],) * 3, (2, 2, 2))
            x = module(x)
        scores: Tensor = self.logits(avg_pool3d(x, (2, 7, 7), stride=1))
        return scores.mean(dim=(2, 3, 4))


class _Mixed(nn.Module):
    """Four branches side by side."""

    def __init__(self, channels: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.b0 = nn.Conv3d(channels, widths[0], 1)
        self.b1a, self.b1b = nn.Conv3d(channels, widths[1], 1), nn.Conv3d(widths[1], widths[2], 3)
        self.b2a, self.b2b = nn.Conv3d(channels, widths[3], 1), nn.Conv3d(widths[3], widths[4], 3)
        self.b3b = nn.Conv3d(channels, widths[5], 1)

    def forward(self, x: Tensor) -> Tensor:
        branches = (
            _convolved(self.b0, x),
            _convolved(self.b1b, _convolved(self.b1a, x)),
            _convolved(self.b2b, _convolved(self.b2a, x)),
            _convolved(self.b3b, _pooled(x, (3, 3, 3), (1, 1, 1))),
        )
        return torch.cat(branches, dim=1)


def _convolved(layer: nn.Conv3d, x: Tensor) -> Tensor:
    return relu(layer(same_padded(x, layer.kernel_size, layer.stride)))


def _pooled(x: Tensor, sides: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    return max_pool3d(same_padded(x, sides, stride), sides, stride)


def same_padded(x: Tensor, sides: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    """Return x with zeros around it as TensorFlow's `SAME` has them: where they are odd in number, one more at the end.

    Zeros around what is pooled change no maximum, since all that is pooled here has passed a ReLU.
    """
    widths: list[int] = []
    for length, side, step in zip(reversed(x.shape[2:]), reversed(sides), reversed(stride), strict=True):
        missing = max((-(-length // step) - 1) * step + side - length, 0)
        widths += [missing // 2, missing - missing // 2]
    return pad(x, widths) if any(widths) else x

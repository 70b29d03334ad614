"""VGG networks up to relu5_1, with the input each was trained on: the eyes of the content loss."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from model.loss_weights import ContentNetwork

Width = int | Literal["pool"]
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)
_CAFFE_MEAN = (103.939, 116.779, 123.680)
"""Of blue, green and red, on the scale of bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VggSpec:
    """One pretrained network: its file, its layers, where it is tapped, and what it wants to see."""

    weight_id: str
    """In the registry."""
    widths: tuple[Width, ...]
    """Channels of each convolution, with the poolings between; nothing behind the last tap."""
    taps: tuple[int, ...]
    """Numbers of the convolutions whose rectified output is compared."""
    bgr: bool
    scale: float
    """Of the largest pixel value: 1 or 255."""
    mean: tuple[float, float, float]
    """In the order of the channels, on that scale; subtracted."""
    std: tuple[float, float, float]


SPECS: dict[ContentNetwork, VggSpec] = {
    # Stops at relu3_1: deeper layers cost as much again and changed little at 64-128 px.
    "vgg16": VggSpec(
        weight_id="lpips-vgg16",
        widths=(64, 64, "pool", 128, 128, "pool", 256),
        taps=(0, 2, 4),
        bgr=False,
        scale=1.0,
        mean=_IMAGENET_MEAN,
        std=_IMAGENET_STD,
    ),
    "vgg19": VggSpec(
        weight_id="vgg19-torchvision",
        widths=(64, 64, "pool", 128, 128, "pool", *4 * (256,), "pool", *4 * (512,), "pool", 512),
        taps=(0, 2, 4, 8, 12),
        bgr=False,
        scale=1.0,
        mean=_IMAGENET_MEAN,
        std=_IMAGENET_STD,
    ),
    "vggface": VggSpec(
        weight_id="vggface",
        widths=(64, 64, "pool", 128, 128, "pool", *3 * (256,), "pool", *3 * (512,), "pool", 512),
        taps=(0, 2, 4, 7, 10),
        bgr=True,
        scale=255.0,
        mean=_CAFFE_MEAN,
        std=(1.0, 1.0, 1.0),
    ),
}


class Vgg(nn.Module):
    """A frozen network that returns its activations at the taps.

    Args:
        spec: Which one.
        state: Its tensors, under torchvision's names (`features.0.weight`); what is not needed is ignored.

    Raises:
        KeyError: A tensor is missing.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, spec: VggSpec, state: dict[str, Tensor]) -> None:
        super().__init__()
        self.spec = spec
        self.layers = nn.ModuleList()
        self.register_buffer("mean", torch.tensor(spec.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(spec.std).view(1, 3, 1, 1))
        inputs, index = 3, 0
        for width in spec.widths:
            if isinstance(width, str):
                self.layers.append(nn.MaxPool2d(2))
                index += 1
                continue
            layer = nn.Conv2d(inputs, width, 3, padding=1)
            layer.load_state_dict({part: state[f"features.{index}.{part}"] for part in ("weight", "bias")}, strict=True)
            self.layers.append(layer)
            inputs, index = width, index + 2  # torchvision counts the ReLU behind each convolution
        self.requires_grad_(False)
        self.eval()

    def prepared(self, frames: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch 3 height width"]:
        """Return RGB frames in [-1, 1] as the network was trained to see them."""
        x = (frames + 1) / 2
        x = x if self.spec.scale == 1 else x * self.spec.scale
        return ((x.flip(1) if self.spec.bgr else x) - self.mean) / self.std

    def forward(self, frames: Float[Tensor, "batch 3 height width"]) -> list[Tensor]:
        """Return the rectified activations at the taps; frames are RGB in [-1, 1]."""
        x = self.prepared(frames)
        taken: list[Tensor] = []
        convolutions = 0
        for layer in self.layers:
            x = layer(x)
            if isinstance(layer, nn.Conv2d):
                x = torch.relu(x)
                if convolutions in self.spec.taps:
                    taken.append(x)
                convolutions += 1
        return taken

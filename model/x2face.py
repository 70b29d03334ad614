"""A learned warp after X2Face (Wiles et al. 2018, arXiv 1807.10550), in a compact size."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from model.baseline_presets import X2FaceConfig
from model.blocks import SLOPE, initialised, instance_norm
from model.checkpoint import Parts
from model.flow import bend, still_at_first

FLOW_SCALE = 0.1
"""Of what the layers put out. Without it the first steps throw faces out of the image, where no gradient brings them
back."""


class X2Face(nn.Module):
    """Two flows: source frames to an embedded face in a common pose, and that face to the driving landmarks.

    Every colour that comes out was in a source frame: the networks say where from, nothing is painted.

    Differs from the paper in what drives (a landmark map, not the driving frame, so that it gets what every other
    system gets), in a source network that sees the landmark map of its frame too, in a driving network whose code
    keeps its place in the image instead of being one vector, in flows at half the resolution, and in sizes.
    """

    def __init__(self, config: X2FaceConfig) -> None:
        super().__init__()
        self.embedding = FlowNetwork(6, config.embedding_channels, skips=True)
        self.driving = FlowNetwork(3, config.driving_channels, skips=False)

    def embed(
        self,
        frames: Float[Tensor, "batch shots 3 height width"],
        landmark_maps: Float[Tensor, "batch shots 3 height width"],
    ) -> Float[Tensor, "batch 3 height width"]:
        """Return the embedded face of each person: the mean of their source frames, each in the common pose."""
        flat = frames.flatten(0, 1)
        flow = self.embedding(torch.cat([flat, landmark_maps.flatten(0, 1)], dim=1))
        return bend(flat, flow).view_as(frames).mean(dim=1)

    def forward(
        self,
        embedded: Float[Tensor, "#batch 3 height width"],
        landmark_maps: Float[Tensor, "batch 3 height width"],
    ) -> Float[Tensor, "batch 3 height width"]:
        """Return the embedded face bent to the driving landmarks, in [-1, 1]."""
        return bend(embedded.expand(len(landmark_maps), -1, -1, -1), self.driving(landmark_maps))


class FlowNetwork(nn.Module):
    """Encoder and decoder from an image to a flow; it starts as the flow that moves nothing.

    The flow is a sum over the decoder's resolutions, so that a head can move as a whole before its details do; the
    paper has the finest one only, and weeks to train it.

    Args:
        inputs: Channels of the image.
        channels: After each halving.
        skips: Add the encoder's features to the decoder's of the same size, as in a U-Net.
    """

    def __init__(self, inputs: int, channels: tuple[int, ...], *, skips: bool) -> None:
        super().__init__()
        self.skips = skips
        self.down = nn.ModuleList(halving(a, b) for a, b in pairwise((inputs, *channels)))
        self.up = nn.ModuleList(doubling(a, b) for a, b in pairwise(channels[::-1]))
        self.heads = nn.ModuleList(still_at_first(count) for count in channels[::-1])

    def forward(self, images: Float[Tensor, "batch inputs height width"]) -> Float[Tensor, "batch 2 height width"]:
        """Return, for each pixel, how far away its colour comes from: (x, y) in half images, in [-1, 1]."""
        x = images
        levels: list[Tensor] = []
        for down in self.down:
            x = down(x)
            levels.append(x)
        flow = self.heads[0](x)
        for number, up in enumerate(self.up, start=1):
            x = up(x) + levels[-1 - number] if self.skips else up(x)
            flow = _doubled(flow) + self.heads[number](x)
        return torch.tanh(FLOW_SCALE * _doubled(flow).float())


class X2FaceParts(Parts):
    """The network as a checkpoint keeps it."""

    def __init__(self, config: X2FaceConfig) -> None:
        self.x2face = X2Face(config)

    @property
    def parts(self) -> dict[str, nn.Module]:
        """The module by name."""
        return {"x2face": self.x2face}


def halving(inputs: int, outputs: int) -> nn.Module:
    """Return a layer that halves the resolution."""
    convolution = initialised(nn.Conv2d(inputs, outputs, 4, stride=2, padding=1))
    return nn.Sequential(convolution, instance_norm(outputs), nn.LeakyReLU(SLOPE))


def doubling(inputs: int, outputs: int) -> nn.Module:
    """Return a layer that doubles the resolution."""
    convolution = initialised(nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1))
    return nn.Sequential(convolution, instance_norm(outputs), nn.LeakyReLU(SLOPE))


def _doubled(flow: Tensor) -> Tensor:
    return F.interpolate(flow, scale_factor=2.0, mode="bilinear", align_corners=False)

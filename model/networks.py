"""Embedder, generator and discriminator of Zakharov et al. 2019 (arXiv 1905.08233), in configurable sizes."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from model.blocks import SLOPE, AdaptiveResidual, ResidualDown, head, initialised, pooled, stem
from model.presets import NetworkConfig

PROJECTION_SCALE = 0.01
OUTPUT_SCALE = 0.2
CANVAS_RANGE = 0.98
"""Keeps atanh of a white or black canvas pixel finite; the last hundredth of the range is left to the correction."""


class Embedder(nn.Module):
    """E(x, y): one frame and its landmark map to an identity embedding.

    Differs from the paper in a linear layer behind the pooling, which
    lets the embedding be longer than the widest feature map.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        channels = config.embedder_channels
        self.stem = stem(6, channels[0], config.stride)
        self.blocks = nn.Sequential(*(ResidualDown(a, b) for a, b in pairwise(channels)))
        self.project = nn.Linear(channels[-1], config.identity_embedding)

    def forward(
        self,
        frames: Float[Tensor, "batch shots 3 height width"],
        landmark_maps: Float[Tensor, "batch shots 3 height width"],
    ) -> Float[Tensor, "batch embedding"]:
        """Return the mean embedding of each person's support frames (the paper's e-hat)."""
        batch, shots = frames.shape[:2]
        both = torch.cat([frames, landmark_maps], dim=2).flatten(0, 1)  # (b * k, 6, h, w)
        features = self.blocks(self.stem(both))
        embeddings: Tensor = self.project(pooled(features))
        return embeddings.view(batch, shots, -1).mean(dim=1)


class Generator(nn.Module):
    """G(y, psi): a landmark map to a frame of the person that the AdaIN parameters describe.

    With `config.canvas` the network also sees the canvas: one frame of the person, warped to the driving
    landmarks, and the landmark map it had before. Both enter beside the driving map, skips carry fine detail past
    the bottleneck, and the output is a correction of the canvas. This is not in the paper, where all that is known
    of a person passes through the identity embedding; it is what makes minutes of training on a handful of people
    enough. Without it the generator has the paper's inputs and outputs.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.canvas = config.canvas
        channels = config.generator_channels
        self.stem = stem(9 if config.canvas else 3, channels[0], config.stride)
        self.down = nn.ModuleList(ResidualDown(a, b, normalise=True) for a, b in pairwise(channels))
        rising = channels[::-1]
        self.adaptive = nn.ModuleList(
            [AdaptiveResidual(rising[0], rising[0], upsample=False) for _ in range(config.bottleneck_blocks)]
            + [AdaptiveResidual(a, b, upsample=True) for a, b in pairwise(rising)]
        )
        self.skips = nn.ModuleList(initialised(nn.Conv2d(c, c, 1)) for c in (rising[1:] if config.canvas else ()))
        self.head = head(channels[0], config.stride)
        self.adain_parameter_count = sum(block.parameter_count for block in self.adaptive_blocks)
        self.projection = nn.Linear(config.identity_embedding, self.adain_parameter_count)
        nn.init.normal_(self.projection.weight, std=PROJECTION_SCALE)
        nn.init.zeros_(self.projection.bias)
        self._start_quietly()

    @property
    def adaptive_blocks(self) -> list[AdaptiveResidual]:
        """The blocks that take AdaIN parameters, in order."""
        return [block for block in self.adaptive if isinstance(block, AdaptiveResidual)]

    def adain_params(self, identity_embedding: Float[Tensor, "batch embedding"]) -> Float[Tensor, "batch parameters"]:
        """Return psi = P e."""
        params: Tensor = self.projection(identity_embedding)
        return params

    def forward(
        self,
        landmark_maps: Float[Tensor, "batch 3 height width"],
        adain_params: Float[Tensor, "#batch parameters"],
        canvas: Float[Tensor, "batch 6 height width"] | None = None,
    ) -> Float[Tensor, "batch 3 height width"]:
        """Return frames in [-1, 1].

        Args:
            landmark_maps: Driving landmarks, drawn, in [-1, 1].
            adain_params: psi, for each frame or one for all.
            canvas: A warped frame of the person on its own landmark map; given exactly when the config asks for it.
        """
        if (canvas is not None) != self.canvas:
            raise ValueError(f"this generator {'needs a' if self.canvas else 'takes no'} canvas")
        inputs = landmark_maps if canvas is None else torch.cat([landmark_maps, canvas], dim=1)
        x = self.stem(inputs)
        levels: list[Tensor] = []
        for down in self.down:
            levels.append(x)
            x = down(x)
        psi = adain_params.expand(len(x), -1)
        blocks = self.adaptive_blocks
        rising = len(blocks) - len(self.down)
        for number, part in enumerate(torch.split(psi, [b.parameter_count for b in blocks], dim=1)):
            x = blocks[number](x, part)
            if number >= rising and self.canvas:
                x = x + self.skips[number - rising](levels[len(blocks) - 1 - number])
        x = self.head(F.leaky_relu(x, SLOPE)).float()
        if canvas is not None:
            x = x + torch.atanh(canvas[:, :3].float() * CANVAS_RANGE)
        return torch.tanh(x)

    def _start_quietly(self) -> None:
        """Scale the output layer down so that training starts near grey, or near the canvas."""
        with torch.no_grad():
            for parameter in self.head.parameters():
                parameter.mul_(OUTPUT_SCALE)


class Discriminator(nn.Module):
    """D(x, y, i): realism of a frame given its landmark map and the clip it claims to come from.

    The score is V(x, y)^T (W_i + w_0) + b (equation 6 of the paper): one column W_i for each training clip.
    Fine-tuning passes its own vector w' in place of W_i + w_0.
    """

    def __init__(self, config: NetworkConfig, clips: int) -> None:
        super().__init__()
        channels = config.discriminator_channels
        self.stem = stem(6, channels[0], config.stride, spectral=True)
        self.blocks = nn.ModuleList(ResidualDown(a, b, spectral=True) for a, b in pairwise(channels))
        self.project = nn.Linear(channels[-1], config.identity_embedding)
        self.clip_embedding = nn.Embedding(clips, config.identity_embedding)
        nn.init.normal_(self.clip_embedding.weight, std=0.02)
        self.shared_embedding = nn.Parameter(torch.randn(config.identity_embedding) * 0.02)
        self.bias = nn.Parameter(torch.zeros(()))

    def clip_vectors(self, clips: Int[Tensor, " batch"]) -> Float[Tensor, "batch embedding"]:
        """Return W_i + w_0 for the training clips with these numbers."""
        vectors: Tensor = self.clip_embedding(clips) + self.shared_embedding
        return vectors

    def forward(
        self,
        frames: Float[Tensor, "batch 3 height width"],
        landmark_maps: Float[Tensor, "batch 3 height width"],
        vectors: Float[Tensor, "#batch embedding"],
    ) -> tuple[Float[Tensor, " batch"], list[Tensor]]:
        """Return the raw realism score of each frame and the features after every block."""
        x = self.stem(torch.cat([frames, landmark_maps], dim=1))
        features: list[Tensor] = []
        for block in self.blocks:
            x = block(x)
            features.append(x)
        scores = (self.project(pooled(x)) * vectors).sum(dim=1) + self.bias
        return scores, features

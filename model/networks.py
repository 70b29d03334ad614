"""Embedder, generator and discriminator of Zakharov et al. 2019 (arXiv 1905.08233), in configurable sizes."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from model.attention import SelfAttention
from model.blocks import (
    AdaptiveResidual,
    Residual,
    ResidualDown,
    adaptive_instance_norm,
    head,
    initialised,
    pooled,
    smoothed,
    stem,
)
from model.flow import bend, still_at_first
from model.network_config import NetworkConfig

PROJECTION_SCALE = 0.01
OUTPUT_SCALE = 0.2
CANVAS_RANGE = 0.98
"""Keeps atanh of a white or black canvas pixel finite; the last hundredth of the range is left to the correction."""
FLOW_REACH = 0.25
"""Farthest that the flow moves a pixel, in sides of the image."""


class Embedder(nn.Module):
    """E(x, y): one frame and its landmark map to an identity embedding.

    With `config.linear_after_pooling`, which the paper does not have, the embedding can be longer than the widest
    feature map.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        channels, spectral = config.embedder_channels, config.spectral_norm == "all"
        self.pooling = config.pooling
        self.stem = _first_layer(6, channels[0], config, spectral=spectral)
        self.blocks = nn.Sequential(*_down_blocks(channels, config, spectral=spectral))
        self.project = _linear_after_pooling(channels[-1], config, spectral=spectral)

    def forward(
        self,
        frames: Float[Tensor, "batch shots 3 height width"],
        landmark_maps: Float[Tensor, "batch shots 3 height width"],
    ) -> Float[Tensor, "batch embedding"]:
        """Return the mean embedding of each person's support frames (the paper's e-hat)."""
        batch, shots = frames.shape[:2]
        both = torch.cat([frames, landmark_maps], dim=2).flatten(0, 1)  # (b * k, 6, h, w)
        features = self.blocks(self.stem(both))
        embeddings: Tensor = self.project(pooled(features, self.pooling))
        return embeddings.view(batch, shots, -1).mean(dim=1)


class Generator(nn.Module):
    """G(y, psi): a landmark map to a frame of the person that the AdaIN parameters describe.

    With `config.canvas` the network also sees the canvas: one frame of the person, warped to the driving
    landmarks, and the landmark map it had before. Both enter beside the driving map, skips carry fine detail past
    the bottleneck, and the output is a correction of the canvas, smoothed by a pixel. With `config.flow_px` it first
    corrects where the canvas' pixels are, by a flow of that resolution. This is not in the paper, where all that is
    known of a person passes through the identity embedding; it is what makes minutes of training on a handful of people
    enough. Without it the generator has the paper's inputs and outputs.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.canvas, self.slope = config.canvas, config.negative_slope
        channels, spectral = config.generator_channels, config.spectral_norm == "all"
        self.stem = _first_layer(9 if config.canvas else 3, channels[0], config, spectral=spectral)
        self.down = nn.ModuleList(_down_blocks(channels, config, spectral=spectral, normalise=True))
        rising = channels[::-1]
        # Blocks that read the image have halved it once more than there are pairs of channels.
        ups = pairwise(rising if config.first_layer == "convolution" else (rising[0], *rising))
        steps = [(rising[0], rising[0], False)] * config.bottleneck_blocks + [(a, b, True) for a, b in ups]
        self.adaptive = nn.ModuleList(
            AdaptiveResidual(a, b, upsample=up, spectral=spectral, resampling=config.resampling, slope=self.slope)
            for a, b, up in steps
        )
        self.attention: nn.Module = nn.Identity()
        self.attention_behind = -1
        if config.attention_up_px is not None:
            self.attention_behind = config.bottleneck_blocks + config.rising_px.index(config.attention_up_px)
            self.attention = SelfAttention(steps[self.attention_behind][1], spectral=spectral)
        self.flow: nn.Module = nn.Identity()
        self.flow_behind = -1
        if config.flow_px is not None:
            self.flow_behind = config.bottleneck_blocks + config.rising_px.index(config.flow_px)
            self.flow = still_at_first(steps[self.flow_behind][1])
        self.skips = nn.ModuleList(initialised(nn.Conv2d(c, c, 1)) for c in (rising[1:] if config.canvas else ()))
        self.head = head(channels[0], config.stride, spectral=spectral)
        self.adain_counts = [block.parameter_count for block in self.adaptive_blocks]
        if config.first_layer == "block":
            self.adain_counts.append(2 * channels[0])  # in front of the last layer
        self.adain_parameter_count = sum(self.adain_counts)
        self.projection: nn.Module = _projection(config.identity_embedding, self.adain_parameter_count)
        if spectral:
            nn.utils.parametrizations.spectral_norm(self.projection)
        else:
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
        flow: Tensor | None = None
        for down in self.down:
            levels.append(x)
            x = down(x)
        parts = torch.split(adain_params.expand(len(x), -1), self.adain_counts, dim=1)
        blocks = self.adaptive_blocks
        rising = len(blocks) - len(self.down)
        for number, block in enumerate(blocks):
            x = block(x, parts[number])
            if number >= rising and self.canvas:
                x = x + self.skips[number - rising](levels[len(blocks) - 1 - number])
            if number == self.attention_behind:
                x = self.attention(x)
            if number == self.flow_behind:
                flow = self.flow(F.leaky_relu(x, self.slope)).float()
        if len(parts) > len(blocks):
            x = adaptive_instance_norm(x, *parts[-1].chunk(2, dim=1))
        x = self.head(F.leaky_relu(x, self.slope)).float()
        if canvas is not None:
            base = canvas[:, :3].float()
            if flow is not None:
                base = _moved(base, flow)
            x = smoothed(x) + torch.atanh(base * CANVAS_RANGE)
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
        self.pooling, self.stem_is_block = config.pooling, config.first_layer == "block"
        self.stem = _first_layer(6, channels[0], config, spectral=True)
        self.blocks = nn.ModuleList(_down_blocks(channels, config, spectral=True))
        self.blocks.extend(
            Residual(channels[-1], spectral=True, slope=config.negative_slope)
            for _ in range(config.discriminator_last_blocks)
        )
        self.project = _linear_after_pooling(channels[-1], config, spectral=config.spectral_norm == "all")
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
        features: list[Tensor] = [x] if self.stem_is_block else []
        for block in self.blocks:
            x = block(x)
            features.append(x)
        scores = (self.project(pooled(x, self.pooling)) * vectors).sum(dim=1) + self.bias
        return scores, features


def _moved(
    frames: Float[Tensor, "batch 3 height width"], flow: Float[Tensor, "batch 2 flow_height flow_width"]
) -> Float[Tensor, "batch 3 height width"]:
    """Return frames bent by the flow, `FLOW_REACH` at most; a cubic between their pixels keeps them sharp."""
    reach = torch.tanh(flow) * (2 * FLOW_REACH)  # `bend` counts in half images
    fine = F.interpolate(reach, size=frames.shape[2:], mode="bilinear", align_corners=False)
    return bend(frames, fine, "bicubic").clamp(-1, 1)


def _first_layer(inputs: int, outputs: int, config: NetworkConfig, *, spectral: bool) -> nn.Module:
    """Return what reads the image."""
    if config.first_layer == "convolution":
        return stem(inputs, outputs, config.stride, spectral=spectral)
    return ResidualDown(
        inputs,
        outputs,
        spectral=spectral,
        resampling=config.resampling,
        slope=config.negative_slope,
        reads_image=True,
    )


def _down_blocks(
    channels: Sequence[int], config: NetworkConfig, *, spectral: bool, normalise: bool = False
) -> list[nn.Module]:
    """Return one block for each step from one number of channels to the next, with self-attention behind its place."""
    blocks: list[nn.Module] = []
    for level, (inputs, outputs) in enumerate(pairwise(channels), start=1):
        block: nn.Module = ResidualDown(
            inputs,
            outputs,
            normalise=normalise,
            spectral=spectral,
            resampling=config.resampling,
            slope=config.negative_slope,
        )
        if config.first_px >> level == config.attention_down_px:
            block = nn.Sequential(block, SelfAttention(outputs, spectral=spectral))
        blocks.append(block)
    return blocks


def _linear_after_pooling(channels: int, config: NetworkConfig, *, spectral: bool) -> nn.Module:
    if not config.linear_after_pooling:
        return nn.Identity()
    layer = nn.Linear(channels, config.identity_embedding)
    return nn.utils.parametrizations.spectral_norm(layer) if spectral else layer


def _projection(length: int, parameters: int) -> nn.Linear:
    """Return P, which is small at the start: AdaIN begins as plain instance norm."""
    layer = nn.Linear(length, parameters)
    nn.init.normal_(layer.weight, std=PROJECTION_SCALE)
    nn.init.zeros_(layer.bias)
    return layer

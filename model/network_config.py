"""What the embedder, the generator and the discriminator are built from."""

from typing import Literal

from pydantic import model_validator

from manifests.schema import Record

Resampling = Literal["strided", "pooled"]
FirstLayer = Literal["convolution", "block"]
Pooling = Literal["scaled_sum", "sum", "max"]


class NetworkConfig(Record):
    """Sizes and layout of the three networks."""

    size_px: int
    """Side of the square images."""
    first_layer: FirstLayer
    """What reads the image: a convolution, or, in the paper, the first residual block (no norm, no rectifier in front
    of it); the generator then ends in AdaIN, rectifier and convolution."""
    stride: Literal[1, 2]
    """Of the first and last convolution: 2 keeps networks off the full resolution; 1 where blocks read the image."""
    resampling: Resampling
    """How blocks change the resolution: strided convolutions, or, in the paper, convolving and then averaging 2 x 2
    pixels on the way down, repeating pixels and then convolving on the way up."""
    negative_slope: float
    """Of every rectifier in front of a convolution; 0 is the paper's ReLU."""
    spectral_norm: Literal["discriminator", "all"]
    """Which networks have it on their convolutions and linear layers; in the paper all."""
    attention_down_px: int | None
    """Resolution of the self-attention on the way down, in all three networks; none in small presets."""
    attention_up_px: int | None
    """Resolution of the self-attention on the generator's way up."""
    pooling: Pooling
    """How features become a vector, after a ReLU: their sum, that over the root of their number, or the maximum."""
    linear_after_pooling: bool
    """A linear layer brings the vector to the length of the embedding; false where the channels are as many already."""
    identity_embedding: int
    """Length N of the identity embedding (512 in the paper)."""
    generator_channels: tuple[int, ...]
    """Channels after the first layer and after each block down from it; the way up mirrors them."""
    bottleneck_blocks: int
    """Residual blocks with AdaIN at the lowest resolution."""
    canvas: bool
    """Show the generator one warped frame of the person (see `Generator`); false is the paper's layout."""
    flow_px: int | None
    """Resolution at which the generator corrects where the canvas' pixels are, before it corrects their colours; none
    leaves them where the warp put them."""
    embedder_channels: tuple[int, ...]
    discriminator_channels: tuple[int, ...]
    discriminator_last_blocks: int
    """Further residual blocks of the discriminator at its lowest resolution (1 in the paper)."""
    gaze: bool
    """Landmark maps show the iris centres too; the paper's do not, so gaze cannot be driven."""

    @property
    def first_px(self) -> int:
        """Side of the features behind the first layer."""
        return self.size_px // (2 if self.first_layer == "block" else self.stride)

    @property
    def falling_px(self) -> tuple[int, ...]:
        """Sides of the generator's features behind its blocks down, the first layer not among them."""
        return tuple(self.first_px >> level for level in range(1, len(self.generator_channels)))

    @property
    def rising_px(self) -> tuple[int, ...]:
        """Sides of the generator's features behind its blocks up; the last is what the last layer gets."""
        top = [self.size_px] if self.first_layer == "block" else []
        return (*self.falling_px[-2::-1], self.first_px, *top)

    @model_validator(mode="after")
    def _fits_together(self) -> "NetworkConfig":
        if self.first_layer == "block" and (self.stride != 1 or self.canvas):
            raise ValueError("where the first block reads the image, stride is 1 and there is no canvas")
        if self.flow_px is not None and not self.canvas:
            raise ValueError(f"a flow of {self.flow_px} px has no canvas to move")
        ends = {self.embedder_channels[-1], self.discriminator_channels[-1]}
        if not self.linear_after_pooling and ends != {self.identity_embedding}:
            raise ValueError(f"without a linear layer the last channels are {self.identity_embedding}, not {ends}")
        for wanted, sides in (
            (self.attention_down_px, self.falling_px),
            (self.attention_up_px, self.rising_px),
            (self.flow_px, self.rising_px),
        ):
            if wanted is not None and wanted not in sides:
                raise ValueError(f"no block ends at the {wanted} px of self-attention or flow, but at {sides}")
        return self

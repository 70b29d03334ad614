"""Presets of the reference model: frozen configurations that print themselves."""

from itertools import pairwise
from math import log
from typing import ClassVar, Literal

from manifests.schema import Record
from weights.errors import HeadshotError


class NetworkConfig(Record):
    """Sizes of the embedder, the generator and the discriminator."""

    size_px: int
    """Side of the square images."""
    stride: Literal[1, 2]
    """Of the first and last layer: 2 keeps the networks off the full resolution, 1 is the paper's layout."""
    identity_embedding: int
    """Length N of the identity embedding (512 in the paper)."""
    generator_channels: tuple[int, ...]
    """Channels after the stem and after each down block; the up path mirrors them."""
    bottleneck_blocks: int
    """Residual blocks with AdaIN at the lowest resolution."""
    canvas: bool
    """Show the generator one warped frame of the person (see `Generator`); false is the paper's layout."""
    embedder_channels: tuple[int, ...]
    discriminator_channels: tuple[int, ...]


class LossWeights(Record):
    """Weights of the terms that the embedder and the generator minimise, and of the discriminator's hinge."""

    content: float
    """L1 between VGG16 activations of the generated and the target frame, summed over layers."""
    pixel: float
    """L1 between the frames themselves, in [-1, 1]; 0 in the paper."""
    adversarial: float
    feature_matching: float
    match: float
    """L1 between the identity embedding and the clip embedding W_i (equation 4)."""


class MetaLearningConfig(Record):
    """Schedule of the first phase, over many people."""

    steps: int
    batch: int
    shots: int
    """K: support frames that the embedder sees in an episode."""
    adversarial_from: float
    """Share of the steps after which the discriminator starts to train and to count."""
    warmup_steps: int
    generator_rate: float
    embedder_rate: float
    projection_rate: float
    """Rate of P, the matrix that turns an identity embedding into AdaIN parameters."""
    discriminator_rate: float
    gradient_clip: float
    ema_decay: float
    checkpoint_every: int


class FineTuningConfig(Record):
    """Schedule of the second phase, on the T frames of a new person."""

    iterations_at_shots: tuple[tuple[int, int], ...]
    """(T, iterations) pairs, interpolated linearly in log T."""
    batch: int
    rate: float
    discriminator_rate: float
    ema_decay: float

    def iterations(self, shots: int) -> int:
        """Return the number of updates for `shots` support frames."""
        points = self.iterations_at_shots
        if shots <= points[0][0]:
            return points[0][1]
        for (low, low_count), (high, high_count) in pairwise(points):
            if shots <= high:
                share = log(shots / low) / log(high / low)
                return round(low_count + share * (high_count - low_count))
        return points[-1][1]


class Preset(Record):
    """Everything that fixes a reference model except the data and the seed."""

    card_title: ClassVar[str] = "reference model"
    card_source: ClassVar[str] = "Few-shot talking-head model after Zakharov et al. 2019 (arXiv 1905.08233)"

    name: str
    description: str
    network: NetworkConfig
    losses: LossWeights
    meta_learning: MetaLearningConfig
    fine_tuning: FineTuningConfig


_COMPACT = Preset(
    name="compact",
    description="128 px, trains in minutes on two CPU cores",
    network=NetworkConfig(
        size_px=128,
        stride=2,
        identity_embedding=512,
        generator_channels=(32, 64, 128),
        bottleneck_blocks=2,
        canvas=True,
        embedder_channels=(16, 32, 64, 128, 192),
        discriminator_channels=(16, 32, 64, 128),
    ),
    losses=LossWeights(content=1.0, pixel=4.0, adversarial=0.1, feature_matching=1.0, match=0.5),
    meta_learning=MetaLearningConfig(
        steps=550,
        batch=8,
        shots=3,
        adversarial_from=0.7,
        warmup_steps=50,
        generator_rate=5e-4,
        embedder_rate=2.5e-4,
        projection_rate=1e-4,
        discriminator_rate=4e-4,
        gradient_clip=20.0,
        ema_decay=0.995,
        checkpoint_every=100,
    ),
    fine_tuning=FineTuningConfig(
        iterations_at_shots=((1, 20), (8, 50), (32, 60)),
        batch=4,
        rate=5e-4,
        discriminator_rate=4e-4,
        ema_decay=0.97,
    ),
)

_TINY = Preset(
    name="tiny",
    description="64 px, for tests: seconds on one core, no quality to speak of",
    network=NetworkConfig(
        size_px=64,
        stride=2,
        identity_embedding=32,
        generator_channels=(16, 24),
        bottleneck_blocks=1,
        canvas=True,
        embedder_channels=(8, 16, 32),
        discriminator_channels=(8, 16, 32),
    ),
    losses=_COMPACT.losses,
    meta_learning=_COMPACT.meta_learning.model_copy(
        update={"steps": 8, "batch": 2, "shots": 2, "warmup_steps": 2, "checkpoint_every": 4}
    ),
    fine_tuning=_COMPACT.fine_tuning.model_copy(update={"iterations_at_shots": ((1, 2), (8, 4), (32, 6)), "batch": 2}),
)

PresetName = Literal["compact", "tiny"]
PRESETS: dict[str, Preset] = {preset.name: preset for preset in (_COMPACT, _TINY)}


def preset(name: str) -> Preset:
    """Return the preset called `name`.

    Raises:
        HeadshotError: There is no such preset.
    """
    if name not in PRESETS:
        raise HeadshotError(f"there is no preset {name!r}; choose one of: {', '.join(sorted(PRESETS))}")
    return PRESETS[name]

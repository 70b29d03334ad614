"""Presets of the learned baselines: the two other families that Zakharov et al. 2019 compare with, in compact sizes."""

from typing import ClassVar

from manifests.schema import Record
from model.loss_weights import EMBEDDED_CONTENT, LossWeights
from model.schedule import Schedule


class BaselineTraining(Schedule):
    """Schedule of the training on many people; batches are those of the reference model's meta-learning."""

    rate: float


class X2FaceConfig(Record):
    """Sizes of the warping network."""

    canvas: ClassVar[bool] = False
    gaze: ClassVar[bool] = False

    size_px: int
    embedding_channels: tuple[int, ...]
    """Channels after each halving of the network that brings source frames into one common pose."""
    driving_channels: tuple[int, ...]
    """The same of the network that bends the embedded face to the driving landmarks."""


class X2FacePreset(Record):
    """Everything that fixes an X2Face-like warping network except the data and the seed."""

    card_title: ClassVar[str] = "baseline, learned warp"
    card_source: ClassVar[str] = "Learned warping network after X2Face, Wiles et al. 2018 (arXiv 1807.10550)"

    name: str
    description: str
    network: X2FaceConfig
    losses: LossWeights
    meta_learning: BaselineTraining


class Pix2pixHDConfig(Record):
    """Sizes of the landmark-to-image generator and of its discriminators."""

    canvas: ClassVar[bool] = False
    gaze: ClassVar[bool] = False

    size_px: int
    generator_channels: tuple[int, ...]
    """Channels after each halving; the up path mirrors them."""
    residual_blocks: int
    """At the lowest resolution."""
    discriminator_channels: tuple[int, ...]
    discriminator_scales: int
    """Discriminators of the same shape, each on frames of half the size of the one before."""


class EpochTuning(Record):
    """Fine-tuning by passes over the T frames, with bounds where these are few or many."""

    epochs: int
    batch: int
    fewest_iterations: int
    most_iterations: int
    rate: float
    ema_decay: float

    def iterations(self, shots: int) -> int:
        """Return the number of updates for `shots` support frames."""
        return min(max(round(self.epochs * shots / self.batch), self.fewest_iterations), self.most_iterations)


class Pix2pixHDPreset(Record):
    """Everything that fixes a Pix2pixHD-like generator except the data and the seed."""

    card_title: ClassVar[str] = "baseline, direct synthesis"
    card_source: ClassVar[str] = "Landmark-to-image generator after Pix2pixHD, Wang et al. 2018 (arXiv 1711.11585)"

    name: str
    description: str
    network: Pix2pixHDConfig
    losses: LossWeights
    meta_learning: BaselineTraining
    fine_tuning: EpochTuning


X2FACE_COMPACT = X2FacePreset(
    name="x2face-compact",
    description="128 px, trains in minutes on two CPU cores",
    network=X2FaceConfig(
        size_px=128,
        embedding_channels=(32, 48, 64, 96, 128),
        driving_channels=(32, 48, 64, 96, 128),
    ),
    losses=LossWeights(
        content=1.0,
        content_networks=EMBEDDED_CONTENT,
        content_unit=False,
        content_windows=True,
        pixel=4.0,
        adversarial=0.0,
        feature_matching=0.0,
    ),
    meta_learning=BaselineTraining(
        steps=500,
        batch=8,
        shots=2,
        adversarial_from=1.0,
        warmup_steps=50,
        rate=1e-3,
        gradient_clip=20.0,
        ema_decay=0.99,
        checkpoint_every=100,
    ),
)

PIX2PIXHD_COMPACT = Pix2pixHDPreset(
    name="pix2pixhd-compact",
    description="128 px, trains in minutes on two CPU cores",
    network=Pix2pixHDConfig(
        size_px=128,
        generator_channels=(32, 64, 128),
        residual_blocks=4,
        discriminator_channels=(24, 48, 96),
        discriminator_scales=2,
    ),
    losses=LossWeights(
        content=1.0,
        content_networks=EMBEDDED_CONTENT,
        content_unit=False,
        content_windows=True,
        pixel=4.0,
        adversarial=0.1,
        feature_matching=1.0,
    ),
    meta_learning=BaselineTraining(
        steps=400,
        batch=8,
        shots=1,
        adversarial_from=0.5,
        warmup_steps=50,
        rate=5e-4,
        gradient_clip=20.0,
        ema_decay=0.99,
        checkpoint_every=100,
    ),
    fine_tuning=EpochTuning(epochs=40, batch=4, fewest_iterations=40, most_iterations=120, rate=5e-4, ema_decay=0.97),
)

BASELINE_PRESETS: dict[str, X2FacePreset | Pix2pixHDPreset] = {
    X2FACE_COMPACT.name: X2FACE_COMPACT,
    PIX2PIXHD_COMPACT.name: PIX2PIXHD_COMPACT,
}

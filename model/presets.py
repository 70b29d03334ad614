"""Presets of the reference model: frozen configurations that print themselves."""

from itertools import pairwise
from math import log
from typing import ClassVar, Literal

from manifests.schema import Record
from model.loss_weights import EMBEDDED_CONTENT, ReferenceLosses, with_embedded_content
from model.network_config import NetworkConfig
from model.schedule import Schedule
from weights.errors import HeadshotError

Variant = Literal["ff", "ft"]


class MetaLearningConfig(Schedule):
    """Schedule of the first phase, over many people."""

    variant: Variant
    """`ff`, for use without fine-tuning: no match term. `ft`, for use with it: the match term makes an embedding a
    start for a new person's vector in the discriminator."""
    discriminator_steps: int
    """Updates of the discriminator for each update of embedder and generator, on the same frames."""
    generator_rate: float
    embedder_rate: float
    projection_rate: float
    """Rate of P, the matrix that turns an identity embedding into AdaIN parameters."""
    discriminator_rate: float


StopRule = Literal["fixed", "held_out"]


class FineTuningConfig(Record):
    """Schedule of the second phase, on the T frames of a new person."""

    iterations_at_shots: tuple[tuple[int, int], ...]
    """(T, iterations) pairs, interpolated linearly in log T."""
    batch: int
    rate: float
    discriminator_rate: float
    ema_decay: float
    stop: StopRule = "fixed"
    """`fixed` takes the number of the table. `held_out` stops where the loss on support frames kept out of training is
    lowest, at the latest at that number; with too few frames to keep any out it is that number."""
    check_every: int = 10
    """Iterations between two looks at the frames that are kept out."""
    patience: int = 2
    """Looks without a lower loss after which training stops."""

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
    losses: ReferenceLosses
    meta_learning: MetaLearningConfig
    fine_tuning: FineTuningConfig

    def varied(self, *, variant: Variant | None = None, embedded_content: bool = False, gaze: bool = False) -> "Preset":
        """Return the preset with what is given changed; the name stays, the fields tell.

        Args:
            variant: Of meta-learning.
            embedded_content: VGG16, which comes from a package, stands in for the content networks of the paper.
            gaze: Draw irises into the landmark maps.
        """
        changed = self
        if variant is not None:
            schedule = changed.meta_learning.model_copy(update={"variant": variant})
            changed = changed.model_copy(update={"meta_learning": schedule})
        if embedded_content:
            changed = changed.model_copy(update={"losses": with_embedded_content(changed.losses)})
        if gaze:
            changed = changed.model_copy(update={"network": changed.network.model_copy(update={"gaze": True})})
        return changed


_COMPACT = Preset(
    name="compact",
    description="128 px, trains in minutes on two CPU cores",
    network=NetworkConfig(
        size_px=128,
        first_layer="convolution",
        stride=2,
        resampling="strided",
        negative_slope=0.2,
        spectral_norm="discriminator",
        attention_down_px=None,
        attention_up_px=None,
        pooling="scaled_sum",
        linear_after_pooling=True,
        identity_embedding=512,
        generator_channels=(32, 64, 128),
        bottleneck_blocks=2,
        canvas=True,
        flow_px=32,
        embedder_channels=(16, 32, 64, 128, 192),
        discriminator_channels=(16, 32, 64, 128),
        discriminator_last_blocks=0,
        gaze=False,
    ),
    losses=ReferenceLosses(
        content=0.2,
        content_networks=EMBEDDED_CONTENT,
        content_unit=True,
        content_windows=True,
        pixel=4.0,
        adversarial=0.0,  # in minutes a discriminator learns nothing, and its gradients cost Frechet distance
        feature_matching=0.0,
        match=0.0,
    ),
    meta_learning=MetaLearningConfig(
        variant="ft",
        steps=550,
        batch=8,
        shots=3,
        discriminator_steps=1,
        adversarial_from=1.0,
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
        rate=1e-4,
        discriminator_rate=4e-4,
        ema_decay=0.97,
    ),
)

_COMPACT_FAITHFUL = _COMPACT.model_copy(
    update={
        "name": "compact-faithful",
        "description": "compact without its extensions: no canvas, all is learned through the embedding; adversarial",
        "network": _COMPACT.network.model_copy(update={"canvas": False, "flow_px": None}),
        "losses": _COMPACT.losses.model_copy(
            update={"content": 1.0, "content_unit": False, "adversarial": 0.1, "feature_matching": 1.0, "match": 0.5}
        ),
        "meta_learning": _COMPACT.meta_learning.model_copy(update={"adversarial_from": 0.7}),
        "fine_tuning": _COMPACT.fine_tuning.model_copy(
            update={"iterations_at_shots": ((1, 40), (8, 160), (32, 160)), "rate": 5e-4}
        ),
    }
)

_TINY = Preset(
    name="tiny",
    description="64 px, for tests: seconds on one core, no quality to speak of",
    network=_COMPACT.network.model_copy(
        update={
            "size_px": 64,
            "identity_embedding": 32,
            "generator_channels": (16, 24),
            "bottleneck_blocks": 1,
            "embedder_channels": (8, 16, 32),
            "discriminator_channels": (8, 16, 32),
        }
    ),
    losses=_COMPACT_FAITHFUL.losses,
    meta_learning=_COMPACT_FAITHFUL.meta_learning.model_copy(
        update={"steps": 8, "batch": 2, "shots": 2, "warmup_steps": 2, "checkpoint_every": 4}
    ),
    fine_tuning=_COMPACT_FAITHFUL.fine_tuning.model_copy(
        update={"iterations_at_shots": ((1, 2), (8, 4), (32, 6)), "batch": 2}
    ),
)

_ZAKHAROV_V2 = Preset(
    name="zakharov-256-v2",
    description="256 px, the networks and the second published loss weights of Zakharov et al.; for a large GPU",
    network=NetworkConfig(
        size_px=256,
        first_layer="block",
        stride=1,
        resampling="pooled",
        negative_slope=0.0,
        spectral_norm="all",
        attention_down_px=32,
        attention_up_px=64,
        pooling="sum",
        linear_after_pooling=False,
        identity_embedding=512,
        generator_channels=(64, 128, 256, 512),
        bottleneck_blocks=4,
        canvas=False,
        flow_px=None,
        embedder_channels=(64, 128, 256, 512, 512, 512),
        discriminator_channels=(64, 128, 256, 512, 512, 512),
        discriminator_last_blocks=1,
        gaze=False,
    ),
    losses=ReferenceLosses(
        content=1.0,
        content_networks=(("vgg19", 1.5e-1), ("vggface", 2.5e-2)),
        content_unit=False,
        content_windows=False,
        pixel=0.0,
        adversarial=1.0,
        feature_matching=10.0,
        match=10.0,
    ),
    meta_learning=MetaLearningConfig(
        variant="ft",
        steps=1_365_000,  # 75 epochs over the 145,569 training videos of VoxCeleb2, in batches of 8
        batch=8,
        shots=8,
        discriminator_steps=2,
        adversarial_from=0.0,
        warmup_steps=1,
        generator_rate=5e-5,
        embedder_rate=5e-5,
        projection_rate=5e-5,
        discriminator_rate=2e-4,
        gradient_clip=0.0,
        ema_decay=0.999,
        checkpoint_every=1000,
    ),
    fine_tuning=FineTuningConfig(
        iterations_at_shots=((1, 40), (8, 40), (32, 160)),  # 40 epochs
        batch=8,
        rate=5e-5,
        discriminator_rate=2e-4,
        ema_decay=0.97,
    ),
)

_ZAKHAROV_V1 = _ZAKHAROV_V2.model_copy(
    update={
        "name": "zakharov-256-v1",
        "description": "256 px, the networks and the first published loss weights of Zakharov et al.; for a large GPU",
        "network": _ZAKHAROV_V2.network.model_copy(update={"pooling": "max"}),
        "losses": _ZAKHAROV_V2.losses.model_copy(
            update={"content_networks": (("vgg19", 1e-2), ("vggface", 2e-3)), "match": 80.0}
        ),
    }
)

PresetName = Literal["compact", "compact-faithful", "tiny", "zakharov-256-v1", "zakharov-256-v2"]
PRESETS: dict[str, Preset] = {
    preset.name: preset for preset in (_COMPACT, _COMPACT_FAITHFUL, _TINY, _ZAKHAROV_V1, _ZAKHAROV_V2)
}


def preset(name: str) -> Preset:
    """Return the preset called `name`.

    Raises:
        HeadshotError: There is no such preset.
    """
    if name not in PRESETS:
        raise HeadshotError(f"there is no preset {name!r}; choose one of: {', '.join(sorted(PRESETS))}")
    return PRESETS[name]

"""What the networks are trained to: the terms of the losses and their weights."""

from typing import Literal

from manifests.schema import Record

ContentNetwork = Literal["vgg16", "vgg19", "vggface"]
EMBEDDED_CONTENT: tuple[tuple[ContentNetwork, float], ...] = (("vgg16", 1.0),)
"""The content network that comes from a package."""
EMBEDDED_CONTENT_SHARE = 10.0
"""Weight of VGG16 over that of the adversarial term when it stands in for other networks."""


class LossWeights(Record):
    """Weights of the terms that a generator minimises; 0 for terms that a model does not have."""

    content: float
    """L1 between activations of the generated and the target frame, summed over layers and `content_networks`."""
    content_networks: tuple[tuple[ContentNetwork, float], ...]
    """The networks compared in, each with a weight of its own; `vgg16` comes from a package (see `model.content`)."""
    content_unit: bool
    """Bring the activations at each position to unit length first, as LPIPS does, and add the differences up over
    channels; false compares them as they are, by the mean over channels, as in the paper."""
    content_windows: bool
    """Show these networks half-size frames and full-size windows in turn; false shows whole frames, as in the paper."""
    pixel: float
    """L1 between the frames themselves, in [-1, 1]; 0 in the paper."""
    adversarial: float
    feature_matching: float

    @property
    def is_adversarial(self) -> bool:
        """Whether a discriminator has a say."""
        return self.adversarial > 0 or self.feature_matching > 0


class ReferenceLosses(LossWeights):
    """Those of the reference model's embedder and generator."""

    match: float
    """L1 between the identity embedding and the clip embedding W_i (equation 4)."""


def with_embedded_content(weights: ReferenceLosses) -> ReferenceLosses:
    """Return the weights with VGG16 in place of other content networks, in a proportion that small presets stood."""
    if weights.content_networks == EMBEDDED_CONTENT:
        return weights
    share = EMBEDDED_CONTENT_SHARE * weights.adversarial
    return weights.model_copy(update={"content": share, "content_networks": EMBEDDED_CONTENT})

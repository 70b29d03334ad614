"""The losses of meta-learning and fine-tuning, each a function of tensors.

Equation numbers are those of Zakharov et al. 2019, arXiv 1905.08233.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def adversarial(fake_scores: Float[Tensor, " batch"]) -> Float[Tensor, ""]:
    """Return the generator's adversarial term, minus the mean realism score (equation 3, first half)."""
    return -fake_scores.mean()


def hinge(real_scores: Float[Tensor, " batch"], fake_scores: Float[Tensor, " batch"]) -> Float[Tensor, ""]:
    """Return the discriminator's hinge loss on raw scores (equation 7). No sigmoid: the scores are logits."""
    return torch.relu(1 + fake_scores).mean() + torch.relu(1 - real_scores).mean()


def feature_matching(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Float[Tensor, ""]:
    """Return the L1 distance between discriminator features of real and generated frames, mean over blocks.

    Gradients reach the generated side only.
    """
    terms = [(f.float() - r.detach().float()).abs().mean() for r, f in zip(real, fake, strict=True)]
    return torch.stack(terms).mean()


def match(
    identity_embedding: Float[Tensor, "batch embedding"], clip_embedding: Float[Tensor, "batch embedding"]
) -> Float[Tensor, ""]:
    """Return the L1 distance between the embedder's and the discriminator's idea of a clip (equation 5)."""
    return (identity_embedding - clip_embedding).abs().mean()

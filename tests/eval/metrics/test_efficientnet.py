import importlib.util

import numpy as np
import pytest
import skimage.data
from safetensors.numpy import load_file

from eval.features import FeatureCache, Frames
from eval.metrics.efficientnet import EfficientNetLite0, build_graph
from weights.errors import HeadshotError
from weights.fetch import fetch

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def state() -> dict[str, np.ndarray]:
    return load_file(fetch("efficientnet-lite0"))


@pytest.fixture(scope="module")
def network() -> EfficientNetLite0:
    return EfficientNetLite0.load(fetch("efficientnet-lite0"), workers=2)


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    astronaut = skimage.data.astronaut()
    crops = [astronaut[y : y + 128, x : x + 128] for y, x in ((0, 180), (100, 60), (300, 300))]
    return np.stack([*crops, np.zeros_like(crops[0])])


def features(network: EfficientNetLite0, frames: np.ndarray) -> np.ndarray:
    return network.extract(Frames.of(frames), FeatureCache())


def by_plain_torch(state: dict[str, np.ndarray], frames: np.ndarray) -> np.ndarray:
    """The network once more, unfolded: convolutions with TensorFlow's padding, then batch normalisation."""
    import torch
    import torch.nn.functional as F

    tensors = {name: torch.from_numpy(value) for name, value in state.items()}

    def layer(x, weight, norm, stride=1, activate=True):
        kernel = tensors[f"{weight}.weight"]
        total = [max((-(-side // stride) - 1) * stride + kernel.shape[-1] - side, 0) for side in x.shape[-2:]]
        x = F.pad(x, (total[1] // 2, total[1] - total[1] // 2, total[0] // 2, total[0] - total[0] // 2))
        groups = x.shape[1] if kernel.shape[1] == 1 else 1
        x = F.conv2d(x, kernel, stride=stride, groups=groups)
        mean, var, scale, shift = (
            tensors[f"{norm}.{name}"] for name in ("running_mean", "running_var", "weight", "bias")
        )
        x = F.batch_norm(x, mean, var, scale, shift, eps=1e-3)
        return F.relu6(x) if activate else x

    x = torch.from_numpy(frames).permute(0, 3, 1, 2).float()
    x = (F.interpolate(x, size=(224, 224), mode="bilinear", align_corners=False) - 127) / 128
    x = layer(x, "_conv_stem", "_bn0", stride=2)
    strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1]
    for index, stride in enumerate(strides):
        block, inner = f"_blocks.{index}", x
        if f"{block}._expand_conv.weight" in tensors:
            inner = layer(inner, f"{block}._expand_conv", f"{block}._bn0")
        inner = layer(inner, f"{block}._depthwise_conv", f"{block}._bn1", stride)
        inner = layer(inner, f"{block}._project_conv", f"{block}._bn2", activate=False)
        x = inner + x if stride == 1 and inner.shape == x.shape else inner
    return layer(x, "_conv_head", "_bn1").mean(dim=(2, 3)).numpy()


def test_equals_the_unfolded_network(
    network: EfficientNetLite0, state: dict[str, np.ndarray], frames: np.ndarray
) -> None:
    assert features(network, frames) == pytest.approx(by_plain_torch(state, frames), abs=2e-4)


def test_features_of_a_photograph_are_those_of_the_package_that_publishes_the_network(
    network: EfficientNetLite0, frames: np.ndarray
) -> None:
    """Recorded from `efficientnet-lite-pytorch` 0.1.0; run against it where it is installed."""
    found = features(network, frames)
    assert found[0, GOLDEN_INDICES] == pytest.approx(GOLDEN_VALUES, abs=1e-3)
    assert found[0].mean() == pytest.approx(GOLDEN_MEAN, abs=1e-4)
    if importlib.util.find_spec("efficientnet_lite_pytorch"):
        assert found == pytest.approx(by_package(frames), abs=2e-4)


GOLDEN_INDICES = [69, 1236, 423, 1015, 477]
GOLDEN_VALUES = [3.44511, 2.1448, 0.89162, 0.23465, 0.02027]
GOLDEN_MEAN = 0.138383


def by_package(frames: np.ndarray) -> np.ndarray:
    import torch
    import torch.nn.functional as F
    from efficientnet_lite_pytorch import EfficientNet

    theirs = EfficientNet.from_name("efficientnet-lite0").eval()
    state = load_file(fetch("efficientnet-lite0"))
    theirs.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()}, strict=True)
    inputs = torch.from_numpy(frames).permute(0, 3, 1, 2).float()
    inputs = F.interpolate(inputs, size=(224, 224), mode="bilinear", align_corners=False)
    with torch.inference_mode():
        return theirs.extract_features((inputs - 127) / 128).mean(dim=(2, 3)).numpy()


def test_order_batch_and_number_of_workers_do_not_matter(network: EfficientNetLite0, frames: np.ndarray) -> None:
    together = features(network, frames)
    single = EfficientNetLite0.load(fetch("efficientnet-lite0"), workers=1)
    for index in reversed(range(len(frames))):
        assert features(single, frames[index : index + 1])[0] == pytest.approx(together[index], abs=1e-6)


def test_a_missing_parameter_is_refused(state: dict[str, np.ndarray]) -> None:
    without = {name: value for name, value in state.items() if name != "_blocks.3._bn1.running_var"}
    with pytest.raises(HeadshotError, match=r"_blocks\.3\._bn1\.running_var is missing"):
        build_graph(without)


def test_a_parameter_left_over_is_refused(state: dict[str, np.ndarray]) -> None:
    with pytest.raises(HeadshotError, match=r"_blocks\.16\._bn0\.weight is left over"):
        build_graph({**state, "_blocks.16._bn0.weight": np.zeros(3, np.float32)})

"""EfficientNet-Lite0 up to its 1280 pooled features, as an ONNX graph built from the published parameters.

onnxruntime runs this network several times faster than eager PyTorch on a CPU. Batch normalisation is folded
into the convolutions.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from jaxtyping import Float, UInt8
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

from eval.features import FeatureCache, Frames
from pipeline.onnx_session import one_thread_session
from weights.errors import HeadshotError
from weights.files import sha256_of

INPUT_PX = 224
FEATURES = 1280
_BATCH_NORM_EPSILON = 1e-3
_STAGES = ((1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1))
"""Blocks of each stage, and the stride of the first of them."""

State = Mapping[str, Float[np.ndarray, "..."]]


class EfficientNetLite0:
    """Extracts pooled features."""

    VERSION = 1
    width = FEATURES

    def __init__(self, state: State, key: str, *, workers: int = 1) -> None:
        """Build the network.

        Args:
            state: Parameters under the names of the published state dict; none may be missing or left over.
            key: Names the parameters and the version of the preparation.
            workers: Frames that are computed at the same time.
        """
        # Frames run side by side instead of on several threads each: small layers do not split well.
        self._session = one_thread_session(build_graph(state).SerializeToString())
        self._workers = workers
        self.key = key

    @classmethod
    def load(cls, path: Path, *, workers: int = 1) -> "EfficientNetLite0":
        """Load the network from a safetensors file."""
        key = f"efficientnet-lite0@{cls.VERSION}-{sha256_of(path)[:12]}"
        return cls(load_file(path), key, workers=workers)

    def extract(self, frames: Frames, cache: FeatureCache) -> Float[np.ndarray, "frames 1280"]:  # noqa: ARG002
        """Return the features of RGB frames of any size."""
        with ThreadPoolExecutor(self._workers) as pool:
            return np.stack(list(pool.map(self._features, frames.pixels)))

    def _features(self, frame: UInt8[np.ndarray, "size size 3"]) -> Float[np.ndarray, " features"]:
        resized = cv2.resize(frame.astype(np.float32), (INPUT_PX, INPUT_PX))  # bilinear
        normalised = ((resized - 127) / 128).transpose(2, 0, 1)[None]
        return np.asarray(self._session.run(None, {"frames": np.ascontiguousarray(normalised)})[0][0])


def build_graph(state: State) -> onnx.ModelProto:
    """Return the network from normalised frames (batch, 3, 224, 224) to features (batch, 1280).

    Args:
        state: Parameters under the names of the published state dict. The classifier `_fc` is not used.

    Raises:
        HeadshotError: A parameter is missing or left over.

    Source: Tan and Le 2019, table 1, in the Lite variant: no squeeze-and-excitation, ReLU6, stem and head of
    fixed width. Padding follows TensorFlow's `SAME`.
    """
    graph = _Graph(state)
    name = graph.convolution("frames", "_conv_stem", "_bn0", stride=2)
    index = 0
    for blocks, first_stride in _STAGES:
        for block in range(blocks):
            prefix, inner = f"_blocks.{index}.", name
            if index > 0:  # the first block does not expand
                inner = graph.convolution(inner, prefix + "_expand_conv", prefix + "_bn0")
            stride = first_stride if block == 0 else 1
            inner = graph.convolution(inner, prefix + "_depthwise_conv", prefix + "_bn1", stride=stride)
            inner = graph.convolution(inner, prefix + "_project_conv", prefix + "_bn2", activate=False)
            name = inner if block == 0 else graph.sum_of(inner, name)
            index += 1
    name = graph.convolution(name, "_conv_head", "_bn1")
    return graph.pooled_model(name)


class _Graph:
    """Collects the nodes and the folded parameters."""

    def __init__(self, state: State) -> None:
        self._unused = {name: value for name, value in state.items() if not name.endswith("_batches_tracked")}
        self._nodes: list[onnx.NodeProto] = []
        self._parameters: list[onnx.TensorProto] = [
            numpy_helper.from_array(np.array(0, np.float32), "zero"),
            numpy_helper.from_array(np.array(6, np.float32), "six"),
        ]

    def convolution(self, source: str, weight: str, norm: str, *, stride: int = 1, activate: bool = True) -> str:
        """Append a convolution with its normalisation folded in, and ReLU6 unless told otherwise."""
        kernel, bias = self._folded(weight, norm)
        for name, value in ((f"{weight}.kernel", kernel), (f"{weight}.bias", bias)):
            self._parameters.append(numpy_helper.from_array(value, name))
        groups = kernel.shape[0] if kernel.shape[1] == 1 else 1
        self._node(
            "Conv",
            [source, f"{weight}.kernel", f"{weight}.bias"],
            weight,
            auto_pad="SAME_UPPER",
            group=groups,
            strides=[stride, stride],
        )
        return self._node("Clip", [weight, "zero", "six"], f"{weight}.relu6") if activate else weight

    def sum_of(self, one: str, other: str) -> str:
        """Append a residual sum."""
        return self._node("Add", [one, other], f"{one}.sum")

    def pooled_model(self, source: str) -> onnx.ModelProto:
        """Finish with the mean over positions and return the checked model."""
        self._node("GlobalAveragePool", [source], "pooled")
        self._node("Flatten", ["pooled"], "features")
        left_over = sorted(name for name in self._unused if not name.startswith("_fc."))
        if left_over:
            raise HeadshotError(
                f"these are not the parameters of EfficientNet-Lite0: {left_over[0]} is left over; "
                "fetch the weights efficientnet-lite0 again"
            )
        graph = helper.make_graph(
            self._nodes,
            "efficientnet-lite0",
            [helper.make_tensor_value_info("frames", TensorProto.FLOAT, ["batch", 3, INPUT_PX, INPUT_PX])],
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", FEATURES])],
            self._parameters,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        return model

    def _node(self, operation: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(operation, inputs, [output], **attributes))
        return output

    def _folded(self, weight: str, norm: str) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, " channels"]]:
        """Return kernel and bias that include the normalisation."""
        kernel = self._take(f"{weight}.weight")
        deviation = np.sqrt(self._take(f"{norm}.running_var") + _BATCH_NORM_EPSILON)
        scale = self._take(f"{norm}.weight") / deviation
        shift = self._take(f"{norm}.bias") - self._take(f"{norm}.running_mean") * scale
        return (kernel * scale[:, None, None, None]).astype(np.float32), shift.astype(np.float32)

    def _take(self, name: str) -> Float[np.ndarray, "..."]:
        if name not in self._unused:
            raise HeadshotError(
                f"these are not the parameters of EfficientNet-Lite0: {name} is missing; "
                "fetch the weights efficientnet-lite0 again"
            )
        return np.asarray(self._unused.pop(name), dtype=np.float64)

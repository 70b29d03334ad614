"""SCRFD through headshot against insightface's own code; the network has random weights, its boxes mean nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pipeline import detectors
from pipeline.backends import load_backend, weights_used
from pipeline.blazeface import Detection
from pipeline.clip_frames import ClipFrames
from pipeline.clip_work import process_clip
from pipeline.config import PipelineConfig
from pipeline.detectors import Detector, load_detector
from pipeline.facemesh import region_of_detection
from pipeline.scrfd import INPUT_PX, Scrfd, read_scrfd
from tests.pipeline.conftest import clip_of
from weights.errors import ArchiveUnavailable, HeadshotError, WeightUnavailable

ANCHORS, STRIDES = 2, (8, 16, 32)
VALUES = {"score": 1, "box": 4, "points": 10}


@pytest.fixture(scope="module")
def random_weight_scrfd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a network with inputs and outputs as in `det_10g.onnx`: one random convolution for each of nine outputs."""
    rng = np.random.default_rng(3)
    nodes, initializers, outputs = [], [], []
    for kind, values in VALUES.items():
        for stride in STRIDES:
            name = f"{kind}_{stride}"
            kernel = rng.normal(0, {"score": 0.3, "box": 0.05, "points": 0.05}[kind], (ANCHORS * values, 3, 8, 8))
            bias = np.full(ANCHORS * values, {"score": -4.0, "box": 3.0, "points": 0.0}[kind])
            initializers += [
                numpy_helper.from_array(kernel.astype(np.float32), f"{name}.weight"),
                numpy_helper.from_array(bias.astype(np.float32), f"{name}.bias"),
                numpy_helper.from_array(np.array([-1, values]), f"{name}.shape"),
            ]
            nodes += [
                helper.make_node(
                    "Conv", ["input", f"{name}.weight", f"{name}.bias"], [f"{name}.maps"], strides=[stride, stride]
                ),
                helper.make_node("Transpose", [f"{name}.maps"], [f"{name}.last"], perm=[0, 2, 3, 1]),
                helper.make_node("Reshape", [f"{name}.last", f"{name}.shape"], [f"{name}.rows"]),
                helper.make_node("Sigmoid" if kind == "score" else "Identity", [f"{name}.rows"], [name]),
            ]
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, values]))
    entry = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, "height", "width"])
    graph = helper.make_graph(nodes, "random", [entry], outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path = tmp_path_factory.mktemp("scrfd") / "random_weights.onnx"
    onnx.save(model, path)
    return path


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8).repeat(4, 0).repeat(4, 1)


def test_boxes_of_random_weights_equal_insightfaces_own(random_weight_scrfd: Path, picture: np.ndarray) -> None:
    from insightface.model_zoo import get_model

    theirs = get_model(str(random_weight_scrfd), providers=["CPUExecutionProvider"])
    theirs.prepare(ctx_id=-1, input_size=INPUT_PX)
    rows, points = theirs.detect(picture[..., ::-1])
    ours = Scrfd(read_scrfd(random_weight_scrfd))(picture)
    assert len(ours) == len(rows) > 5
    areas = (rows[:, 2] - rows[:, 0]) * (rows[:, 3] - rows[:, 1])
    order = np.argsort(-areas, kind="stable")
    assert np.allclose([face.box for face in ours], rows[order, :4], atol=1e-3)
    assert np.allclose([face.score for face in ours], rows[order, 4], atol=1e-5)
    assert np.allclose([face.keypoints for face in ours], points[order], atol=1e-3)


def test_colours_are_handed_over_as_insightface_expects_them(random_weight_scrfd: Path, picture: np.ndarray) -> None:
    detector = Scrfd(read_scrfd(random_weight_scrfd))
    swapped = detector(np.ascontiguousarray(picture[..., ::-1]))
    assert not np.array_equal([face.box for face in detector(picture)], [face.box for face in swapped])


def test_a_picture_without_faces_has_none(random_weight_scrfd: Path) -> None:
    network = read_scrfd(random_weight_scrfd)
    network.det_thresh = 1.1
    assert Scrfd(network)(np.zeros((60, 80, 3), np.uint8)) == []


def test_it_is_a_detector_whose_faces_the_mesh_can_be_fitted_to(random_weight_scrfd: Path, picture: np.ndarray) -> None:
    detector = Scrfd(read_scrfd(random_weight_scrfd))
    assert isinstance(detector, Detector)
    face = detector(picture)[0]
    region = region_of_detection(face)
    assert region.centre == pytest.approx((face.box[:2] + face.box[2:]) / 2)
    assert region.side_px == pytest.approx(1.5 * max(face.box[2:] - face.box[:2]))


def test_a_dataset_made_with_it_names_its_network(random_weight_scrfd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.scrfd.fetch", lambda _: random_weight_scrfd)
    config = PipelineConfig(detector="scrfd", recognise=False)
    load_backend.cache_clear()
    assert weights_used(config) == ("scrfd-10g", "facemesh-468")
    load_backend.cache_clear()


@pytest.mark.slow
def test_the_detector_of_the_config_finds_the_faces_of_a_clip(
    samples: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weights are not here, so another network stands in that gives five points as SCRFD does."""
    blazeface = load_detector()

    class FivePoints(Scrfd):
        asked = 0

        def __call__(self, rgb: np.ndarray) -> list[Detection]:
            FivePoints.asked += 1
            return [replace(face, keypoints=face.keypoints[[0, 1, 2, 3, 3]]) for face in blazeface(rgb)]

    monkeypatch.setitem(detectors._DETECTORS, "scrfd", lambda: FivePoints(None))
    path = samples["pyfeat-man"]
    clip, config = clip_of(path, end_s=1.2), PipelineConfig(size_px=64)
    load_backend.cache_clear()
    found = process_clip(path, clip, config.model_copy(update={"detector": "scrfd"}))
    load_backend.cache_clear()
    usual = process_clip(path, clip, config)
    assert isinstance(found, ClipFrames)
    assert isinstance(usual, ClipFrames)
    assert FivePoints.asked == 3  # one picture in ten
    assert np.array_equal(found.landmarks, usual.landmarks)


def test_missing_weights_are_an_error_that_says_how_to_bring_them(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object) -> None:
        raise ArchiveUnavailable("no route to the host")

    monkeypatch.setattr("weights.fetch.fetch_members", unreachable)
    with pytest.raises(WeightUnavailable, match=r"buffalo_l.zip on a machine .* `headshot weights add scrfd-10g PATH`"):
        load_detector("scrfd")


def test_an_unknown_detector_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(HeadshotError, match="'blazeface', 'scrfd'"):
        load_detector("nonsense")

"""Backends that take their points from another network than the one that follows faces."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.backends import RefinedBackend, load_backend
from pipeline.clip_frames import ClipFrames
from pipeline.clip_work import process_clip
from pipeline.config import PipelineConfig
from pipeline.faces import FaceBackend
from pipeline.landmarks import IBUG_SCHEME
from pipeline.video import read_frames
from tests.pipeline.conftest import DiscBackend, clip_of, disc_frames, encode_video
from weights.errors import HeadshotError


class CornerLandmarker:
    """Puts all points into the top left corner of the box, and counts its calls."""

    scheme = "corners"
    weight_ids = ("dlib-68",)

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, pictures: list[np.ndarray], boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.calls += 1
        assert len(pictures) == len(boxes)
        return np.repeat(boxes[:, None, :2], 68, axis=1), np.full((len(boxes), 68), 0.25, np.float32)


def test_an_unknown_backend_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(HeadshotError, match="'mesh468', 'none', 'fan', 'dlib'"):
        load_backend("nonsense")


def test_stored_points_come_from_the_landmarker_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    landmarker = CornerLandmarker()
    backend = RefinedBackend("dlib", DiscBackend(), landmarker)
    for name in ("pipeline.follow.load_backend", "pipeline.cutting.load_backend"):
        monkeypatch.setattr(name, lambda *_: backend)
    video = encode_video(tmp_path / "discs.mkv", disc_frames(70))
    frames = process_clip(video, clip_of(video), PipelineConfig(size_px=64, min_face_px=10, backend="dlib"))
    assert isinstance(frames, ClipFrames)
    corner = frames.box[:, :2] @ frames.crop[0, :, :2].T + frames.crop[0, :, 2]
    assert np.allclose(frames.landmarks, corner[:, None], atol=1e-2)
    assert (frames.landmark_scores == 0.25).all()
    assert landmarker.calls == 2  # of 64 and of 6 frames
    assert isinstance(backend, FaceBackend)
    assert backend.weight_ids == ("blazeface-short", "dlib-68")


@pytest.mark.slow
def test_dlib_through_headshot_agrees_with_dlib_alone(samples: dict[str, Path]) -> None:
    """It is given another square than its own detector would draw, so points differ by its scatter, not by a shift."""
    dlib = pytest.importorskip("dlib")
    from weights.fetch import fetch

    backend = load_backend("dlib")
    detector, predictor = dlib.get_frontal_face_detector(), dlib.shape_predictor(str(fetch("dlib-68")))
    gaps = []
    for frame in read_frames(samples["pyfeat-man"], end_s=2):
        if frame.index % 12 == 0 and (boxes := detector(frame.rgb, 0)):
            (face,) = backend.refine([frame.rgb], backend.find(frame.rgb)[:1])
            theirs = np.array([(part.x, part.y) for part in predictor(frame.rgb, boxes[0]).parts()], np.float64)
            gaps.append((face.points - theirs) / np.linalg.norm(theirs[45] - theirs[36]))
    assert len(gaps) >= 3
    assert np.linalg.norm(np.stack(gaps), axis=-1).mean() < 0.03
    assert np.abs(np.stack(gaps).mean(axis=(0, 1))).max() < 0.015
    assert backend.scheme == IBUG_SCHEME

"""The watermark on real people: what is left after somebody encodes what was published again."""

import io
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from manifests.readers import read_manifest
from manifests.samples import fetch_samples
from model.disclosure import watermark
from model.disclosure.mark import marked_video, plain_picture
from model.disclosure.statement import Marks, Shown
from model.disclosure.video import Coding, encode
from pipeline.video import read_frames

pytestmark = pytest.mark.slow
REPOSITORY = Path(__file__).resolve().parents[3]
SIZE_PX = 128
LENGTH_S = 0.8
SHOWN = Shown(description="a test")


@pytest.fixture(scope="module")
def published() -> list[np.ndarray]:
    """Real clips as they come out of what headshot publishes, without the label that would hide faces."""
    statuses = fetch_samples(read_manifest(REPOSITORY / "manifests/demo.toml"), REPOSITORY / "data/raw")
    paths = sorted({status.path for status in statuses if status.path and status.path.suffix == ".mp4"})
    if len(paths) < 5:
        pytest.skip("too few sample videos can be had")
    return [decoded(marked_video(stretch(path), 25.0, SHOWN, Marks(label=False))) for path in paths]


def stretch(path: Path) -> np.ndarray:
    """Return the middle square of a second of video."""
    frames = []
    for frame in read_frames(path, 0.0, LENGTH_S):
        height, width = frame.rgb.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = frame.rgb[top : top + side, left : left + side]
        frames.append(cv2.resize(square, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_AREA))
    return np.stack(frames)


def decoded(content: bytes) -> np.ndarray:
    with av.open(io.BytesIO(content)) as video:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)])


def crf_23(frames: np.ndarray) -> np.ndarray:
    return decoded(encode(frames, (SIZE_PX, SIZE_PX), 25.0, tags={}, coding=Coding(crf=23)))


def jpeg_70(frames: np.ndarray) -> np.ndarray:
    content = np.frombuffer(plain_picture(frames[0], ".jpg", 70), np.uint8)
    return cv2.imdecode(content, cv2.IMREAD_COLOR)[None, ..., ::-1]


@pytest.mark.parametrize("again", [crf_23, jpeg_70])
def test_every_bit_survives_in_at_least_95_per_cent_of_real_clips(published: list[np.ndarray], again) -> None:
    wrong = [watermark.read(again(frames)).wrong_bits for frames in published]
    assert np.mean([count == 0 for count in wrong]) >= 0.95, wrong
    assert max(wrong) <= watermark.MOST_WRONG

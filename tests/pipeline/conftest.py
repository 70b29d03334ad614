"""Small videos with known content, and a backend whose faces are discs: the pipeline without networks."""

import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import imageio_ffmpeg
import numpy as np
import pytest

from manifests.readers import read_manifest
from manifests.samples import fetch_samples
from manifests.schema import Clip, FileSource, Manifest
from pipeline import backends
from pipeline.backends import load_backend
from pipeline.blazeface import Detection
from pipeline.config import PipelineConfig
from pipeline.facemesh import Region
from pipeline.faces import Face
from pipeline.landmarks import MESH_SCHEME
from pipeline.preprocess import PreprocessReport, preprocess

REPOSITORY = Path(__file__).resolve().parents[2]
LOSSLESS = ("-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", "-pix_fmt", "yuv444p")
DISC = (250, 240, 60)


def encode_video(path: Path, frames: Iterable[np.ndarray], fps: str = "25", options: Iterable[str] = LOSSLESS) -> Path:
    """Write RGB frames with the ffmpeg binary."""
    frames = list(frames)
    height, width = frames[0].shape[:2]
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", fps, "-i", "-"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", "-y", *source, *options, str(path)]
    subprocess.run(command, input=b"".join(frame.tobytes() for frame in frames), check=True)
    return path


def ffmpeg(*arguments: str) -> None:
    """Run the ffmpeg binary."""
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", "-y", *arguments], check=True)


def numbered_frames(count: int) -> list[np.ndarray]:
    """Return frames that carry their number as nine black or white stripes."""
    bits = (np.arange(count)[:, None] >> np.arange(9)) & 1
    return [np.repeat(np.tile(np.repeat(row, 8) * 255, (48, 1))[..., None], 3, 2).astype(np.uint8) for row in bits]


def number_in(rgb: np.ndarray) -> int:
    """Return the number a frame carries."""
    stripes = rgb.mean(axis=(0, 2)).reshape(9, -1).mean(axis=1) > 127
    return int((stripes << np.arange(9)).sum())


def disc_frames(count: int = 40, discs: Iterable[tuple[int, int, int]] = ((70, 60, 22),)) -> list[np.ndarray]:
    """Return frames with discs (x, y, radius) that sway on a fixed background."""
    background = np.random.default_rng(7).integers(20, 60, (120, 200, 3), dtype=np.uint8)
    frames = []
    for index in range(count):
        frame = background.copy()
        for x, y, radius in discs:
            cv2.circle(frame, (x + round(6 * np.sin(index / 5)), y + round(3 * np.cos(index / 4))), radius, DISC, -1)
        frames.append(frame)
    return frames


class DiscBackend:
    """Takes bright discs for faces."""

    name = "mesh468"
    scheme = MESH_SCHEME
    weight_ids: tuple[str, ...] = ("blazeface-short",)
    refines = False

    def detect(self, rgb: np.ndarray) -> list[Detection]:
        mask = (rgb[..., 0] > 160).astype(np.uint8)
        count, _, stats, _ = cv2.connectedComponentsWithStats(mask)
        boxes = [np.array([x, y, x + w, y + h], np.float32) for x, y, w, h, area in stats[1:count] if area > 200]
        boxes.sort(key=lambda box: -(box[2] - box[0]))
        return [Detection(box=box, keypoints=np.zeros((6, 2), np.float32), score=0.9) for box in boxes]

    def fit(self, _: np.ndarray, detection: Detection) -> Face | None:
        return _disc_face(detection.box)

    def find(self, rgb: np.ndarray) -> list[Face]:
        return [_disc_face(detection.box) for detection in self.detect(rgb)]

    def follow(self, rgb: np.ndarray, previous: Face) -> Face | None:
        near = [detection.box for detection in self.detect(rgb) if np.abs(detection.box - previous.box).max() < 12]
        return _disc_face(near[0]) if near else None

    def refine(self, pictures: Sequence[np.ndarray], faces: Sequence[Face]) -> list[Face]:
        del pictures
        return list(faces)


def _disc_face(box: np.ndarray) -> Face:
    angle = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1) * (box[2:] - box[:2]) / 2
    centre = (box[:2] + box[2:]) / 2
    return Face(
        box=box,
        score=0.9,
        points=(centre + ring).astype(np.float32),
        point_scores=np.full(68, 0.8, np.float32),
        pose_deg=np.zeros(3, np.float32),
        next_region=Region(centre=centre, side_px=float(box[2] - box[0]), angle=0.0),
    )


@contextmanager
def discs_for_faces() -> Iterator[None]:
    """Meanwhile, in this process, faces are discs and no network is loaded."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backends, "_load_mesh", lambda _: DiscBackend())
        load_backend.cache_clear()
        yield
    load_backend.cache_clear()


@pytest.fixture
def discs_are_faces() -> Iterator[None]:
    """Within this test, faces are discs."""
    with discs_for_faces():
        yield


SMALL = PipelineConfig(size_px=64, min_frames=10, recognise=False)
"""Small crops, short clips; a disc is like another."""


def clip_of(path: Path, **changes: object) -> Clip:
    """Return a clip of a whole video file, of a person named after it."""
    fields = {
        "identity": path.stem,
        "video": "video",
        "clip": "full",
        "source": FileSource(path=str(path)),
        "split": "train",
        "licence": "CC0",
        "consent": "drawn",
    }
    return Clip.model_validate({**fields, **changes})


def manifest_of(*clips: Clip | Path) -> Manifest:
    """Return a manifest of clips, or of whole video files."""
    made = tuple(clip if isinstance(clip, Clip) else clip_of(clip) for clip in clips)
    return Manifest(name="tests", title="Videos of a test", clips=made)


def run(manifest: Manifest, out: Path, config: PipelineConfig = SMALL, **options: Any) -> PreprocessReport:
    """Make a dataset in this process."""
    return preprocess(manifest, out.parent, out, config, workers=0, **options)


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Ann for 40 frames, Bob for 30 at 24 fps, and Eve, who is away for a while. Not to be changed."""
    folder = tmp_path_factory.mktemp("videos")
    away = disc_frames(40)
    away[15:20] = disc_frames(5, [])
    return [
        encode_video(folder / "ann.mp4", disc_frames(40)),
        encode_video(folder / "bob.mp4", disc_frames(30, [(80, 60, 24)]), "24"),
        encode_video(folder / "eve.mp4", away),
    ]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, videos: list[Path]) -> Path:
    """A dataset of all three. Not to be changed."""
    out = tmp_path_factory.mktemp("made") / "data"
    with discs_for_faces():
        run(manifest_of(*videos), out)
    return out


@pytest.fixture(scope="session")
def samples() -> dict[str, Path]:
    """Videos of the demo manifest by clip key, downloaded where they are not there yet."""
    manifest = read_manifest(REPOSITORY / "manifests/demo.toml")
    wanted = tuple(clip for clip in manifest.clips if clip.identity in {"pyfeat-man", "carphone-man", "obama"})
    statuses = fetch_samples(manifest.model_copy(update={"clips": wanted}), REPOSITORY / "data/raw")
    missing = [f"{status.key}: {status.reason}" for status in statuses if status.path is None]
    if missing:
        pytest.skip(f"sample clips cannot be had: {missing}")
    return {status.key.split("/")[0]: status.path for status in statuses if status.path is not None}

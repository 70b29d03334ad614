"""Preprocessing against the ways people do it today: `python -m benchmarks.preprocess --videos data/raw`.

Makes a 360p and a 1080p set of the sample clips and times, on the same machine and the same frames:

    floor            decode every frame, encode the same crops as JPEG, nothing else
    headshot         the whole run, up to verified shards: without networks, with landmarks, with FAN
    plain loop       OpenCV, detector and landmarks on every frame, PNG files; the same networks
    face-alignment   OpenCV and face-alignment on every frame

Processes and networks are started before the clock, for everybody. The floor and what is compared with it take turns;
the median of their rounds counts. Where the published weights of S3FD and FAN cannot be had, both run with random ones:
the arithmetic is the same, and the face's place is given instead of found.
"""

import argparse
import cProfile
import pstats
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import imageio_ffmpeg
import numpy as np
import torch

from headshot.console import out, table
from manifests.readers import DEMO, read_manifest
from manifests.samples import resolve
from manifests.schema import Clip, FileSource, Manifest
from pipeline.backends import load_backend
from pipeline.clip_frames import ClipFrames
from pipeline.clip_work import process_clip
from pipeline.clusters import Cluster, LocalWorkers, RunningScheduler
from pipeline.config import PipelineConfig
from pipeline.crop import cut, tube
from pipeline.fan import Fan
from pipeline.images import encode, one_opencv_thread
from pipeline.preprocess import preprocess
from pipeline.video import open_video

ROUNDS = 3
FACE_ALIGNMENT_FRAMES = 3
STAGES = {
    "decode": ("pipeline/container.py", "decoded"),
    "convert to look": ("pipeline/picture.py", "__call__"),
    "find and follow": ("pipeline/track.py", "step"),
    "convert to keep": ("pipeline/picture.py", "part"),
    "crop": ("pipeline/crop.py", "fitted"),
    "sharpness": ("pipeline/quality.py", "sharpness"),
    "JPEG": ("pipeline/images.py", "encode"),
    "Parquet": ("pyarrow/parquet/core.py", "write_table"),
    "read back, hash": ("pipeline/shards.py", "_verified_offsets"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipSet:
    """Clips of one height, with what every contestant may know."""

    height_px: int
    paths: tuple[Path, ...]
    frames: int
    boxes: tuple[tuple[float, float, float, float], ...]
    """The crop of each clip, as fractions."""

    def manifest(self) -> Manifest:
        """Return the clips as a manifest."""
        clips = tuple(
            Clip(
                identity=path.stem,
                video="v",
                clip="full",
                source=FileSource(path=str(path)),
                face_box=box,
                split="train",
                licence="",
                consent="",
            )
            for path, box in zip(self.paths, self.boxes, strict=True)
        )
        return Manifest(name=f"p{self.height_px}", title="", clips=clips)


def make_set(videos: Path, height_px: int, most_s: float, into: Path) -> ClipSet:
    """Return the first seconds of the sample clips at another height."""
    paths, boxes, frames = [], [], 0
    for clip in read_manifest(DEMO).clips:
        if clip.identity == "obama":  # two people
            continue
        path = into / f"{clip.identity}-{clip.video}-{height_px}.mp4"
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", "-y", "-t", str(most_s)]
        command += ["-i", str(resolve(clip, videos)), "-vf", f"scale=-2:{height_px}:flags=bicubic,fps=25"]
        subprocess.run([*command, "-c:v", "libx264", "-crf", "20", "-an", str(path)], check=True)
        with open_video(path) as reader:
            raws = list(reader.frames())
            picture = reader.picture(raws[0])
        frames += len(raws)
        height, width = picture.shape[:2]
        square = tube(load_backend().find(picture)[0].box[None], width, height, PipelineConfig())
        inner = square.inside(width, height)
        boxes.append((inner.left / width, inner.top / height, inner.right / width, inner.bottom / height))
        paths.append(path)
    return ClipSet(height_px=height_px, paths=tuple(paths), frames=frames, boxes=tuple(boxes))


def seconds(work: Callable[[], object]) -> float:
    """Return how long `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def floor_s(clips: ClipSet, config: PipelineConfig) -> float:
    """Return the time to decode every frame and to encode one crop for each, in one process."""
    total = 0.0
    for path, box in zip(clips.paths, clips.boxes, strict=True):
        with open_video(path) as reader:
            crops = [crop_of(reader.picture(raw), box, config.size_px) for raw in reader.frames(end_s=1.0)]
        with open_video(path) as reader:
            started = time.perf_counter()
            decode_and_encode(reader.frames(), crops, config)
            total += time.perf_counter() - started
    return total


def decode_and_encode(frames: Iterator[object], crops: list[np.ndarray], config: PipelineConfig) -> None:
    """Use up the frames and encode a crop for each."""
    for number, _ in enumerate(frames):
        encode(crops[number % len(crops)], config)


def crop_of(picture: np.ndarray, box: tuple[float, float, float, float], size_px: int) -> np.ndarray:
    """Return the boxed part of a picture at the stored size."""
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = (round(value * side) for value, side in zip(box, (width, height) * 2, strict=True))
    return cv2.resize(picture[y0:y1, x0:x1], (size_px, size_px), interpolation=cv2.INTER_AREA)


@contextmanager
def headshot(clips: ClipSet, config: PipelineConfig, folder: Path, workers: int) -> Iterator[Callable[[], float]]:
    """Yield what times a whole run into a fresh dataset, in this process or on as many workers that run already."""
    manifest = clips.manifest()

    def run(manifest: Manifest, cluster: Cluster | None) -> float:
        target = Path(tempfile.mkdtemp(dir=folder))
        own = 0 if cluster is None else None
        return seconds(lambda: preprocess(manifest, folder, target, config, workers=own, cluster=cluster))

    with ExitStack() as stack:
        cluster = None
        if workers:
            started = stack.enter_context(LocalWorkers(workers=workers).start(workers))
            cluster = RunningScheduler(address=started.scheduler_address)
        run(manifest.model_copy(update={"clips": manifest.clips[: workers or 1]}), cluster)  # loads the networks
        yield lambda: run(manifest, cluster)


def plain_loop_s(clips: ClipSet, config: PipelineConfig, folder: Path, limit: int = 100) -> float:
    """Return the time per frame of OpenCV, detector and landmarks on every frame, and PNG files, as people write it."""
    backend, frames = load_backend(), 0
    started = time.perf_counter()
    for path in clips.paths:
        capture = cv2.VideoCapture(str(path))
        for number in range(limit // len(clips.paths)):
            good, bgr = capture.read()
            if not good:
                break
            picture = np.ascontiguousarray(bgr[..., ::-1])
            face = backend.find(picture)[0]
            square = tube(face.box[None], picture.shape[1], picture.shape[0], config)
            crop = cut(picture, square, config.size_px)
            cv2.imwrite(str(folder / f"{path.stem}-{number}.png"), crop[..., ::-1])
            frames += 1
        capture.release()
    return (time.perf_counter() - started) / frames


def face_alignment_s(clips: ClipSet, folder: Path) -> float:
    """Return the time per frame of OpenCV and face-alignment with its default detector."""
    package = random_weight_face_alignment()
    capture = cv2.VideoCapture(str(clips.paths[0]))
    times = []
    for number in range(FACE_ALIGNMENT_FRAMES + 1):
        started = time.perf_counter()
        _, bgr = capture.read()
        picture = np.ascontiguousarray(bgr[..., ::-1])
        package.face_detector.detect_from_image(picture.copy())  # its boxes mean nothing with random weights
        height, width = picture.shape[:2]
        x0, y0, x1, y1 = np.array(clips.boxes[0]) * [width, height, width, height]
        package.get_landmarks_from_image(picture, detected_faces=[[float(value) for value in (x0, y0, x1, y1)]])
        cv2.imwrite(str(folder / f"fa-{number}.png"), bgr)
        times.append(time.perf_counter() - started)
    return float(np.mean(times[1:]))


def random_weight_face_alignment() -> Any:
    """Return a FaceAlignment object whose networks have random weights."""
    from types import SimpleNamespace

    from face_alignment import FaceAlignment, LandmarksType
    from face_alignment.detection.sfd.detect import detect
    from face_alignment.detection.sfd.net_s3fd import s3fd

    detector = s3fd().eval()
    for name, layer in detector.named_modules():
        if name.endswith("mbox_conf"):  # with random ones a third of the picture's windows would pass for faces
            torch.nn.init.zeros_(layer.weight)
            layer.bias.data[:-1], layer.bias.data[-1] = 10, -10
    package = FaceAlignment.__new__(FaceAlignment)
    package.device, package.dtype, package.verbose, package.max_batch_size = "cpu", torch.float32, False, 1
    package.flip_input, package.landmarks_type = True, LandmarksType.TWO_D
    package.face_detector = SimpleNamespace(
        reference_scale=195, detect_from_image=lambda picture: detect(detector, picture[..., ::-1].copy(), device="cpu")
    )
    package.face_alignment_net = random_weight_fan()
    return package


def random_weight_fan() -> Any:
    """Return FAN's four stages with random weights."""
    from face_alignment.models import FAN

    torch.manual_seed(0)
    return FAN(4).eval()


def shares(clips: ClipSet, config: PipelineConfig, folder: Path) -> dict[str, float]:
    """Return the share of the time that each stage takes, in one process."""
    profile = cProfile.Profile()
    with headshot(clips, config, folder, workers=0) as run:
        profile.enable()
        run()
        profile.disable()
    entries = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    total = sum(own for _, _, own, _, _ in entries.values())
    found = {
        stage: sum(
            cumulative
            for (file, _, function), (_, _, _, cumulative, _) in entries.items()
            if file.endswith(name) and function == wanted
        )
        / total
        for stage, (name, wanted) in STAGES.items()
    }
    return {**found, "everything else": 1 - sum(found.values())}


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=Path, default=Path("data/raw"), help="folder of the sample clips")
    parser.add_argument("--heights", default="360,1080", help="of the clips, in pixels")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each clip, at most")
    parser.add_argument("--fan-frames", type=int, default=8, help="frames that FAN is timed on; 0 leaves it out")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary, one_opencv_thread():
        folder = Path(temporary)
        for height in (int(text) for text in chosen.heights.split(",")):
            _measure(make_set(chosen.videos, height, chosen.seconds, folder), folder, chosen.fan_frames)


def _measure(clips: ClipSet, folder: Path, fan_frames: int) -> None:
    config = PipelineConfig(backend="mesh468")
    crops = config.model_copy(update={"backend": "none"})
    with headshot(clips, crops, folder, workers=0) as run:
        turns = [(floor_s(clips, config), run()) for _ in range(ROUNDS)]
    floor, bare = (clips.frames / float(np.median(times)) for times in zip(*turns, strict=True))
    results = table(
        f"{clips.height_px}p, {len(clips.paths)} clips, {clips.frames} frames, {config.size_px} px crops",
        "what",
        "frames/s per core",
        "of the floor",
        "times the plain loop",
    )
    plain = 1 / plain_loop_s(clips, config, folder)

    def add(what: str, rate: float) -> None:
        results.add_row(what, f"{rate:.3g}", f"{rate / floor:.0%}", f"{rate / plain:.3g}")

    add("floor: decode + JPEG", floor)
    add("headshot, crops, no network, in process", bare)
    for name, asked, workers in (
        ("crops, no network", crops, 1),
        ("crops, no network", crops, 2),
        ("with landmarks", config, 0),
        ("with landmarks", config, 1),
        ("with landmarks", config, 2),
    ):
        with headshot(clips, asked, folder, workers) as run:
            rate = clips.frames / run() / max(workers, 1)
        add(f"headshot, {name}, " + (f"{workers} Dask worker{'s'[: workers - 1]}" if workers else "in process"), rate)
    add("plain loop, same networks", plain)
    if fan_frames:
        add("headshot, with FAN", 1 / fan_s(clips, config, fan_frames))
        add("OpenCV + face-alignment", 1 / face_alignment_s(clips, folder))
    out.print(results)
    split = table(f"Where the time goes, {clips.height_px}p, with landmarks", "stage", "share")
    for stage, share in shares(clips, config, folder).items():
        split.add_row(stage, f"{share:.0%}")
    out.print(split)


def fan_s(clips: ClipSet, config: PipelineConfig, frames: int) -> float:
    """Return the time per frame to follow a clip and to find the points of its first frames with FAN, batched."""
    clip, path = clips.manifest().clips[0], clips.paths[0]
    started = time.perf_counter()
    made = process_clip(path, clip, config)
    assert isinstance(made, ClipFrames)
    followed_s = (time.perf_counter() - started) / len(made.frame)
    with open_video(path) as reader:
        pictures = [reader.picture(raw) for raw in reader.frames(end_s=frames / config.fps)]
    boxes = np.stack([load_backend().find(picture)[0].box for picture in pictures])
    fan = Fan(random_weight_fan())
    fan(pictures[:1], boxes[:1])
    return followed_s + seconds(lambda: fan(pictures, boxes)) / len(pictures)


if __name__ == "__main__":
    main()

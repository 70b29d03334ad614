"""What marks survive and cost, on real frames: `python -m benchmarks.disclosure --data data/demo`.

Every clip is published as a video and its first frame as a picture, with all marks, as reports do. Then they are
encoded again, the video as H.264 and the picture as JPEG.
"""

import argparse
import io
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import av
import cv2
import numpy as np
from jaxtyping import UInt8

from eval.metrics.image import psnr, ssim
from headshot.console import out, table
from model.disclosure import credentials, watermark, xmp
from model.disclosure.mark import marked_picture, marked_video, plain_picture
from model.disclosure.statement import Marks, Shown
from model.disclosure.video import Coding, encode
from pipeline.store import Store

FPS = 25.0
SHOWN = Shown(description="A benchmark of marks.")
Frames = UInt8[np.ndarray, "frames height width 3"]
AGAIN: dict[str, Callable[[Frames], Frames]] = {
    "as published": lambda frames: frames,
    "JPEG 90": lambda frames: _jpeg(frames[:1], 90),
    "JPEG 70": lambda frames: _jpeg(frames[:1], 70),
    "JPEG 50": lambda frames: _jpeg(frames[:1], 50),
    "H.264 CRF 18": lambda frames: _h264(frames, 18),
    "H.264 CRF 23": lambda frames: _h264(frames, 23),
    "H.264 CRF 28": lambda frames: _h264(frames, 28),
}


@dataclass(slots=True)
class Survival:
    """What is left of the watermark, clip by clip."""

    wrong_bits: list[int] = field(default_factory=list)

    def add(self, frames: Frames) -> None:
        """Read the frames of a clip together."""
        self.wrong_bits.append(watermark.read(frames).wrong_bits)

    def row(self) -> tuple[str, ...]:
        """Return clips with every bit, clips in which the mark is found, and the bits that are wrong."""
        wrong = np.array(self.wrong_bits)
        found = (wrong <= watermark.MOST_WRONG).mean()
        return f"{(wrong == 0).mean():.0%}", f"{found:.0%}", f"{wrong.mean() / watermark.BITS:.1%}"


def main() -> None:
    """Measure survival for each size, then cost, and print three tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="data/demo", help="the data set")
    parser.add_argument("--sizes", default="64,96,128,256", help="sides of the frames, in pixels")
    parser.add_argument("--frames", type=int, default=24, help="of each clip")
    options = parser.parse_args()
    store = Store.open(options.data)
    for size_px in map(int, options.sizes.split(",")):
        clips = [store.frames(clip, np.arange(min(options.frames, clip.frames)), size_px) for clip in store.clips]
        survival(clips, size_px)
        cost(clips, size_px)


def survival(clips: Sequence[Frames], size_px: int) -> None:
    """Print what is left of the watermark after encoding again, and what it costs."""
    rows = table(f"{len(clips)} clips of {size_px} px", "encoded again", "every bit", "found", "wrong bits")
    left, unmarked = {name: Survival() for name in AGAIN}, Survival()
    quality: list[tuple[float, float]] = []
    for clip in clips:
        marked = np.stack([watermark.embed(frame) for frame in clip])
        published = _decoded(marked_video(clip, FPS, SHOWN, Marks(label=False)))
        for name, again in AGAIN.items():
            left[name].add(again(published if name.startswith(("as", "H")) else marked))
        unmarked.add(clip)
        quality.append((float(psnr(marked, clip).mean()), float(ssim(marked, clip).mean())))
    for name, survived in left.items():
        rows.add_row(name, *survived.row())
    rows.add_row("never marked", *unmarked.row())
    out.print(rows)
    decibels, similarity = np.mean(quality, axis=0)
    out.print(f"the watermark alone: PSNR {decibels:.1f} dB, SSIM {similarity:.4f}\n")


def cost(clips: Sequence[Frames], size_px: int) -> None:
    """Print time and bytes of each mark, and whether everything that was published verifies."""
    rows = table(
        f"publishing a frame of {size_px} px, or {len(clips[0])} as video",
        "as",
        "ms",
        "without marks",
        "bytes more",
        "verify",
    )
    for suffix in credentials.MIME:
        plain = [_timed(partial(_plain, clip, suffix)) for clip in clips]
        marked = [_timed(partial(_marked, clip, suffix)) for clip in clips]
        more = np.mean([len(one) for one, _ in marked]) - np.mean([len(one) for one, _ in plain])
        valid = np.mean([_verifies(content, suffix) for content, _ in marked])
        times = (np.mean([seconds for _, seconds in both]) * 1e3 for both in (marked, plain))
        rows.add_row(suffix[1:], *(f"{ms:.1f}" for ms in times), f"{more:,.0f}", f"{valid:.0%}")
    out.print(rows, "")


def _plain(clip: Frames, suffix: str) -> bytes:
    if suffix == ".mp4":
        return encode(clip, clip.shape[1:3], FPS, tags={}, coding=Coding())
    return plain_picture(clip[0], suffix)


def _marked(clip: Frames, suffix: str) -> bytes:
    return marked_video(clip, FPS, SHOWN) if suffix == ".mp4" else marked_picture(clip[0], suffix, SHOWN)


def _verifies(content: bytes, suffix: str) -> bool:
    frames = _decoded(content) if suffix == ".mp4" else _read(content)[None]
    read = credentials.read(content, suffix)
    return read.validity == "valid" and bool(xmp.read(content).label) and watermark.read(frames).found


def _timed(make: Callable[[], bytes]) -> tuple[bytes, float]:
    begun = time.perf_counter()
    return make(), time.perf_counter() - begun


def _jpeg(frames: Frames, quality: int) -> Frames:
    return np.stack([_read(plain_picture(frame, ".jpg", quality)) for frame in frames])


def _read(content: bytes) -> UInt8[np.ndarray, "height width 3"]:
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)


def _h264(frames: Frames, crf: int) -> Frames:
    return _decoded(encode(frames, frames.shape[1:3], FPS, tags={}, coding=Coding(crf=crf)))


def _decoded(content: bytes) -> Frames:
    with av.open(io.BytesIO(content), "r") as video:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)])


if __name__ == "__main__":
    main()

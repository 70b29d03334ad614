"""How preprocessing grows: `python -m benchmarks.scaling --video data/raw/pip-psychopy/jwpIntro.mp4`.

Repeats a clip under new names (1, 4, 16 times) and in itself (1, 4, 16 times as long), and measures each run in a
process of its own: seconds, and the most memory it ever held. Then takes one shard away and times the resume.
The clip is played forwards and backwards first, so that no repetition begins with a jump: at a jump the face
recogniser is loaded, which has nothing to do with length. Runs take turns, and the fastest of each counts.
Linux only, for the memory.
"""

import argparse
import multiprocessing
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from headshot.console import out, table
from manifests.schema import Clip, FileSource, Manifest
from pipeline.config import PipelineConfig
from pipeline.images import one_opencv_thread
from pipeline.preprocess import preprocess

TIMES = (1, 4, 16)
ROUNDS = 2


def manifest_of(videos: list[Path]) -> Manifest:
    """Return a clip for each video."""
    clips = tuple(
        Clip(
            identity=video.stem,
            video="v",
            clip="full",
            source=FileSource(path=str(video)),
            split="train",
            licence="",
            consent="",
        )
        for video in videos
    )
    return Manifest(name="scaling", title="", clips=clips)


def measured(manifest: Manifest, target: Path) -> tuple[float, float]:
    """Return seconds and peak MiB of a run in a fresh process."""
    context = multiprocessing.get_context("spawn")
    answers = context.SimpleQueue()
    process = context.Process(target=_run, args=(manifest, target, answers))
    process.start()
    answer: tuple[float, float] = answers.get()
    process.join()
    return answer


def _run(manifest: Manifest, target: Path, answers: "multiprocessing.queues.SimpleQueue[tuple[float, float]]") -> None:
    with one_opencv_thread():
        # The networks load during a run that does not count.
        config = PipelineConfig(min_shards=len(manifest.clips))
        opening = manifest.model_copy(update={"clips": manifest.clips[:1]})
        preprocess(opening, target, Path(tempfile.mkdtemp(dir=target.parent)), config, workers=0)
        started = time.perf_counter()
        preprocess(manifest, target, target, config, workers=0)
        seconds = time.perf_counter() - started
    answers.put((seconds, _peak_mib()))


def _peak_mib() -> float:
    """Return the most memory this process ever held; `ru_maxrss` would begin at that of the parent."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found
    return int(found[1]) / 1024


def there_and_back(video: Path, into: Path) -> Path:
    """Return a video that shows another one forwards, then backwards."""
    target = into / "there-and-back.mp4"
    both = "[0:v]split[there][copy];[copy]reverse[back];[there][back]concat"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", "-y", "-i", str(video)]
    subprocess.run([*command, "-filter_complex", both, "-crf", "18", "-an", str(target)], check=True)
    return target


def looped(video: Path, times: int, into: Path) -> Path:
    """Return a video that shows another one so many times, without coding it again."""
    target = into / f"{video.stem}-{times}{video.suffix}"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", "-y"]
    loop = ["-stream_loop", str(times - 1), "-i", str(video), "-c", "copy", "-an", str(target)]
    subprocess.run([*command, *loop], check=True)
    return target


def linear_fit(counts: list[float], seconds: list[float]) -> float:
    """Return R squared of a straight line through the points."""
    slope, start = np.polyfit(counts, seconds, 1)
    rest = np.square(np.array(seconds) - (slope * np.array(counts) + start)).sum()
    return float(1 - rest / np.square(np.array(seconds) - np.mean(seconds)).sum())


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, required=True, help="a clip with one face, some seconds long")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        video = there_and_back(chosen.video, folder)
        for what, make in (("clips", _copies), ("times as long", _longer)):
            _measure_growth(what, make, video, folder)
        _measure_resume(video, folder)


def _measure_growth(what: str, make: Callable[[Path, int, Path], list[Path]], video: Path, folder: Path) -> None:
    runs: dict[int, list[tuple[float, float]]] = {times: [] for times in TIMES}
    for turn in range(ROUNDS):
        for times, found in runs.items():
            target = folder / f"{what[:5]}{times}-{turn}" / "data"
            target.mkdir(parents=True)
            found.append(measured(manifest_of(make(video, times, target.parent)), target))
    seconds = [min(taken for taken, _ in found) for found in runs.values()]
    rows = table(f"More {what}", what, "seconds", "peak MiB")
    for (times, found), taken in zip(runs.items(), seconds, strict=True):
        rows.add_row(str(times), f"{taken:.1f}", f"{max(peak for _, peak in found):.0f}")
    out.print(rows)
    out.print(f"R2 of a straight line: {linear_fit([float(times) for times in TIMES], seconds):.5f}")


def _copies(video: Path, times: int, into: Path) -> list[Path]:
    paths = [into / f"clip{number}{video.suffix}" for number in range(times)]
    for path in paths:
        os.link(looped(video, 1, into), path)
    return paths


def _longer(video: Path, times: int, into: Path) -> list[Path]:
    return [looped(video, times, into)]


def _measure_resume(video: Path, folder: Path) -> None:
    target = folder / "resume" / "data"
    target.mkdir(parents=True)
    manifest = manifest_of(_copies(video, TIMES[-1], target.parent))
    whole, _ = measured(manifest, target)
    next((target / "records").glob("*.json")).unlink()
    again, _ = measured(manifest, target)
    out.print(f"{TIMES[-1]} shards: {whole:.1f} s; with one record taken away: {again:.2f} s ({again / whole:.1%})")


if __name__ == "__main__":
    main()

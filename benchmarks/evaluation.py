"""Scoring against the packages that people run one after the other: `python -m benchmarks.evaluation --data data/demo`.

Five systems at three numbers of shots are scored twice on the same frames, in this process:

    headshot         one pass over the predictions, targets measured once for all; then again with what it kept
    one by one       for every system and number of shots: pytorch-fid on two folders of PNG files; lpips, scikit-image
                     (SSIM and PSNR) and insightface's recogniser image by image

The networks are the same on both sides and loaded before the clock. Inception's published weights are no package, so it
has random ones: the arithmetic is the same. Landmarks and embeddings are by the embedded networks, as insightface's own
detector cannot be had everywhere. The frames are the targets, damaged differently for every system, number of shots and
frame, so that no two are alike and headshot's memory for equal frames gains nothing.

A second table has each metric alone beside its peers. What is not installed is left out and named.
"""

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.compute as pc
import torch
from jaxtyping import UInt8

from benchmarks.metric_peers import compare_metrics
from eval.features import FeatureCache
from eval.metrics.frechet import FrechetMetric
from eval.metrics.inception import InceptionFeatures, build_network
from eval.metrics.loading import Metrics, load_metrics
from eval.metrics.perceptual import Lpips
from eval.progress import silent
from eval.rendering import predictions
from eval.rendering.predictions import PredictionHeader, PredictionInputs
from eval.runs.provenance import usable_cores
from eval.scoring import score
from eval.specs.distribution import FID_INCEPTION
from eval.specs.identity import CSIM_EMBEDDED
from eval.specs.image import LPIPS_EMBEDDED, PSNR, SSIM
from eval.tasks.making import make_tasks
from eval.tasks.queries import target_frames
from eval.tasks.task_set import Task, TaskSet
from headshot.console import out, table
from headshot.options import numbers
from pipeline.backends import load_backend
from pipeline.recognition import embed, load_recogniser
from pipeline.store import Store
from weights.fetch import fetch
from weights.torchvision_import import import_torchvision

SPECS = (SSIM, PSNR, LPIPS_EMBEDDED, CSIM_EMBEDDED)
Images = UInt8[np.ndarray, "frames size size 3"]
Outcomes = Mapping[tuple[str, str], PredictionHeader]
Values = dict[tuple[str, int, str], float]
"""By system, number of shots and metric."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """Predictions to be scored, as headshot keeps them and as folders of PNG files."""

    store: Store
    tasks: TaskSet
    folder: Path
    outcomes: Outcomes
    pairs: Mapping[tuple[str, int], tuple[Path, Path]]
    """Folders of generated and of target frames, for each system and number of shots."""


def make_study(store: Store, tasks: TaskSet, systems: int, folder: Path) -> Study:
    """Write what systems of falling quality would have delivered."""
    outcomes: dict[tuple[str, str], PredictionHeader] = {}
    pairs = {}
    for number in range(systems):
        name = f"system-{number + 1}"
        for task in tasks.tasks:
            target = target_frames(store, task.queries, tasks.size_px)
            rng = np.random.default_rng([number, task.shots, sum(task.id.encode())])
            generated = _damaged(target, 4 + 4 * number, rng)
            header = _header(name, task, tasks.size_px)
            predictions.save(folder, header, task, generated)
            outcomes[name, task.id] = header
            sides = tuple(folder / side / name / str(task.shots) for side in ("generated", "target"))
            for side, frames in zip(sides, (generated, target), strict=True):
                _write_pngs(side, task, frames)
            pairs[name, task.shots] = (sides[0], sides[1])
    return Study(store=store, tasks=tasks, folder=folder, outcomes=outcomes, pairs=pairs)


def _damaged(target: Images, deviation: float, rng: np.random.Generator) -> Images:
    noise = rng.normal(0, deviation, target.shape)
    return np.clip(np.roll(target, 1, axis=2) + noise, 0, 255).astype(np.uint8)


def _header(system: str, task: Task, size_px: int) -> PredictionHeader:
    inputs = PredictionInputs(
        system=system,
        system_config={},
        task=task.id,
        task_sha256=task.sha256(),
        content_sha256="0" * 64,
        size_px=size_px,
        seed=0,
    )
    return PredictionHeader(key=inputs.sha256(), inputs=inputs, adaptation_s=0.0, render_fps=1.0)


def _write_pngs(folder: Path, task: Task, frames: Images) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"{task.id}-{number:04d}.png"), frame[..., ::-1])


def random_inception(width: int) -> Any:
    """Return pytorch-fid's network with random weights."""
    import_torchvision()
    from pytorch_fid import inception

    torch.manual_seed(0)
    build, load, built = inception._inception_v3, inception.load_state_dict_from_url, []

    def remember(*arguments: Any, **options: Any) -> Any:
        built.append(build(*arguments, **options))
        return built[-1]

    inception._inception_v3, inception.load_state_dict_from_url = remember, lambda *_, **__: built[-1].state_dict()
    try:
        inception.fid_inception_v3()
    finally:
        inception._inception_v3, inception.load_state_dict_from_url = build, load
    return build_network(built[-1].state_dict(), width)


def by_headshot(study: Study, metrics: Metrics) -> Values:
    """Score everything, with what earlier calls left in the folder; the values are means over frames."""
    cache = FeatureCache(study.folder / "features")
    rows = score(study.store, study.tasks, study.outcomes, study.folder, metrics=metrics, cache=cache, progress=silent)
    of_frames = (pc.field("frame") >= 0) & (pc.field("status") == "ok")
    of_sets = (pc.field("frame") < 0) & (pc.field("stratum") == "") & (pc.field("identity") == "")
    means = rows.filter(of_frames | of_sets).group_by(["system", "shots", "metric"]).aggregate([("value", "mean")])
    return {(row["system"], row["shots"], row["metric"]): row["value_mean"] for row in means.to_pylist()}


def one_by_one(study: Study, inception: Any, width: int, lpips: Any) -> tuple[Values, dict[str, float]]:
    """Run the packages in sequence on every pair of folders; return the values and the seconds of each package."""
    values: Values = {}
    seconds: dict[str, float] = {}

    def add(package: str, key: tuple[str, int], work: Callable[[Path, Path], Mapping[str, float]]) -> None:
        started = time.perf_counter()
        found = work(*study.pairs[key])
        seconds[package] = seconds.get(package, 0.0) + time.perf_counter() - started
        values.update({(*key, metric): value for metric, value in found.items()})

    for key in study.pairs:
        add("pytorch-fid", key, lambda one, other: {FID_INCEPTION.id: _pytorch_fid(one, other, inception, width)})
        add("lpips", key, lambda one, other: {LPIPS_EMBEDDED.id: _lpips(one, other, lpips)})
        add("scikit-image", key, _scikit_image)
        add("insightface", key, lambda one, other: {CSIM_EMBEDDED.id: _csim(one, other)})
    return values, seconds


def _pytorch_fid(one: Path, other: Path, network: Any, width: int) -> float:
    """Do what `calculate_fid_given_paths` does after it has loaded its network."""
    from pytorch_fid.fid_score import calculate_frechet_distance, compute_statistics_of_path

    with warnings.catch_warnings(), redirect_stderr(StringIO()):  # its progress bars
        warnings.simplefilter("ignore", DeprecationWarning)
        statistics = [
            compute_statistics_of_path(str(path), network, 50, width, "cpu", usable_cores()) for path in (one, other)
        ]
        return float(calculate_frechet_distance(*statistics[0], *statistics[1]))


def _lpips(one: Path, other: Path, network: Any) -> float:
    import lpips

    found = []
    for paths in _files(one, other):
        pair = [lpips.im2tensor(lpips.load_image(str(path))) for path in paths]
        with torch.no_grad():
            found.append(network(*pair).item())
    return float(np.mean(found))


def _scikit_image(one: Path, other: Path) -> Mapping[str, float]:
    from skimage import metrics
    from skimage.io import imread

    theirs: Any = metrics  # it has no types
    wang = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    pairs = [[imread(path) for path in paths] for paths in _files(one, other)]
    return {
        SSIM.id: float(
            np.mean([theirs.structural_similarity(*pair, data_range=255, channel_axis=-1, **wang) for pair in pairs])
        ),
        PSNR.id: float(np.mean([theirs.peak_signal_noise_ratio(y, x, data_range=255) for x, y in pairs])),
    }


def _csim(one: Path, other: Path) -> float:
    """Find and align the face of every image and call the recogniser with it, as `FaceAnalysis.get` does."""
    backend, network, found = load_backend(), load_recogniser(), []
    for paths in _files(one, other):
        vectors = []
        for path in paths:
            image = np.ascontiguousarray(np.asarray(cv2.imread(str(path)))[..., ::-1])
            faces = backend.find(image)[:1]
            if faces:
                vectors.append(embed(network, image, backend.refine([image], faces)[0].points))
        if len(vectors) == 2:
            x, y = vectors
            found.append(float(x @ y / (np.linalg.norm(x) * np.linalg.norm(y))))
    return float(np.mean(found)) if found else float("nan")


def _files(one: Path, other: Path) -> list[tuple[Path, Path]]:
    return list(zip(sorted(one.iterdir()), sorted(other.iterdir()), strict=True))


def main() -> None:
    """Measure and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="data/demo", help="folder of the dataset")
    parser.add_argument("--frames", type=int, default=32, help="frames of each clip, at least 8")
    parser.add_argument("--size", type=int, default=128, help="side of the frames in pixels")
    parser.add_argument("--systems", type=int, default=5, help="how many, each worse than the one before")
    parser.add_argument("--shots", default="1,8,32", help="numbers of support frames")
    parser.add_argument("--width", type=int, default=2048, choices=(64, 192, 768, 2048), help="Inception features")
    parser.add_argument("--part", default="both", choices=("both", "sequence", "metrics"), help="which table")
    chosen = parser.parse_args()
    if chosen.part != "metrics":
        store = Store.open(chosen.data)
        shots = numbers(chosen.shots, "--shots")
        tasks = make_tasks(store, shots, size_px=chosen.size, query_frames=chosen.frames)
        with tempfile.TemporaryDirectory() as folder:
            compare_sequences(make_study(store, tasks, chosen.systems, Path(folder)), chosen.width)
    if chosen.part != "sequence":
        compare_metrics(chosen.frames, chosen.size)


def compare_sequences(study: Study, width: int) -> None:
    """Print how long both ways take, and how far their values are apart."""
    inception = random_inception(width)
    loaded = load_metrics(SPECS, workers=usable_cores())
    fid = FrechetMetric(FID_INCEPTION, InceptionFeatures(inception, f"random-{width}", width, workers=usable_cores()))
    metrics = Metrics(frame=loaded.frame, over_set=(fid,))
    lpips = Lpips.load(fetch("lpips-alexnet")).network
    load_recogniser(), load_backend()

    started = time.perf_counter()
    ours = by_headshot(study, metrics)
    first_s = time.perf_counter() - started
    again_metrics = Metrics(frame=load_metrics(SPECS, workers=usable_cores()).frame, over_set=(fid,))
    started = time.perf_counter()
    by_headshot(study, again_metrics)
    again_s = time.perf_counter() - started
    theirs, seconds = one_by_one(study, inception, width, lpips)

    frames = sum(len(task.frames) for task in study.tasks.tasks) * len(study.pairs) // len(study.tasks.shots)
    rows = table(f"Scoring {frames} frames of {len(study.pairs)} systems and numbers of shots", "", "seconds", "")
    for package, taken_s in seconds.items():
        rows.add_row(package, f"{taken_s:.1f}", "random weights" if package == "pytorch-fid" else "")
    total_s = sum(seconds.values())
    rows.add_row("one by one, together", f"{total_s:.1f}", "")
    rows.add_row("headshot", f"{first_s:.1f}", f"{total_s / first_s:.1f} times as fast")
    rows.add_row("headshot, again", f"{again_s:.2f}", f"{again_s / first_s:.1%} of the first time")
    out.print(rows)
    for metric in sorted({key[-1] for key in theirs}):
        gaps = [abs(ours[key] - value) for key, value in theirs.items() if key[-1] == metric and key in ours]
        sizes = [abs(value) for key, value in theirs.items() if key[-1] == metric]
        known = max(gaps) if gaps else float("nan")
        out.print(f"{metric}: largest deviation {known:.2e} of values up to {max(sizes):.4g}")


if __name__ == "__main__":
    main()

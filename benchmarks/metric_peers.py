"""Each metric alone beside the packages that offer it: images a second, and how far the values are apart."""

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8

from eval.metrics.frechet import frechet_distance
from eval.metrics.image import psnr, ssim, ssim_skimage_default
from eval.metrics.kernel import kernel_distance
from eval.metrics.multiscale import SMALLEST_PX, ms_ssim
from headshot.console import out, table
from weights.torchvision_import import import_torchvision

Images = UInt8[np.ndarray, "frames size size 3"]
Answer = Float[np.ndarray, " values"]
ROUNDS = 3
FEATURES = 256
"""Width of the features of distribution metrics: at that of Inception, the others' matrix roots take minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A metric of ours and the same one of somebody else."""

    metric: str
    peer: str
    units: int
    """Images or rows that are measured."""
    ours: Callable[[], Answer]
    theirs: Callable[[], Answer]


def compare_metrics(frames: int, size_px: int) -> None:
    """Print the table.

    Args:
        frames: Images of pixel metrics; distribution metrics are over twenty times as many rows.
        size_px: Side of the images; MS-SSIM takes larger ones where it needs to.
    """
    import_torchvision()
    rows = table("Each metric alone", "metric", "beside", "ours, per s", "theirs, per s", "times as fast", "deviation")
    missing = []
    for make in (_scikit_image, _torchmetrics, _piq, _pytorch_msssim, _pytorch_fid, _torch_fidelity, _clean_fid):
        try:
            matches = list(make(frames, size_px))
        except ImportError as error:
            missing.append(f"{make.__name__.strip('_').replace('_', '-')} ({error.name})")
            continue
        for match in matches:
            ours_s, ours = _measured(match.ours)
            theirs_s, theirs = _measured(match.theirs)
            rows.add_row(
                match.metric,
                match.peer,
                f"{match.units / ours_s:.0f}",
                f"{match.units / theirs_s:.0f}",
                f"{theirs_s / ours_s:.1f}",
                f"{np.max(np.abs(ours - theirs)):.1e}",
            )
    out.print(rows)
    if missing:
        out.print(f"not installed, so left out: {', '.join(missing)}")


def _measured(work: Callable[[], Answer]) -> tuple[float, Answer]:
    """Return the median time of a few rounds after one that does not count, and what came out."""
    times, answer = [], np.empty(0)
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = np.asarray(work())
        times.append(time.perf_counter() - started)
    return float(np.median(times[1:])), answer


def _images(frames: int, size_px: int) -> tuple[Images, Images]:
    """Return smooth pictures and noisy copies."""
    rng = np.random.default_rng(0)
    wave = np.linspace(0, 9, size_px)
    base = 120 + 60 * np.sin(wave)[:, None, None] * np.cos(wave)[:, None] + rng.uniform(-40, 40, (frames, 1, 1, 3))
    noisy = base + rng.normal(0, 15, (frames, size_px, size_px, 3))
    clipped = (np.clip(side, 0, 255).astype(np.uint8) for side in (noisy, base))
    return next(clipped), next(clipped)


def _features(frames: int) -> tuple[Float[np.ndarray, "rows width"], Float[np.ndarray, "rows width"]]:
    rng = np.random.default_rng(0)
    rows = max(20 * frames, 2 * FEATURES)
    return rng.normal(size=(rows, FEATURES)), rng.normal(0.1, 1.2, size=(rows, FEATURES))


def _tensors(sides: tuple[Images, Images]) -> list[torch.Tensor]:
    return [torch.from_numpy(side).permute(0, 3, 1, 2).float() for side in sides]


def _scikit_image(frames: int, size_px: int) -> Iterator[Match]:
    from skimage import metrics

    theirs: Any = metrics  # it has no types
    sides = _images(frames, size_px)

    def similarity(**options: Any) -> Answer:
        shared = {"data_range": 255, "channel_axis": -1}
        return np.array([theirs.structural_similarity(x, y, **shared, **options) for x, y in zip(*sides, strict=True)])

    def ratio() -> Answer:
        return np.array([theirs.peak_signal_noise_ratio(y, x, data_range=255) for x, y in zip(*sides, strict=True)])

    def wang() -> Answer:
        return similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False)

    def match(metric: str, ours: Callable[[Images, Images], Answer], theirs: Callable[[], Answer]) -> Match:
        return Match(metric=metric, peer="scikit-image", units=frames, ours=lambda: ours(*sides), theirs=theirs)

    yield match("ssim", ssim, wang)
    yield match("ssim.skimage-default", ssim_skimage_default, similarity)
    yield match("psnr", psnr, ratio)


def _torchmetrics(frames: int, size_px: int) -> Iterator[Match]:
    from torchmetrics.functional.image import structural_similarity_index_measure
    from torchmetrics.image.fid import _compute_fid
    from torchmetrics.image.kid import poly_mmd

    measure: Any = structural_similarity_index_measure  # what it returns depends on its options
    sides, (x, y) = _images(frames, size_px), _features(frames)
    tensors, (one, other) = _tensors(sides), (torch.from_numpy(side) for side in (x, y))

    def similarity() -> Answer:
        return np.asarray(measure(*tensors, data_range=255.0, reduction="none").numpy())

    def fid() -> Answer:
        moments = [part for side in (one, other) for part in (side.mean(0), side.T.cov())]
        return np.asarray(_compute_fid(*moments).numpy())

    shared = {"peer": "torchmetrics"}
    yield Match(metric="ssim", units=frames, ours=lambda: ssim(*sides), theirs=similarity, **shared)
    yield Match(metric="fid algebra", units=len(x), ours=lambda: np.array(frechet_distance(x, y)), theirs=fid, **shared)
    yield Match(
        metric="kid algebra",
        units=len(x),
        ours=lambda: np.array(kernel_distance(x, y)),
        theirs=lambda: poly_mmd(one, other).numpy(),
        **shared,
    )


def _piq(frames: int, size_px: int) -> Iterator[Match]:
    import piq

    sides = _images(frames, size_px)
    tensors = _tensors(sides)

    def similarity() -> Answer:
        return np.asarray(piq.ssim(*tensors, data_range=255.0, reduction="none").numpy())

    yield Match(metric="ssim", peer="piq", units=frames, ours=lambda: ssim(*sides), theirs=similarity)


def _pytorch_msssim(frames: int, size_px: int) -> Iterator[Match]:
    from pytorch_msssim import ms_ssim as theirs

    sides = _images(frames, max(size_px, SMALLEST_PX + 15))
    tensors = _tensors(sides)

    def similarity() -> Answer:
        return np.asarray(theirs(*tensors, data_range=255, size_average=False).numpy())

    yield Match(metric="ms-ssim", peer="pytorch-msssim", units=frames, ours=lambda: ms_ssim(*sides), theirs=similarity)


def _pytorch_fid(frames: int, _: int) -> Iterator[Match]:
    from pytorch_fid.fid_score import calculate_frechet_distance

    yield _frechet("pytorch-fid", frames, calculate_frechet_distance)


def _torch_fidelity(frames: int, _: int) -> Iterator[Match]:
    from torch_fidelity.metric_fid import fid_statistics_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric

    def distance(mean: Answer, sigma: Any, other_mean: Answer, other_sigma: Any) -> float:
        statistics = ({"mu": mean, "sigma": sigma}, {"mu": other_mean, "sigma": other_sigma})
        return float(fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"])

    def kernel() -> Answer:
        whole = {"kid_subsets": 1, "kid_subset_size": len(x), "verbose": False}
        sides = (torch.from_numpy(side) for side in (x, y))
        return np.array(kid_features_to_metric(*sides, **whole)["kernel_inception_distance_mean"])

    x, y = _features(frames)
    yield _frechet("torch-fidelity", frames, distance)
    yield Match(
        metric="kid algebra",
        peer="torch-fidelity",
        units=len(x),
        ours=lambda: np.array(kernel_distance(x, y)),
        theirs=kernel,
    )


def _clean_fid(frames: int, _: int) -> Iterator[Match]:
    from cleanfid.fid import frechet_distance as theirs

    yield _frechet("clean-fid", frames, theirs)


def _frechet(peer: str, frames: int, distance: Callable[..., float]) -> Match:
    """Return the match of a function of two means and covariances."""
    x, y = _features(frames)

    def theirs() -> Answer:
        moments = [part for side in (x, y) for part in (side.mean(axis=0), np.cov(side, rowvar=False))]
        return np.array(distance(*moments))

    return Match(
        metric="fid algebra", peer=peer, units=len(x), ours=lambda: np.array(frechet_distance(x, y)), theirs=theirs
    )

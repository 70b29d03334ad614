"""How fast training is, and how near to what the device can do: `python -m benchmarks.training --data data/demo`.

For each preset, a full step of meta-learning (all phases, both networks, the losses): images a second, the share of the
device's peak that its arithmetic amounts to, and the share of the time that a step waits for its batch. The operations
are counted by torch, forward and backward; the peak is measured in the same run, as a large matrix product in the
precision that training uses. A second table has the time of each network in both memory layouts.
"""

import argparse
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from headshot.console import err, out, table
from model.batches import Batch, Batches
from model.content import ContentLoss
from model.engine import CHANNELS_LAST, choose_device, content_view, mixed_precision, precision
from model.metalearning import MetaLearner
from model.prefetch import prefetched
from model.presets import PRESETS, Preset, preset
from model.stored_clips import training_clips
from model.training import default_loaders
from pipeline.store import Store
from weights.errors import HeadshotError

MATRIX = {"cpu": 2048, "cuda": 8192}
"""Side of the matrices whose product is taken for the peak."""
PEAK_S = 2.0
LAYOUTS = {"rows of a channel": torch.contiguous_format, "channels last": torch.channels_last}
REPEATS = 5


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data/demo"), help="folder of the dataset")
    parser.add_argument("--presets", default=",".join(PRESETS), help="of the reference model, with commas between")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda; auto measures each that is there")
    parser.add_argument("--steps", type=int, default=20, help="timed for each preset, after two that are not")
    parser.add_argument("--loaders", type=int, help="processes that prepare batches, as in headshot train")
    parser.add_argument("--accumulate", type=int, default=1, help="parts of a batch, as in headshot train")
    parser.add_argument("--compile", action="store_true", help="compile the networks, as in headshot train")
    chosen = parser.parse_args()

    store = Store.open(chosen.data)
    both = chosen.device == "auto" and torch.cuda.is_available()
    for device in [choose_device(name) for name in (("cpu", "cuda") if both else (chosen.device,))]:
        peak = peak_flops(device)
        words = f"{_name(device)}, {str(precision(device)).removeprefix('torch.')}, peak {peak / 1e12:.3g} TFLOP/s"
        steps = table(words, "preset", "images/s", "s a step", "TFLOP a step", "share of the peak", "waiting for data")
        layouts = table(f"{words}: forward and backward, ms", "preset", "network", *LAYOUTS, "training uses")
        for name in chosen.presets.split(","):
            err.print(f"measuring {name} on {device}")
            try:
                _measure(store, preset(name), device, chosen, peak, steps.add_row, layouts.add_row)
            except (HeadshotError, torch.OutOfMemoryError) as error:
                steps.add_row(name, f"not measured: {error}", *[""] * 4)
        out.print(steps)
        out.print(layouts)


def peak_flops(device: torch.device) -> float:
    """Return the operations a second of a large matrix product, the best of as many as fit in the time."""
    side = MATRIX[device.type]
    left, right = (torch.randn(side, side, device=device, dtype=precision(device)) for _ in range(2))
    deadline, best_s = time.perf_counter() + PEAK_S, float("inf")
    while time.perf_counter() < deadline or best_s == float("inf"):
        best_s = min(best_s, seconds(device, lambda: left @ right))
    return 2 * side**3 / best_s


def seconds(device: torch.device, work: Callable[[], object]) -> float:
    """Return how long `work` takes, until the device is done with it."""
    _wait(device)
    started = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - started


def _measure(
    store: Store,
    settings: Preset,
    device: torch.device,
    chosen: argparse.Namespace,
    peak: float,
    add_step: Callable[..., None],
    add_layout: Callable[..., None],
) -> None:
    schedule, clips = settings.meta_learning, training_clips(store, settings)
    batches = Batches(
        clips,
        [clip.clip.identity for clip in clips],
        size_px=settings.network.size_px,
        shots=schedule.shots,
        batch=schedule.batch,
        seed=0,
        canvas=settings.network.canvas,
    )
    torch.backends.cudnn.benchmark = True
    learner = MetaLearner(settings, len(clips), ContentLoss.pretrained(settings.losses), device, 0, chosen.accumulate)
    late, batch = schedule.steps - 1, batches.batch_at(0, device)
    with FlopCounterMode(display=False) as counter:
        learner.step(late, batch)
    if chosen.compile:
        for module in (*learner.networks.parts.values(), learner.content):
            module.compile(dynamic=False)
    loaders = default_loaders(device) if chosen.loaders is None else chosen.loaders
    with closing(prefetched(batches.draw, range(chosen.steps + 3), loaders, pinned=device.type == "cuda")) as made:
        for _ in range(2):
            learner.step(late, next(made).on(device))
        episodes, waited_s = next(made), 0.0
        _wait(device)
        started = time.perf_counter()
        for _ in range(chosen.steps):
            learner.step(late, episodes.on(device))
            _wait(device)
            asked = time.perf_counter()
            episodes = next(made)
            waited_s += time.perf_counter() - asked
        took_s = time.perf_counter() - started
    step_s, flops = took_s / chosen.steps, counter.get_total_flops()
    add_step(
        settings.name,
        f"{schedule.batch / step_s:.1f}",
        f"{step_s:.3g}",
        f"{flops / 1e12:.3g}",
        f"{flops / step_s / peak:.0%}",
        f"{waited_s / took_s:.1%}",
    )
    for name, times in layout_ms(learner, batch).items():
        used = "channels last" if name in CHANNELS_LAST else "rows of a channel"
        add_layout(settings.name, name, *(f"{times[layout]:.1f}" for layout in LAYOUTS), used)


def layout_ms(learner: MetaLearner, batch: Batch) -> dict[str, dict[str, float]]:
    """Return the time of each network, forward and backward, in each layout, in milliseconds; the best of several."""
    networks, content, device = learner.networks, learner.content, learner.device
    psi = networks.generator.adain_params(networks.embedder(batch.support_frames, batch.support_maps)).detach()
    vectors = networks.discriminator.clip_vectors(batch.clips).detach()
    frames = batch.target_frames.clone().requires_grad_(True)
    rng, windows = np.random.default_rng(0), learner.preset.losses.content_windows
    forward: dict[str, tuple[nn.Module, Callable[[], torch.Tensor]]] = {
        "embedder": (networks.embedder, lambda: networks.embedder(batch.support_frames, batch.support_maps)),
        "generator": (networks.generator, lambda: networks.generator(batch.target_maps, psi, batch.canvas)),
        "discriminator": (
            networks.discriminator,
            lambda: networks.discriminator(frames, batch.target_maps, vectors)[0],
        ),
        "content": (
            content,
            lambda: content(*content_view(frames, batch.target_frames, 0, rng, windows=windows)),
        ),
    }

    def both_ways(name: str) -> None:
        with mixed_precision(device):
            value = forward[name][1]().float().square().mean()
        value.backward()  # type: ignore[no-untyped-call]

    found: dict[str, dict[str, float]] = {}
    for name, (module, _) in forward.items():
        found[name] = {}
        for layout, memory_format in LAYOUTS.items():
            module.to(memory_format=memory_format)  # type: ignore[call-overload]
            times = [seconds(device, partial(both_ways, name)) for _ in range(REPEATS + 1)]
            found[name][layout] = 1e3 * min(times[1:])
    return found


def _name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {torch.get_num_threads()} threads"


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


if __name__ == "__main__":
    main()

"""How fast each stage is on this machine: `python -m benchmarks.stages --data data/demo --run runs/demo`.

Measures in one process with torch's own number of threads, on the dataset and checkpoint that are there:
decoding of stored frames, landmark maps, a training step, fine-tuning, rendering.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from headshot.console import out, table
from model.batches import Batches
from model.content import ContentLoss
from model.engine import choose_device
from model.landmark_map import draw_all
from model.metalearning import MetaLearner
from model.presets import preset
from model.reference import ReferenceModel
from model.stored_clips import training_clips
from pipeline.store import Store

REPEATS = 5


def median_s(work: Callable[[int], object]) -> float:
    """Return the median time of `work`, called with 0, 1, 2, ... after one call that does not count."""
    times = []
    for number in range(REPEATS + 1):
        started = time.perf_counter()
        work(number)
        times.append(time.perf_counter() - started)
    return float(np.median(times[1:]))


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data/demo"), help="folder of the dataset")
    parser.add_argument("--run", type=Path, default=Path("runs/demo"), help="folder with the checkpoint")
    parser.add_argument("--preset", default="compact", help="of the reference model")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    chosen = parser.parse_args()

    store, settings = Store.open(chosen.data), preset(chosen.preset)
    device = choose_device(chosen.device)
    size, schedule = settings.network.size_px, settings.meta_learning
    clips = training_clips(store, settings)
    largest = max(clips, key=len)
    rows = largest.rows[: min(len(largest), 64)]
    landmarks = store.landmarks(largest.clip, rows, size)
    identities = [clip.clip.identity for clip in clips]
    batches = Batches(
        clips,
        identities,
        size_px=size,
        shots=schedule.shots,
        batch=schedule.batch,
        seed=0,
        canvas=settings.network.canvas,
    )
    learner = MetaLearner(settings, len(clips), ContentLoss.pretrained(settings.losses), device, seed=0)
    batch = batches.batch_at(0, device)
    late = schedule.steps - 1

    results = table(f"{chosen.preset} on {device}, {torch.get_num_threads()} threads", "stage", "unit", "per second")

    def add(stage: str, unit: str, count: int, work: Callable[[int], object]) -> None:
        results.add_row(stage, unit, f"{count / median_s(work):.3g}")

    add("read and decode stored frames", "frames", len(rows), lambda _: store.frames(largest.clip, rows, size))
    add("draw landmark maps", "maps", len(rows), lambda _: draw_all(landmarks, size))
    add("make a batch of episodes", "images", schedule.batch, lambda number: batches.batch_at(number, device))
    add("train, before the discriminator", "images", schedule.batch, lambda _: learner.step(0, batch))
    add("train, with the discriminator", "images", schedule.batch, lambda _: learner.step(late, batch))
    if (chosen.run / "checkpoint" / "config.json").is_file():
        model = ReferenceModel.load(chosen.run / "checkpoint", chosen.device)
        frames = store.frames(largest.clip, rows[:8], model.size_px)
        points = store.landmarks(largest.clip, rows, model.size_px)
        head = model.feed_forward(frames, points[:8])
        add("render", "frames", len(rows), lambda _: head.render(points))
        add("fine-tune to 8 shots", "people", 1, lambda seed: model.fine_tune(frames, points[:8], seed))
    out.print(results)


if __name__ == "__main__":
    main()

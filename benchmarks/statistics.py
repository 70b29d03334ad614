"""How long all statistics of a large run take, from `scores.parquet`: `python -m benchmarks.statistics`.

The scores are made up (`benchmarks.made_up`).
"""

import argparse
import tempfile
import time
from collections.abc import Sized
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.made_up import Asked, made_up_scores
from eval.runs.results import SCORES_FILE, read_scores
from eval.specs.profiles import SPECS
from eval.specs.spec import MetricSpec
from eval.statistics.cells import cells_of
from eval.statistics.comparisons import every_gain, every_pair
from eval.statistics.panel import panels
from eval.statistics.ranks import rankings
from headshot.console import out, table

SHOTS = (1, 2, 4, 8, 16, 32)
GOAL_S = 10.0


def main() -> None:
    """Make the scores, derive everything from them, and print how long each step took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", type=int, default=10, help="how many are compared, all with each other")
    parser.add_argument("--people", type=int, default=50, help="how many they are tested on")
    parser.add_argument("--frames", type=int, default=32, help="frames of each person")
    parser.add_argument("--metrics", type=int, default=50, help="how many, every tenth one over sets of frames")
    options = parser.parse_args()
    specs = made_up_specs(options.metrics)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / SCORES_FILE
        made = made_up_scores(specs, Asked.made_up(options.systems, SHOTS, options.people, options.frames))
        pq.write_table(made, path, compression="zstd")
        size, rows = path.stat().st_size, len(made)
        del made
        report(path, specs, f"{rows:,} score rows in {size / 1e6:.0f} MB")


def report(path: Path, specs: tuple[MetricSpec, ...], title: str) -> None:
    """Run each step on a file of scores and print its time."""
    results = table(title, "step", "seconds", "of processor time", "results")
    begun = last = (time.perf_counter(), time.process_time())

    def tell(step: str, found: Sized) -> None:
        nonlocal last
        now = (time.perf_counter(), time.process_time())
        results.add_row(step, f"{now[0] - last[0]:.2f}", f"{now[1] - last[1]:.2f}", f"{len(found):,}")
        last = now

    scores = read_scores(path)
    tell("read", scores)
    found = panels(scores, specs)
    tell("average by clip and person", found)
    tell("values with intervals", cells_of(found))
    pairs = every_pair(found)
    tell("compare all systems", pairs)
    tell("compare numbers of shots", every_gain(found))
    tell("rank", rankings(found, pairs))
    wall, processor = last[0] - begun[0], last[1] - begun[1]
    results.add_row("all", f"{wall:.2f}", f"{processor:.2f}", f"goal: less than {GOAL_S:.0f} s")
    out.print(results)


def made_up_specs(count: int) -> tuple[MetricSpec, ...]:
    """Return as many metrics, every tenth one over sets of frames."""
    embedded = SPECS["embedded"]
    over_frames = [spec for spec in embedded if spec.level == "frame"]
    over_sets = [spec for spec in embedded if spec.level == "set"]
    kinds = [(over_frames if place % 10 else over_sets) for place in range(count)]
    return tuple(
        kind[place % len(kind)].model_copy(update={"id": f"metric-{place}"}) for place, kind in enumerate(kinds)
    )


if __name__ == "__main__":
    main()

"""How long all statistics of a large run take, from `scores.parquet`: `python -m benchmarks.statistics`.

The scores are made up: people differ, systems differ less, frames of a person are alike, and some frames failed.
"""

import argparse
import tempfile
import time
from collections.abc import Sized
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from eval.runs.results import SCORE_SCHEMA, SCORES_FILE
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
        made = made_up_scores(specs, options.systems, options.people, options.frames)
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

    scores = pq.read_table(path, schema=SCORE_SCHEMA)
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


def made_up_scores(specs: tuple[MetricSpec, ...], systems: int, people: int, frames: int) -> pa.Table:
    """Return the scores of a run, to the schema of results."""
    rng = np.random.default_rng(0)
    parts = [_of_metric(spec, systems, people, frames, rng) for spec in specs]
    return pa.concat_tables(parts).combine_chunks()


def _of_metric(spec: MetricSpec, systems: int, people: int, frames: int, rng: np.random.Generator) -> pa.Table:
    shape = (systems, len(SHOTS), people, frames)
    system, shots, person, frame = (one.ravel() for one in np.indices(shape))
    person_effect = rng.normal(0, 0.05, (1, 1, people, 1)) + rng.normal(0, 0.02, (systems, 1, people, 1))
    value = (0.5 + 0.01 * np.indices(shape)[0] + person_effect + rng.normal(0, 0.05, shape)).ravel()
    failed = rng.random(len(value)) < 0.01
    status = np.where(failed, 1, 0)
    names = ["ok", "no_face"] if spec.level == "frame" else ["member", "member"]
    value = np.where(failed if spec.level == "frame" else True, np.nan, value)
    of_frames = _table(spec, system, shots, person, frame, value, names, status)
    return of_frames if spec.level == "frame" else pa.concat_tables([of_frames, _over_sets(spec, systems, people, rng)])


def _over_sets(spec: MetricSpec, systems: int, people: int, rng: np.random.Generator) -> pa.Table:
    """Return the values over all frames, and over those of all people but one."""
    shape = (systems, len(SHOTS), people + 1)  # the last one is the whole
    system, shots, person = (one.ravel() for one in np.indices(shape))
    value = (30.0 + np.indices(shape)[0] + rng.normal(0, 0.2, shape)).ravel()
    whole = (person == people).astype(np.int64)
    return _table(spec, system, shots, person, np.full(len(value), -1), value, ["leave-one-out", "ok"], whole)


def _table(
    spec: MetricSpec,
    system: np.ndarray,
    shots: np.ndarray,
    person: np.ndarray,
    frame: np.ndarray,
    value: np.ndarray,
    statuses: list[str],
    status: np.ndarray,
) -> pa.Table:
    people = [f"id{place:05d}" for place in range(int(person.max()) + 1)]
    single = int(frame.min()) < 0
    if single:
        people[-1] = ""
    clips = ["" if single else f"{name}/video/clip-1" for name in people]
    columns = {
        "system": _names([f"system-{place}" for place in range(int(system.max()) + 1)], system),
        "shots": np.array(SHOTS, np.int32)[shots],
        "draw": np.zeros(len(value), np.int32),
        "identity": _names(people, person),
        "clip": _names(clips, person),
        "query_clip": _names(clips, person),
        "frame": frame.astype(np.int32),
        "stratum": _names(["" if single else one for one in ("near", "middle", "far")], frame % 3),
        "metric": _names([spec.id], np.zeros(len(value), np.int64)),
        "value": value,
        "status": _names(statuses, status),
    }
    return pa.table(columns).cast(SCORE_SCHEMA)


def _names(names: list[str], codes: np.ndarray) -> pa.Array:
    return pa.array(names).take(pa.array(codes))


if __name__ == "__main__":
    main()

"""`headshot benchmark`: score systems on the test identities."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headshot.console import Bar, out, progress_bars, table
from headshot.options import DATA, RUN, Device, ReadData, RunFolder, Seed, numbers
from headshot.ranks import print_open_questions
from weights.registry import Profile

if TYPE_CHECKING:
    from eval.motion import Stratum
    from eval.results import Run


def benchmark_command(
    data: ReadData = str(DATA),
    run: RunFolder = RUN,
    shots: Annotated[str, typer.Option(help="Numbers of support frames, such as 1,8,32.")] = "1,8,32",
    systems: Annotated[
        str,
        typer.Option(
            help="Systems to compare, with commas between. default: those that need no training, the reference model, "
            "and the trained baselines in the folder of the run; all: every built-in one."
        ),
    ] = "default",
    profile: Annotated[Profile, typer.Option(help="Networks behind the metrics: embedded or paper.")] = "embedded",
    size: Annotated[int, typer.Option(min=32, help="Side of the frames that are made and scored, in pixels.")] = 128,
    query_frames: Annotated[
        int, typer.Option(min=8, help="Frames to draw for each clip, spread over near, middle and far motion.")
    ] = 32,
    draws: Annotated[int, typer.Option(min=1, help="Independent support draws for each clip.")] = 1,
    workers: Annotated[int, typer.Option(min=0, help="Threads that score; 0 takes all cores.")] = 0,
    device: Device = "auto",
    seed: Seed = 0,
) -> None:
    """Adapt every system to every test clip, render, score, and print the main table.

    What is in the folder of the run already is reused; the same command goes on after an interruption.

    Example: [bold]headshot benchmark --data data/demo --run runs/demo --shots 1,8,32[/]
    """
    from eval.benchmark import benchmark
    from eval.progress import Progress
    from eval.specs.profiles import SPECS
    from eval.systems.builtin import checkpoint_of, choose_systems, load_system
    from eval.tasks import make_tasks
    from pipeline.store import Store

    wanted_shots = numbers(shots, "--shots")
    store = Store.open(data)
    tasks = make_tasks(store, wanted_shots, size_px=size, seed=seed, query_frames=query_frames, draws=draws)
    names = choose_systems(systems, run)
    chosen = [load_system(name, checkpoint=checkpoint_of(run, name), device=device) for name in names]
    with progress_bars() as bars:
        stages = {stage: Bar(bars, stage) for stage in ("render", "score")}

        def show(progress: Progress) -> None:
            stages[progress.stage].show(progress.done, progress.total, progress.what)

        done = benchmark(store, chosen, tasks, run, specs=SPECS[profile], workers=workers or None, progress=show)
    print_main_table(done, run)


def print_main_table(run: "Run", folder: Path) -> None:
    """Print systems x shots x metrics with intervals, over all frames and over far ones, and what is not separated."""
    from eval.statistics import statistics

    _print_table(run, None)
    _print_table(run, "far")
    found = statistics(run.scores, run.record.specs)
    print_open_questions(found, shots=max(run.tasks.shots))
    out.print(f"places and every comparison: headshot ranks --run {folder}")
    out.print(f"scores: {folder / 'scores.parquet'}; how: {folder / 'run.json'}")


def _print_table(run: "Run", stratum: "Stratum | None") -> None:
    from eval.statistics import summarise

    specs = run.record.specs
    cells = {(c.system, c.shots, c.metric): c for c in summarise(run.scores, specs, stratum)}
    if not cells:
        return
    heads = [f"{spec.title} {'↑' if spec.higher_is_better else '↓'}" for spec in specs]
    people = max(cell.n_identities for cell in cells.values())
    frames = max(cell.n_frames for cell in cells.values())
    over = (
        f"{people} people" if stratum is None else f"{frames} frames of {people} people, {stratum} from what was shown"
    )
    rows = table(f"Mean over {over} ± half of the 95% interval", "system", "shots", *heads)
    for system, shots in dict.fromkeys((system, shots) for system, shots, _ in cells):
        values = []
        for spec in specs:
            cell = cells.get((system, shots, spec.id))
            values.append("" if cell is None else f"{cell.value:.3f} ±{(cell.high - cell.low) / 2:.3f}")
        rows.add_row(system, str(shots), *values)
    out.print(rows)

"""`headshot benchmark`: score systems on the test identities."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headshot.console import Bar, out, progress_bars, table
from headshot.options import (
    DATA,
    RUN,
    Device,
    Draws,
    Limit,
    Pairs,
    Protocol,
    QueryFrames,
    ReadData,
    RunFolder,
    Seed,
    Shots,
    Size,
)
from headshot.tasks import TaskOptions, frozen_tasks
from weights.registry import Profile

if TYPE_CHECKING:
    from eval.motion import Stratum
    from eval.results import Run


def benchmark_command(
    context: typer.Context,
    data: ReadData = str(DATA),
    run: RunFolder = RUN,
    tasks: Annotated[
        Path | None,
        typer.Option(help="Frozen tasks of `headshot tasks make`, in place of the options that make tasks."),
    ] = None,
    shots: Shots = "1,8,32",
    protocol: Protocol = "self",
    pairs: Pairs = None,
    systems: Annotated[
        str,
        typer.Option(
            help="Systems to compare, with commas between. default: those that need no training, the reference model, "
            "and the trained baselines in the folder of the run; all: every built-in one."
        ),
    ] = "default",
    profile: Annotated[Profile, typer.Option(help="Networks behind the metrics: embedded or paper.")] = "embedded",
    size: Size = 128,
    query_frames: QueryFrames = 32,
    draws: Draws = "auto",
    limit: Limit = None,
    floors: Annotated[
        bool, typer.Option("--floors/--no-floors", help="Whether floors and ceilings stand beside the systems.")
    ] = True,
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
    from eval.references import DEFAULT
    from eval.specs.across import across_specs
    from eval.specs.profiles import SPECS
    from eval.systems.builtin import BASELINES, checkpoint_of, choose_systems, load_system
    from pipeline.store import Store

    options = TaskOptions.parse(
        shots=shots,
        protocol=protocol,
        pairs=pairs,
        size=size,
        query_frames=query_frames,
        draws=draws,
        limit=limit,
        seed=seed,
    )
    store = Store.open(data)
    frozen = frozen_tasks(tasks, store, context) if tasks else options.make(store)
    names = list(dict.fromkeys([*(BASELINES if floors else ()), *choose_systems(systems, run)]))
    chosen = [load_system(name, checkpoint=checkpoint_of(run, name), device=device) for name in names]
    with progress_bars() as bars:
        stages = {stage: Bar(bars, stage) for stage in ("render", "score")}

        def show(progress: Progress) -> None:
            stages[progress.stage].show(progress.done, progress.total, progress.what)

        done = benchmark(
            store,
            chosen,
            frozen,
            run,
            specs=across_specs(SPECS[profile]) if frozen.across else SPECS[profile],
            references=DEFAULT if floors else (),
            workers=workers or None,
            progress=show,
        )
    print_main_table(done, run)


def print_main_table(run: "Run", folder: Path) -> None:
    """Print systems x shots x metrics with intervals, over all frames and over far ones, and where they lie."""
    contenders, references = run.split()
    for caveat in run.tasks.caveats:
        out.print(caveat.capitalize() if caveat.startswith("quick") else caveat, style="bold yellow")
    _print_table(contenders, None, "Mean")
    _print_table(contenders, "far", "Mean")
    _print_table(references, None, "Floors and ceilings: mean")
    out.print(f"scores: {folder / 'scores.parquet'}; how: {folder / 'run.json'}")


def _print_table(run: "Run", stratum: "Stratum | None", what: str) -> None:
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
    title = f"{what} over {over} ± half of the 95% interval ({run.tasks.label})"
    rows = table(title, "system", "shots", *heads)
    for system, shots in dict.fromkeys((system, shots) for system, shots, _ in cells):
        values = []
        for spec in specs:
            cell = cells.get((system, shots, spec.id))
            values.append("" if cell is None else f"{cell.value:.3f} ±{(cell.high - cell.low) / 2:.3f}")
        rows.add_row(system, str(shots), *values)
    out.print(rows)

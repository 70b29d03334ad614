"""`headshot benchmark`: score systems on the test identities."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headshot.console import Bar, err, out, progress_bars, table
from headshot.options import (
    DATA,
    RUN,
    Device,
    Draws,
    Kubernetes,
    Limit,
    Pairs,
    Protocol,
    QueryFrames,
    ReadData,
    RunFolder,
    Seed,
    Shots,
    Size,
    Slurm,
    batch_system,
)
from headshot.ranks import print_open_questions
from headshot.tasks import FrozenTasks, TaskOptions, frozen_tasks
from weights.registry import Profile

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from eval.progress import Progress, ProgressHook
    from eval.runs.results import Run
    from eval.statistics.cells import Cell
    from eval.tasks.motion import Stratum
    from pipeline.clusters import Cluster


def benchmark_command(
    context: typer.Context,
    data: ReadData = str(DATA),
    run: RunFolder = RUN,
    tasks: FrozenTasks = None,
    shots: Shots = "1,8,32",
    protocol: Protocol = "self",
    pairs: Pairs = None,
    systems: Annotated[
        str,
        typer.Option(
            help="Systems to compare, with commas between. default: those that need no training, the reference model, "
            "and the trained baselines in the folder of the run; all: every built-in one. Your own: NAME=cmd:FILE.toml "
            "for a program, NAME=dir:FOLDER for finished predictions."
        ),
    ] = "default",
    profile: Annotated[Profile, typer.Option(help="Networks behind the metrics: embedded or paper.")] = "embedded",
    metrics: Annotated[
        str,
        typer.Option(
            help="What to measure: headline (the main table), default (and what costs little beside it), all, or ids "
            "of docs/metrics.md with commas between, such as psnr@mouth,lpips.vgg."
        ),
    ] = "default",
    size: Size = 128,
    query_frames: QueryFrames = 32,
    draws: Draws = "auto",
    limit: Limit = None,
    floors: Annotated[
        bool, typer.Option("--floors/--no-floors", help="Whether floors and ceilings stand beside the systems.")
    ] = True,
    workers: Annotated[
        int, typer.Option(min=0, help="Processes that render; 1: this one alone, 0: one for each core.")
    ] = 1,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="Threads of this process, for networks that render and score.", show_default="all"),
    ] = None,
    slurm: Slurm = None,
    kubernetes: Kubernetes = None,
    part: Annotated[str, typer.Option(help="Render one part of the work only, such as 3/8, beside other runs.")] = "",
    device: Device = "auto",
    seed: Seed = 0,
) -> None:
    """Adapt every system to every test clip, render, score, and print the main table.

    What is in the folder of the run already is reused; the same command goes on after an interruption. Systems render
    in this process, in --workers processes, or on a cluster such as the one whose Dask scheduler
    DASK_SCHEDULER_ADDRESS names (see docs/cluster.md).

    Example: [bold]headshot benchmark --data data/demo --run runs/demo --shots 1,8,32[/]
    """
    from eval.benchmark import benchmark, render_part
    from eval.rendering.references import DEFAULT
    from eval.specs.profiles import choose_specs
    from eval.systems.builtin import BASELINES
    from eval.systems.choice import load_systems
    from pipeline.parts import Part
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
    share = Part.parse(part) if part else None
    cluster = batch_system(slurm, kubernetes) or _cluster(workers)
    store, folder = Store.open(data), run.resolve()  # workers on other machines start in another folder
    wanted = frozen_tasks(tasks, store, context) if tasks else options.make(store)
    specs = choose_specs(profile, metrics, across=wanted.across)
    chosen = load_systems(",".join((*(BASELINES if floors else ()), systems)), folder, device=device)
    with progress_bars() as bars:
        show = stages(bars)
        if share is None:
            done = benchmark(
                store,
                chosen,
                wanted,
                folder,
                specs=specs,
                references=DEFAULT if floors else (),
                threads=threads,
                cluster=cluster,
                progress=show,
                announce=announce,
            )
        else:
            outcomes = render_part(
                store, chosen, wanted, folder, share, threads=threads, cluster=cluster, progress=show, announce=announce
            )
    if share is None:
        print_main_table(done, run)
    else:
        lost = sum(isinstance(outcome, str) for outcome in outcomes.values())
        out.print(f"part {part}: {len(outcomes) - lost} predictions are there, {lost} failed")
        out.print("when all parts are done, the same command without --part tries again what failed, and scores")


def announce(text: str) -> None:
    """Say where work can be watched."""
    err.print(text, markup=False)


def _cluster(workers: int) -> "Cluster | None":
    """Return where to render: None for this process."""
    from pipeline.clusters import LocalWorkers, scheduler_of_environment

    here = None if workers == 1 else LocalWorkers(workers=workers or None)
    return scheduler_of_environment() or here


def stages(bars: "Bars") -> "ProgressHook":
    """Return a hook that shows a bar for each stage of a benchmark."""
    shown = {stage: Bar(bars, stage) for stage in ("render", "score")}

    def show(progress: "Progress") -> None:
        shown[progress.stage].show(progress.done, progress.total, progress.what)

    return show


def print_main_table(run: "Run", folder: Path) -> None:
    """Print headline metrics over all frames and over far ones, floors, other metrics, and what is not separated."""
    from eval.specs.profiles import headline_specs
    from eval.statistics.summary import statistics

    contenders, references = run.split()
    for caveat in run.tasks.caveats:
        out.print(caveat.capitalize() if caveat.startswith("quick") else caveat, style="bold yellow")
    _print_table(contenders, None, "Mean")
    _print_table(contenders, "far", "Mean")
    _print_table(references, None, "Floors and ceilings: mean")
    _print_every_metric(contenders)
    found = statistics(contenders.scores, headline_specs(run.record.specs))
    print_open_questions(found, shots=max(run.tasks.shots))
    out.print(f"places and every comparison: headshot ranks --run {folder}")
    out.print(f"scores: {folder / 'scores.parquet'}; how: {folder / 'run.json'}")


def _print_table(run: "Run", stratum: "Stratum | None", what: str) -> None:
    from eval.specs.profiles import headline_specs
    from eval.statistics.cells import summarise

    specs = headline_specs(run.record.specs)
    cells = {(c.system, c.shots, c.metric): c for c in summarise(run.scores, specs, stratum)}
    if not cells:
        return
    heads = [f"{spec.title} {'↑' if spec.higher_is_better else '↓'}" for spec in specs]
    people = max(cell.n_identities for cell in cells.values())
    far = f"{run.tasks.frame_count(stratum)} frames of {people} people, {stratum} from what was shown"
    over = f"{people} people" if stratum is None else far
    title = f"{what} over {over} ± half of the 95% interval ({run.tasks.label})"
    rows = table(title, "system", "shots", *heads)
    for system, shots in dict.fromkeys((system, shots) for system, shots, _ in cells):
        values = [value_with_half(cells.get((system, shots, spec.id))) for spec in specs]
        rows.add_row(system, str(shots), *values)
    out.print(rows)


def _print_every_metric(run: "Run") -> None:
    """Print the metrics that the main table leaves out, a line each."""
    from eval.specs.profiles import headline_specs
    from eval.statistics.cells import summarise

    shown = {spec.id for spec in headline_specs(run.record.specs)}
    others = [spec for spec in run.record.specs if spec.id not in shown]
    most = max(run.tasks.shots)
    cells = {(c.system, c.metric): c for c in summarise(run.scores, others) if c.shots == most}
    if not cells:
        return
    systems = list(dict.fromkeys(system for system, _ in cells))
    rows = table(f"More metrics at {most} {'shot' if most == 1 else 'shots'}, as above", "metric", *systems)
    for spec in others:
        heading = f"{spec.id} {'↑' if spec.higher_is_better else '↓'}"
        rows.add_row(heading, *(value_with_half(cells.get((system, spec.id))) for system in systems))
    out.print(rows)


def value_with_half(cell: "Cell | None") -> str:
    """Return a value with half of its interval where there is one; a dash where nothing could be measured."""
    if cell is None or math.isnan(cell.value):
        return "-"
    half = (cell.high - cell.low) / 2
    return f"{cell.value:.3f}" if math.isnan(half) else f"{cell.value:.3f} ±{half:.3f}"

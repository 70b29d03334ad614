"""`headshot benchmark`: score systems on the test identities."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headshot.console import Bar, err, out, progress_bars, table
from headshot.options import (
    DATA,
    RUN,
    Device,
    Kubernetes,
    ReadData,
    RunFolder,
    Seed,
    Slurm,
    batch_system,
    numbers,
)
from weights.registry import Profile

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from eval.motion import Stratum
    from eval.progress import Progress, ProgressHook
    from eval.results import Run
    from pipeline.clusters import Cluster


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
    from eval.specs.profiles import SPECS
    from eval.systems.builtin import checkpoint_of, choose_systems, load_system
    from eval.tasks import make_tasks
    from pipeline.parts import Part
    from pipeline.store import Store

    wanted_shots, share = numbers(shots, "--shots"), Part.parse(part) if part else None
    cluster = batch_system(slurm, kubernetes) or _cluster(workers)
    store, folder = Store.open(data), run.resolve()  # workers on other machines start in another folder
    tasks = make_tasks(store, wanted_shots, size_px=size, seed=seed, query_frames=query_frames, draws=draws)
    names = choose_systems(systems, run)
    chosen = [load_system(name, checkpoint=checkpoint_of(folder, name), device=device) for name in names]
    with progress_bars() as bars:
        show = stages(bars)
        if share is None:
            done = benchmark(
                store,
                chosen,
                tasks,
                folder,
                specs=SPECS[profile],
                threads=threads,
                cluster=cluster,
                progress=show,
                announce=announce,
            )
        else:
            outcomes = render_part(
                store, chosen, tasks, folder, share, threads=threads, cluster=cluster, progress=show, announce=announce
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
    """Print systems x shots x metrics with intervals, over all frames and over far ones, and where they lie."""
    _print_table(run, None)
    _print_table(run, "far")
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

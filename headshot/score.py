"""`headshot score`: score a run again without rendering."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headshot.benchmark import print_main_table, stages
from headshot.console import progress_bars
from headshot.options import DATA, ReadData, folder
from weights.errors import HeadshotError
from weights.registry import Profile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eval.specs.spec import MetricSpec

RunArgument = Annotated[Path, typer.Argument(metavar="RUN", parser=folder, help="Folder of a finished run.")]


def score_command(
    run: RunArgument,
    data: ReadData = str(DATA),
    profile: Annotated[
        Profile | None,
        typer.Option(help="Measure with the networks of this profile.", show_default="the metrics of the run"),
    ] = None,
    metrics: Annotated[
        str, typer.Option(help="Measure only these of them, with commas between, such as ssim,psnr.")
    ] = "",
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of this process.", show_default="all cores")
    ] = None,
) -> None:
    """Score the predictions of a run again, render nothing, and print the main table.

    Scores and record are replaced; what was measured before comes from the cache. No system is loaded, so its
    checkpoint may be gone. Where nothing has changed, nothing is computed.

    Example: [bold]headshot score runs/demo --data data/demo --metrics ssim,psnr[/]
    """
    from eval.rescoring import current_specs, rescore
    from eval.results import Run
    from eval.specs.profiles import SPECS
    from pipeline.store import Store

    pool = SPECS[profile] if profile else current_specs(Run.open(run).record.specs)
    specs = _choose(pool, metrics) if metrics else pool
    store = Store.open(data)
    with progress_bars() as bars:
        done = rescore(run, store, specs, threads=threads, progress=stages(bars))
    print_main_table(done, run)


def _choose(pool: "Sequence[MetricSpec]", text: str) -> "tuple[MetricSpec, ...]":
    wanted = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in {spec.id for spec in pool}]
    if unknown or not wanted:
        there = ", ".join(spec.id for spec in pool)
        raise HeadshotError(f"--metrics {text}: choose from {there}, or from another --profile")
    return tuple(spec for spec in pool if spec.id in wanted)

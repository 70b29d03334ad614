"""`headshot score`: score a run again without rendering."""

from typing import Annotated

import typer

from headshot.benchmark import print_main_table, stages
from headshot.console import progress_bars
from headshot.options import DATA, RUN, ReadData, RunFolder
from weights.registry import Profile


def score_command(
    run: RunFolder = RUN,
    data: ReadData = str(DATA),
    profile: Annotated[
        Profile | None, typer.Option(help="Networks behind the metrics.", show_default="those of the run")
    ] = None,
    metrics: Annotated[
        str,
        typer.Option(
            help="What to measure: headline, default, all, or ids with commas between.",
            show_default="the metrics of the run; default with --profile",
        ),
    ] = "",
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of this process.", show_default="all cores")
    ] = None,
) -> None:
    """Score the predictions of a run again, render nothing, and print the main table.

    Scores and record are replaced; what was measured before comes from the cache. No system is loaded, so its
    checkpoint may be gone. Where nothing has changed, nothing is computed.

    Example: [bold]headshot score --run runs/demo --data data/demo --metrics all[/]
    """
    from eval.rescoring import current_specs, rescore
    from eval.runs.results import Run
    from eval.specs.profiles import choose_specs, profile_of
    from pipeline.store import Store

    opened = Run.open(run)
    if profile or metrics:
        networks = profile or profile_of(opened.record.specs) or "embedded"
        specs = choose_specs(networks, metrics or "default", across=opened.tasks.across)
    else:
        specs = current_specs(opened.record.specs)
    store = Store.open(data)
    with progress_bars() as bars:
        done = rescore(run, store, specs, threads=threads, progress=stages(bars))
    print_main_table(done, run)

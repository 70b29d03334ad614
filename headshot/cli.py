"""The command `headshot`: one thin module for each group of commands."""

import logging
import os
import sys

import typer

from headshot import (
    benchmark,
    check_system,
    compare,
    corpora,
    dataset,
    disclose,
    drive,
    figure,
    leaderboard,
    manifest,
    publish,
    ranks,
    report,
    request,
    samples,
    score,
    study,
    takedown,
    tasks,
    train,
    weights,
)
from headshot.console import err
from weights.errors import HeadshotError

app = typer.Typer(
    name="headshot",
    help="The benchmark for few-shot talking-head models: raw video in, a published comparison out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
DATA, MODEL, BENCHMARK, RESULTS, CARE = "Data", "Model", "Benchmark", "Results", "People"
"""Headings of the help, in the order in which one meets them."""

manifest.app.add_typer(corpora.app)
app.add_typer(samples.app, name="samples", rich_help_panel=DATA)
app.add_typer(manifest.app, name="manifest", rich_help_panel=DATA)
app.command(name="preprocess", rich_help_panel=DATA)(dataset.preprocess_command)
app.command(name="status", rich_help_panel=DATA)(dataset.status_command)
app.command(name="verify", rich_help_panel=DATA)(dataset.verify_command)
app.command(name="statistics", rich_help_panel=DATA)(dataset.statistics_command)
app.add_typer(weights.app, name="weights", rich_help_panel=MODEL)
app.command(name="train", rich_help_panel=MODEL)(train.train_command)
app.command(name="drive", rich_help_panel=MODEL)(drive.drive_command)
app.add_typer(tasks.app, name="tasks", rich_help_panel=BENCHMARK)
app.command(name="benchmark", rich_help_panel=BENCHMARK)(benchmark.benchmark_command)
app.command(name="check-system", rich_help_panel=BENCHMARK)(check_system.check_system_command)
app.command(name="request", rich_help_panel=BENCHMARK)(request.request_command)
app.command(name="score", rich_help_panel=BENCHMARK)(score.score_command)
app.command(name="report", rich_help_panel=RESULTS)(report.report_command)
app.command(name="publish", rich_help_panel=RESULTS)(publish.publish_command)
app.command(name="ranks", rich_help_panel=RESULTS)(ranks.ranks_command)
app.command(name="compare", rich_help_panel=RESULTS)(compare.compare_command)
app.command(name="leaderboard", rich_help_panel=RESULTS)(leaderboard.leaderboard_command)
app.command(name="export", rich_help_panel=RESULTS)(leaderboard.export_command)
app.command(name="figure", rich_help_panel=RESULTS)(figure.figure_command)
app.add_typer(study.app, name="study", rich_help_panel=RESULTS)
app.add_typer(disclose.app, name="disclose", rich_help_panel=CARE)
app.command(name="takedown", rich_help_panel=CARE)(takedown.takedown_command)


def main() -> None:
    """Run the command line; a `HeadshotError` ends it with one paragraph and exit code 2."""
    # Dask sets its own levels when it is imported, and would report every worker that connects.
    os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "warning")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        app()
    except HeadshotError as error:
        err.print(f"error: {error}", markup=False, style="red")
        sys.exit(2)
    except KeyboardInterrupt:
        err.print("stopped; the same command goes on where this one ended")
        sys.exit(130)

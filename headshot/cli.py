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
app.add_typer(samples.app, name="samples")
app.add_typer(weights.app, name="weights")
manifest.app.add_typer(corpora.app)
app.add_typer(manifest.app, name="manifest")
app.add_typer(tasks.app, name="tasks")
app.add_typer(study.app, name="study")
app.add_typer(disclose.app, name="disclose")
app.command(name="preprocess")(dataset.preprocess_command)
app.command(name="status")(dataset.status_command)
app.command(name="verify")(dataset.verify_command)
app.command(name="statistics")(dataset.statistics_command)
app.command(name="takedown")(takedown.takedown_command)
app.command(name="train")(train.train_command)
app.command(name="benchmark")(benchmark.benchmark_command)
app.command(name="check-system")(check_system.check_system_command)
app.command(name="request")(request.request_command)
app.command(name="score")(score.score_command)
app.command(name="ranks")(ranks.ranks_command)
app.command(name="compare")(compare.compare_command)
app.command(name="leaderboard")(leaderboard.leaderboard_command)
app.command(name="export")(leaderboard.export_command)
app.command(name="report")(report.report_command)
app.command(name="publish")(publish.publish_command)
app.command(name="figure")(figure.figure_command)
app.command(name="drive")(drive.drive_command)


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

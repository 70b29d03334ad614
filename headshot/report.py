"""`headshot report`: a run to a static site."""

from pathlib import Path
from typing import Annotated

import typer

from headshot.console import err, out
from headshot.options import DATA, OUT, ReadData, Without, folder, marks_without


def report_command(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", parser=folder, help="Folders of finished runs.")],
    to: Annotated[
        Path, typer.Option("--out", "-o", help="Folder of the site; what an earlier report left there goes.")
    ] = OUT,
    data: ReadData = str(DATA),
    single_file: Annotated[
        bool, typer.Option("--single-file", help="Put everything into index.html, with as many pictures as fit.")
    ] = False,
    without: Without = "",
) -> None:
    """Write the comparison as a static site that opens from disk.

    Of one run: the report, pages on the data set and on running it again, tables to take away. Of several runs: a page
    that compares them, and the report of each in a folder of its own. What was not measured alike is not compared, and
    the page says why; exit code 2 where no two runs can be.

    Example: [bold]headshot report runs/demo --data data/demo -o reports/out/demo[/]
    """
    from reports.build import build_report, build_reports, measure_marks

    marks = marks_without(without)
    for run in runs:
        measure_marks(run, data)
    if len(runs) == 1:
        out.print(f"report: {build_report(runs[0], data, to, single_file=single_file, marks=marks)}")
        return
    page = build_reports(runs, data, to, single_file=single_file, marks=marks)
    out.print(f"report: {to / 'index.html'}")
    for one in page.refusals:
        err.print(f"not compared: {one.reason}", markup=False)
    if not page.comparable:
        raise typer.Exit(2)

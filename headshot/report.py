"""`headshot report`: a run to a web page."""

from pathlib import Path
from typing import Annotated

import typer

from headshot.console import out
from headshot.options import DATA, OUT, RUN, ReadData, RunFolder


def report_command(
    run: RunFolder = RUN,
    data: ReadData = str(DATA),
    to: Annotated[Path, typer.Option("--out", help="Folder the page goes to.")] = OUT,
) -> None:
    """Write the comparison as one HTML page that opens from disk.

    Example: [bold]headshot report --run runs/demo --data data/demo --out reports/out/demo[/]
    """
    from reports.build import build_report

    out.print(f"report: {build_report(run, data, to)}")

"""`headshot publish`: reports to a site for any static host."""

from pathlib import Path
from typing import Annotated

import typer

from headshot.console import out
from headshot.options import OUT


def publish_command(
    root: Annotated[Path, typer.Option("--out", help="Folder with a folder for each report.")] = OUT.parent,
    address: Annotated[
        str,
        typer.Option(
            help="Where the site will be, such as https://example.org/reports/. Cards and canonical links need it.",
            show_default="no absolute links",
        ),
    ] = "",
) -> None:
    """Make the reports in a folder one site: a list, an Atom feed, and a card for each link that is shared.

    The folder can be put on any static host as it is. The list has every report that is there, the newest first; the
    same command again changes nothing, and what was taken down is gone.

    Example: [bold]headshot publish --out reports/out --address https://example.org/reports/[/]
    """
    from reports.publish.build import publish_reports

    published = publish_reports(root, address)
    count = len(published.entries)
    out.print(f"published: {published.index}, {count} {'report' if count == 1 else 'reports'}", markup=False)

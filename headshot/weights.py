"""`headshot weights`: pretrained networks."""

from pathlib import Path
from typing import Annotated

import typer

from headshot.console import Downloads, out, progress_bars, table
from weights import fetch as weight_files
from weights.errors import HeadshotError
from weights.registry import Profile, WeightEntry, load_registry

app = typer.Typer(help="Pretrained networks: where they come from, their hashes and licences.", no_args_is_help=True)


@app.command(name="list")
def list_command() -> None:
    """List every network of the registry and whether it is here.

    Example: [bold]headshot weights list[/]
    """
    rows = table("Pretrained networks", "id", "task", "profile", "source", "licence", "here")
    for status in weight_files.list_weights():
        entry = status.entry
        rows.add_row(entry.id, entry.task, entry.profile, _source(entry), entry.licence, "yes" if status.path else "no")
    out.print(rows)


@app.command(name="fetch")
def fetch_command(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of the registry; all of the profile if none.")] = None,
    profile: Annotated[Profile, typer.Option(help="embedded or paper.")] = "embedded",
) -> None:
    """Download and verify networks; what is in the cache is left alone.

    Example: [bold]headshot weights fetch facemesh-468 lpips-alexnet[/]
    """
    wanted = ids or [entry.id for entry in load_registry().values() if entry.profile == profile]
    with progress_bars() as bars:
        found = weight_files.fetch_all(wanted, Downloads(bars))
    for status in found:
        out.print(f"{status.entry.id}: {status.path or status.reason}", markup=False)
    if any(status.path is None for status in found):
        raise typer.Exit(1)


@app.command(name="verify")
def verify_command() -> None:
    """Hash everything in the cache again.

    Example: [bold]headshot weights verify[/]
    """
    found = weight_files.verify()
    for status in found:
        out.print(f"{status.entry.id}: {status.reason or 'ok'}", markup=False)
    if any(status.reason for status in found):
        raise typer.Exit(1)
    if not found:
        out.print("the cache holds no network yet; `headshot weights fetch` brings them")


@app.command(name="add")
def add_command(
    weight_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the registry.")],
    path: Annotated[Path, typer.Argument(help="The file.")],
) -> None:
    """Bring a file that you have; it is checked against the registry's hash where there is one.

    Example: [bold]headshot weights add inception-2015 pt_inception-2015-12-05-6726825d.pth[/]
    """
    if not path.is_file():
        raise HeadshotError(f"{path} is not a file; give the path of the downloaded weights")
    out.print(f"{weight_id}: {weight_files.add(weight_id, path)}", markup=False)


def _source(entry: WeightEntry) -> str:
    source = entry.source
    return getattr(source, "package", None) or getattr(source, "url", None) or "your own file"

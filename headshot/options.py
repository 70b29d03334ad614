"""Options that several commands share, with their defaults in one place."""

from pathlib import Path
from typing import Annotated

import typer

from weights.errors import HeadshotError

Data = Annotated[Path, typer.Option(help="Folder of the dataset.", show_default=True)]
RunFolder = Annotated[Path, typer.Option("--run", help="Folder of the run: checkpoint, predictions, scores.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of everything random.")]
ManifestFile = Annotated[Path, typer.Option(help="Manifest (.toml, .csv or .parquet) that lists the clips.")]

DATA = Path("data/demo")
RAW = Path("data/raw")
RUN = Path("runs/demo")
OUT = Path("reports/out/demo")
MANIFEST = Path("manifests/demo.toml")


def numbers(text: str, option: str) -> list[int]:
    """Return the whole numbers of a comma-separated list.

    Raises:
        HeadshotError: An entry is not a positive whole number.
    """
    try:
        found = [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        found = []
    if not found or min(found) < 1:
        raise HeadshotError(f"{option} {text}: give positive whole numbers with commas between, such as 1,8,32")
    return found

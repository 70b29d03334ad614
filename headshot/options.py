"""Options that several commands share, with their defaults in one place."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from weights.errors import HeadshotError

if TYPE_CHECKING:
    from eval.runs.results import Run
    from model.disclosure.statement import Marks
    from pipeline.clusters import Cluster


def folder(text: str) -> Path:
    """Return a folder that a command writes to.

    Raises:
        HeadshotError: It is an address.
    """
    from pipeline.files import is_address

    if is_address(str(text)):
        raise HeadshotError(
            f"{text} is an address, and this command writes there: give a folder on this machine. status, verify, "
            "train, benchmark, report and drive read a dataset (--data) from an address too"
        )
    return Path(text)


Data = Annotated[Path, typer.Option(parser=folder, help="Folder of the dataset.", show_default=True)]
ReadData = Annotated[str, typer.Option(help="Folder of the dataset, or its address, such as s3://bucket/dataset.")]
RunFolder = Annotated[
    Path, typer.Option("--run", parser=folder, help="Folder of the run: checkpoint, predictions, scores.")
]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", parser=folder, help="Folder of a finished run.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of everything random.")]
Shots = Annotated[str, typer.Option(help="Numbers of support frames, such as 1,8,32.")]
Protocol = Annotated[
    str,
    typer.Option(
        help="self: people drive themselves; cross: others drive them; video: people drive themselves in runs of 16 "
        "frames, for metrics over time; zakharov-2019: 50 videos and 32 frames of each, as published."
    ),
]
Pairs = Annotated[
    Path | None, typer.Option(help="CSV file with columns source and driving: who drives whom under cross.")
]
Size = Annotated[int, typer.Option(min=32, help="Side of the frames that are made and scored, in pixels.")]
QueryFrames = Annotated[
    int,
    typer.Option(
        min=8,
        help="Frames to draw for each clip, spread over near, middle and far motion; a multiple of 16 under video.",
    ),
]
Draws = Annotated[
    str,
    typer.Option(
        help="Independent support draws for each clip: 3, or 1:3,8:1 by number of shots; auto: 3 up to 3 shots, else 1."
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="A quick look, labelled as such: so many people, one clip of each, 8 frames of a clip.",
        show_default=False,
    ),
]
Metrics = Annotated[
    str,
    typer.Option(
        "--metrics",
        help="By which metrics: headline, default, all, each of what was measured, or ids with commas between.",
    ),
]
OverStratum = Annotated[
    Literal["near", "middle", "far"] | None,
    typer.Option("--stratum", help="Over the frames that are so far from the source alone.", show_default="all frames"),
]
Without = Annotated[
    str,
    typer.Option(
        help="Marks of synthetic media to leave out, with commas between: label, source-type, credentials, watermark. "
        "It is recorded.",
        show_default="none is left out",
    ),
]
ManifestFile = Annotated[Path, typer.Option(help="Manifest (.toml, .csv or .parquet) that lists the clips.")]

Slurm = Annotated[Path | None, typer.Option(help="Let SLURM jobs do the work: settings (YAML).")]
Kubernetes = Annotated[Path | None, typer.Option(help="Let Kubernetes pods do the work: settings (YAML).")]

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


def draws_of(text: str) -> int | dict[int, int] | None:
    """Return the number of draws, the same or by number of shots; None is automatic.

    Raises:
        HeadshotError: It is neither a number, nor pairs, nor `auto`.
    """
    if text == "auto":
        return None
    try:
        if ":" not in text:
            return int(text)
        return {int(shots): int(draws) for shots, draws in (part.split(":") for part in text.split(","))}
    except ValueError:
        raise HeadshotError(f"--draws {text}: give a number, pairs such as 1:3,8:1, or auto") from None


def marks_without(names: str) -> "Marks":
    """Return the marks of synthetic media that are left.

    Raises:
        HeadshotError: One that is named does not exist.
    """
    from model.disclosure.statement import Marks

    return Marks.without(names.split(","))


def one_of(text: str, known: Iterable[str], option: str) -> str:
    """Return a name that is among the known ones.

    Raises:
        HeadshotError: It is not.
    """
    if text not in (names := list(known)):
        raise HeadshotError(f"{option} {text}: choose one of {', '.join(names)}")
    return text


def batch_system(slurm: Path | None, kubernetes: Path | None) -> "Cluster | None":
    """Return the cluster that a settings file describes, None where there is no such file.

    Raises:
        HeadshotError: There are two, or one is broken.
    """
    from pipeline.clusters import read_cluster_config
    from pipeline.kubernetes import KubernetesConfig
    from pipeline.slurm import SlurmConfig

    if slurm and kubernetes:
        raise HeadshotError("--slurm and --kubernetes: give one of them")
    if slurm:
        return read_cluster_config(slurm, SlurmConfig)
    return read_cluster_config(kubernetes, KubernetesConfig) if kubernetes else None


def measured_ids(runs: "Sequence[Run]", metrics: str) -> tuple[str, ...]:
    """Return the ids of metrics that are asked for of several runs: sets hold what any of the runs measured."""
    from eval.specs.profiles import SETS, metric_ids, pick_specs

    if metrics not in SETS:
        return metric_ids(metrics)
    chosen = (pick_specs(run.record.specs, metrics, str(run.folder)) for run in runs)
    return tuple(dict.fromkeys(spec.id for specs in chosen for spec in specs))

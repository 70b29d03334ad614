"""`headshot takedown`: a person leaves a dataset and everything that was made of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headshot.console import err, out, table
from headshot.options import DATA, OUT, RUN, Data
from weights.errors import HeadshotError

if TYPE_CHECKING:
    from pipeline.store import Store
    from pipeline.takedown import Change
    from pipeline.takedown_notes import Takedown
    from pipeline.takedown_videos import Videos
    from pipeline.traces import Scan

MOST_PATHS = 20
"""Videos listed by name."""


def takedown_command(
    identity: Annotated[str, typer.Argument(metavar="IDENTITY", help="The person, as the manifest names them.")],
    data: Data = DATA,
    run: Annotated[
        Path | None,
        typer.Option("--run", help="Folder of the run; runs/ and the name of the dataset's folder if none."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Folder of the report; reports/out/ and the name of the run's folder if none.")
    ] = None,
    videos: Annotated[
        Path | None, typer.Option(help="Folder of the source videos: delete those of the person, after asking.")
    ] = None,
    requests: Annotated[
        list[Path] | None,
        typer.Option(
            "--request", help="Folder of `headshot request`: remove what it asks and the answers, as a whole."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Delete the videos without asking.")] = False,
) -> None:
    """Take a person out of a dataset, its run and its report, and say what could not be reached.

    Shards are written again without the person; those of others keep every byte. In the end every file is searched
    for the bytes of the removed pictures and sound; exit code 1 if some are found. Later runs leave the person out,
    whatever their manifest says. Killed at any moment, the same command goes on where it was.

    Example: [bold]headshot takedown jwp --data data/demo --run runs/demo --report reports/out/demo[/]
    """
    requests = requests or []
    run = run or RUN.with_name(data.resolve().name)
    report = report or OUT.with_name(run.resolve().name)
    _check_same_dataset(data, run)
    _check_requests(requests)
    from eval import takedown as of_run
    from eval.systems.builtin import checkpoint_folders
    from model import takedown as of_checkpoint
    from pipeline import takedown as of_dataset
    from pipeline import takedown_notes, takedown_videos
    from pipeline.traces import scan
    from reports import takedown as of_pages

    checkpoints = checkpoint_folders(run)
    known = of_run.holds(run, identity) or any(of_checkpoint.learned_from(one, identity) for one in checkpoints)
    begun = takedown_notes.begin(data, identity, known=known)
    found = takedown_videos.videos_of(data, begun, videos) if videos else None
    delete = bool(found and found.own and (yes or _agreed(found.own)))
    changes = list(of_dataset.take_out(data, begun))
    changes += of_run.take_out(run, identity, _finished(data))
    learned = {folder: of_checkpoint.take_out(folder, identity) for folder in checkpoints}
    changes += [change for taken in learned.values() for change in taken.changes]
    changes += of_pages.take_out(report, run, data)
    changes += _without_requests(requests)
    if found and delete:
        changes.append(takedown_videos.delete_videos(found))
    _print_changes(identity, changes)
    clips = {folder: taken.clips_learned for folder, taken in learned.items() if taken.clips_learned}
    _print_unreached(begun, clips, _videos_left(begun, found, deleted=delete))
    _print_search(scan([data, run, report, *filter(Path.is_dir, requests)], takedown_notes.traces(data, identity)))
    takedown_notes.finish(data, identity)


def _check_same_dataset(data: Path, run: Path) -> None:
    """Refuse a run of another dataset, whose people may have the same names.

    Raises:
        HeadshotError: The run was made from another one.
    """
    from pipeline.layout import DatasetLayout
    from pipeline.plan import read_plan

    name = read_plan(DatasetLayout(data)).name
    from eval import takedown as of_run  # after the question whether there is a dataset, because torch takes its time
    from eval.systems.builtin import checkpoint_folders
    from model import takedown as of_checkpoint

    for source in (*map(of_checkpoint.made_from, checkpoint_folders(run)), of_run.made_from(run)):
        if source not in (None, name):
            raise HeadshotError(
                f"{run} was made from the dataset {source}, but {data} holds {name}; give the run of this one (--run)"
            )


def _check_requests(folders: Sequence[Path]) -> None:
    """Refuse what is no request, before anything is removed; one that is gone was removed by an earlier call.

    Raises:
        HeadshotError: A folder holds something else.
    """
    from eval.systems.request import is_request

    for folder in folders:
        if folder.exists() and not is_request(folder):
            raise HeadshotError(f"--request {folder}: there is no request.json of `headshot request` in it")


def _without_requests(folders: Sequence[Path]) -> "list[Change]":
    from eval.systems.request import remove_request
    from pipeline.takedown import Change

    files = sum(remove_request(folder) for folder in folders if folder.exists())
    return [Change(what="requests to programs, removed", files=files, rows=0, unit="")] if files else []


def _finished(data: Path) -> "Store | None":
    from pipeline.store import Store

    try:
        return Store.open(data)
    except HeadshotError:
        return None


def _agreed(paths: Sequence[Path]) -> bool:
    for line in _some([str(path) for path in paths]):
        err.print(f"  {line}", markup=False)
    return typer.confirm(f"Delete {len(paths)} videos, for good?", err=True)


def _videos_left(begun: "Takedown", found: "Videos | None", *, deleted: bool) -> list[str]:
    """Return the videos of the person that are still where they were."""
    if found is not None:
        return [*found.others, *(() if deleted else map(str, found.own))]
    sources = (clip.source for clip in begun.clips)
    names = (source.path if source.kind == "file" else f"{source.package}: {source.member}" for source in sources)
    return list(dict.fromkeys(filter(None, names)))


def _print_changes(identity: str, changes: Sequence["Change"]) -> None:
    if not changes:
        out.print(f"takedown of {identity}: there is nothing left to remove")
        return
    rows = table(f"Takedown of {identity}", "what", "files", "removed")
    for change in changes:
        unit = change.unit.removesuffix("s") if change.rows == 1 else change.unit
        rows.add_row(change.what, f"{change.files:,}", f"{change.rows:,} {unit}" if change.rows else "")
    out.print(rows)


def _print_unreached(begun: "Takedown", learned: Mapping[Path, int], videos: Sequence[str]) -> None:
    rows = table("Out of reach", "what", "what to do")
    for checkpoint, count in learned.items():
        clips = f"{count:,} {'clip' if count == 1 else 'clips'} of people who left"
        rows.add_row("the networks", f"they have learned from {clips}: remove {checkpoint} and train again")
    for line in _some(videos):
        rows.add_row("source video", line)
    day = begun.day.isoformat()
    rows.add_row(
        "the manifest", f"mark the clips with withdrawn = {day}, or a new folder would hold {begun.identity} again"
    )
    rows.add_row(
        "the name", "it stays in withdrawn.json, plan.json, records and rejects.parquet, so that nobody is brought back"
    )
    rows.add_row(
        "requests, studies",
        "folders of `headshot request` (give them as --request) and `headshot study` (delete them): they name nobody",
    )
    rows.add_row(
        "what was passed on", "copies of dataset, checkpoint and report, videos by `headshot drive`: ask who has them"
    )
    rows.add_row(
        "what others keep", "backups, snapshots, caches such as that of Hugging Face datasets, other datasets and runs"
    )
    out.print(rows)


def _print_search(searched: "Scan") -> None:
    """Say whether bytes of what was removed were found.

    Raises:
        typer.Exit: They were.
    """
    if searched.found:
        places = "".join(f"\n  {path}" for path in searched.found)
        err.print(
            f"bytes of the removed pictures or sound are still in:{places}\nIs the same video in the dataset under "
            "another name? Take that out too, or delete these files, and run this again",
            markup=False,
        )
        raise typer.Exit(1)
    if searched.files:
        size = f"{searched.files:,} files, {searched.size_bytes / 1e6:,.1f} MB"
        out.print(f"searched {size}: no byte sequence of the removed pictures or sound is left")


def _some(lines: Sequence[str]) -> list[str]:
    more = len(lines) - MOST_PATHS
    return [*lines[:MOST_PATHS], *([f"and {more:,} more"] if more > 0 else [])]

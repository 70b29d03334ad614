"""`headshot manifest from-...`: manifests from folders and from the annotation files of corpora."""

import csv
import functools
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal

import typer

from headshot.console import Bar, err, out, progress_bars
from headshot.manifest import Into, describe, missing_clips
from manifests.corpus import Gathered, Problem, Terms, gather
from manifests.schema import Clip, Manifest
from manifests.videos import VideoFacts, Videos
from weights.errors import HeadshotError
from weights.files import publish

app = typer.Typer()
PROBLEM_COLUMNS = ("where", "reason", "detail")

Root = Annotated[Path, typer.Argument(metavar="ROOT", help="Folder of the annotation files, or the one file.")]
VideoFolder = Annotated[
    Path | None, typer.Option("--videos", help="Folder of the videos, at any depth; paths start from it.")
]
Licence = Annotated[str, typer.Option(help="Licence of all clips.")]
Consent = Annotated[str, typer.Option(help="On what basis the people agreed to this use.")]
Credit = Annotated[str, typer.Option(help="Whom to name.")]
Name = Annotated[str, typer.Option(help="Name of the manifest.")]
IgnoreSplits = Annotated[bool, typer.Option("--ignore-splits", help="Put everybody into train.")]


@app.command(name="from-voxceleb")
def from_voxceleb(
    root: Root,
    to: Into,
    version: Annotated[int, typer.Option(min=1, max=2, help="VoxCeleb 1 or 2.")],
    videos: VideoFolder = None,
    licence: Licence = "",
    consent: Consent = "",
    credit: Credit = "",
    name: Name = "voxceleb",
    ignore_splits: IgnoreSplits = False,
) -> None:
    """From VoxCeleb's txt trees, for whole videos or for the cut utterances of the official download.

    Example: [bold]headshot manifest from-voxceleb vox2/txt --version 2 --videos vox2/mp4 --out vox2.parquet[/]
    """
    from manifests.voxceleb import read_voxceleb

    which: Literal[1, 2] = 1 if version == 1 else 2
    entries = read_voxceleb(root, which, _videos(videos), _terms(licence, consent, credit))
    _save(entries, to, f"VoxCeleb{version}", name, videos, ignore_splits)


@app.command(name="from-hdtf")
def from_hdtf(
    root: Root,
    to: Into,
    videos: VideoFolder = None,
    licence: Licence = "",
    consent: Consent = "",
    credit: Credit = "",
    name: Name = "hdtf",
) -> None:
    """From HDTF's text files of addresses, times, windows and resolutions.

    Example: [bold]headshot manifest from-hdtf HDTF_dataset --videos hdtf/_videos_raw --out hdtf.csv[/]
    """
    from manifests.hdtf import read_hdtf

    _save(read_hdtf(root, _videos(videos), _terms(licence, consent, credit)), to, "HDTF", name, videos)


@app.command(name="from-celebvhq")
def from_celebvhq(
    root: Root,
    to: Into,
    videos: VideoFolder = None,
    licence: Licence = "",
    consent: Consent = "",
    credit: Credit = "",
    name: Name = "celebv-hq",
) -> None:
    """From CelebV-HQ's JSON.

    Example: [bold]headshot manifest from-celebvhq celebvhq_info.json --videos raw --out celebvhq.parquet[/]
    """
    from manifests.celebvhq import read_celebvhq

    _save(read_celebvhq(root, _videos(videos), _terms(licence, consent, credit)), to, "CelebV-HQ", name, videos)


@app.command(name="from-talkinghead1kh")
def from_talkinghead1kh(
    root: Root,
    to: Into,
    videos: VideoFolder = None,
    licence: Licence = "",
    consent: Consent = "",
    credit: Credit = "",
    name: Name = "talkinghead-1kh",
    ignore_splits: IgnoreSplits = False,
) -> None:
    """From TalkingHead-1KH's lists of tubes.

    Example: [bold]headshot manifest from-talkinghead1kh data_list --videos train/1min_clips --out th1kh.parquet[/]
    """
    from manifests.talkinghead1kh import read_talkinghead1kh

    entries = read_talkinghead1kh(root, _videos(videos), _terms(licence, consent, credit))
    _save(entries, to, "TalkingHead-1KH", name, videos, ignore_splits)


@app.command(name="from-vfhq")
def from_vfhq(
    root: Root,
    to: Into,
    videos: VideoFolder = None,
    licence: Licence = "",
    consent: Consent = "",
    credit: Credit = "",
    name: Name = "vfhq",
    ignore_splits: IgnoreSplits = False,
) -> None:
    """From VFHQ's text files, one for each clip.

    Example: [bold]headshot manifest from-vfhq meta_info --videos download_youtube --out vfhq.parquet[/]
    """
    from manifests.vfhq import read_vfhq

    _save(read_vfhq(root, _videos(videos), _terms(licence, consent, credit)), to, "VFHQ", name, videos, ignore_splits)


@app.command(name="from-fomm")
def from_fomm(
    root: Root,
    to: Into,
    videos: VideoFolder = None,
    licence: Licence = "",
    consent: Consent = "",
    credit: Credit = "",
    name: Name = "vox-fomm",
    ignore_splits: IgnoreSplits = False,
) -> None:
    """From vox-metadata.csv of first-order-model, or another table of its preprocessing.

    Example: [bold]headshot manifest from-fomm vox-metadata.csv --videos videos --out vox.parquet[/]
    """
    from manifests.fomm import read_fomm

    entries = read_fomm(root, _videos(videos), _terms(licence, consent, credit))
    _save(entries, to, "First-order-model's clips", name, videos, ignore_splits)


@app.command(name="from-folder")
def from_folder(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="Folder that holds a folder for each person.")],
    to: Into,
    licence: Licence = "",
    consent: Consent = "",
    credit: Credit = "",
    name: Name = "clips",
) -> None:
    """From a folder tree: <identity>/<clip>.mp4, or <identity>/<video>/<clip>.mp4.

    Example: [bold]headshot manifest from-folder webcam --out webcam.toml --consent "asked and agreed"[/]
    """
    from manifests.folder import read_folder

    _save(read_folder(root, _terms(licence, consent, credit)), to, "Own clips", name, root)


def _terms(licence: str, consent: str, credit: str) -> Terms:
    return Terms(licence=licence, consent=consent, credit=credit)


def _videos(folder: Path | None) -> Videos:
    with err.status("looking for videos"):
        return Videos(folder, _facts)


@functools.cache
def _facts(path: Path) -> VideoFacts | None:
    from pipeline.verdicts import ClipRejectedError
    from pipeline.video import probe

    try:
        info = probe(path)
    except ClipRejectedError:  # preprocessing says why
        return None
    return VideoFacts(aspect=info.width_px / info.height_px, fps=None if math.isnan(info.fps) else info.fps)


def _save(
    entries: Iterable[Clip | Problem],
    to: Path,
    title: str,
    name: str,
    videos: Path | None,
    ignore_splits: bool = False,
) -> None:
    """Gather what a reader yields, write it, and say what became of it."""
    from manifests.writers import check_target, write_manifest

    check_target(to)
    problems = _problems_beside(to)
    with progress_bars() as bars:
        counted = _counted(entries, Bar(bars, "reading"))
        gathered = gather(counted, name=name, title=title, ignore_splits=ignore_splits)
    with err.status("writing"):
        write_manifest(gathered.manifest, to)
    out.print(f"{to}: {describe(gathered.manifest)}", markup=False)
    _say_what_lacks(gathered.manifest, videos)
    _list_problems(gathered, problems)


def _counted(entries: Iterable[Clip | Problem], bar: Bar) -> Iterator[Clip | Problem]:
    for count, entry in enumerate(entries, start=1):
        if count % 500 == 0:
            bar.show(count, None, "entries")
        yield entry


def _say_what_lacks(manifest: Manifest, videos: Path | None) -> None:
    if videos is None:
        err.print("no --videos: paths are what the corpus' own tools would make; nobody looked whether they are there")
    else:
        missing = len(missing_clips(manifest, videos))
        if missing:
            err.print(
                f"{missing} clips have no video in {videos}: preprocess will reject them as missing_source",
                markup=False,
            )
    boxes = sum(clip.face_box is None for clip in manifest.clips)
    if boxes:
        err.print(f"{boxes} clips have no face_box: who is meant has to be clear from the picture")


def _problems_beside(manifest: Path) -> Path:
    """Return where the entries that are no clips are listed.

    Raises:
        HeadshotError: Something else lies there.
    """
    path = manifest.with_suffix(".problems.csv")
    if path.exists() and not (path.is_file() and path.read_bytes().startswith(",".join(PROBLEM_COLUMNS).encode())):
        raise HeadshotError(
            f"{path} is where problems are listed, and holds something else that is not overwritten; give another "
            "--out, or move it"
        )
    return path


def _list_problems(gathered: Gathered, path: Path) -> None:
    path.unlink(missing_ok=True)  # of an earlier run
    if gathered.problems:
        counts = ", ".join(f"{count} x {reason}" for reason, count in gathered.problems_by_reason.items())
        _write_problems(gathered.problems, path)
        err.print(
            f"{len(gathered.problems)} entries were left out: {counts}; each with its reason in {path}", markup=False
        )


def _write_problems(problems: Iterable[Problem], path: Path) -> None:
    with publish(path) as temporary, temporary.open("w", encoding="utf-8", newline="", errors="replace") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(PROBLEM_COLUMNS)
        writer.writerows((problem.where, str(problem.reason), problem.detail) for problem in problems)

"""`headshot preprocess`, `status`, `verify` and `statistics`: raw video to shards, and what they hold."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headshot.console import Bar, err, out, progress_bars, table
from headshot.options import DATA, MANIFEST, RAW, Data, Kubernetes, ManifestFile, ReadData, Slurm, batch_system
from pipeline.config import Backend, CropMode, DetectorName
from weights.errors import HeadshotError

if TYPE_CHECKING:
    from pipeline.verdicts import RejectReason


def preprocess_command(
    manifest: ManifestFile = MANIFEST,
    videos: Annotated[Path, typer.Option(help="Folder of the videos of package clips.")] = RAW,
    data: Data = DATA,
    size: Annotated[int, typer.Option(min=32, max=2048, help="Side of the stored square crop, in pixels.")] = 256,
    backend: Annotated[
        Backend, typer.Option(help="Where landmarks come from: mesh468, fan, dlib or none.")
    ] = "mesh468",
    detector: Annotated[
        DetectorName, typer.Option(help="What searches pictures for faces: blazeface or scrfd.")
    ] = "blazeface",
    crop: Annotated[CropMode, typer.Option(help="How the head is framed: tube, smooth or ffhq.")] = "tube",
    gaze: Annotated[bool, typer.Option("--gaze", help="Find irises and the direction of gaze too.")] = False,
    identity_every: Annotated[int, typer.Option(min=0, help="Compare identity every so many frames; 0: never.")] = 0,
    audio: Annotated[bool, typer.Option("--audio", help="Keep the sound of each clip beside its shard.")] = False,
    recognise: Annotated[
        bool, typer.Option("--recognise/--no-recognise", help="Compare faces where place cannot tell who is who.")
    ] = True,
    reject_pictures: Annotated[
        bool, typer.Option("--reject-pictures/--no-reject-pictures", help="Keep a small picture of rejected clips.")
    ] = True,
    workers: Annotated[int, typer.Option(min=0, help="Worker processes; 0 takes all cores.")] = 0,
    slurm: Slurm = None,
    kubernetes: Kubernetes = None,
    part: Annotated[str, typer.Option(help="Make one part of the shards only, such as 3/8, beside other runs.")] = "",
    retry: Annotated[str, typer.Option(help="Try clips again that were rejected for these reasons (commas).")] = "",
    clip_timeout: Annotated[float, typer.Option(min=1, help="Seconds a clip may take.")] = 1800,
    clip_memory: Annotated[int, typer.Option(min=64, help="Memory a clip may take, in MiB.")] = 4096,
    replace: Annotated[bool, typer.Option("--replace", help="Throw away a dataset made by another plan.")] = False,
    consent: Annotated[
        bool, typer.Option("--require-consent", help="Refuse clips that do not state a basis of consent.")
    ] = False,
) -> None:
    """Turn raw video into Parquet shards of face crops and landmarks.

    Runs on all cores, on the Dask scheduler that DASK_SCHEDULER_ADDRESS names, or on a cluster (see docs/cluster.md).
    Killed at any moment, the same command goes on where it was and ends with the same bytes. A page with
    faces and distributions, `statistics.html`, is written beside the dataset card.

    Example: [bold]headshot preprocess --manifest manifests/demo.toml --data data/demo[/]
    """
    from manifests.checks import require_consent
    from manifests.readers import read_manifest
    from pipeline.config import PipelineConfig
    from pipeline.layout import DatasetLayout
    from pipeline.parts import Part
    from pipeline.preprocess import preprocess
    from pipeline.progress import Progress

    clips = read_manifest(manifest)
    if consent:
        require_consent(clips)
    with progress_bars() as bars:
        bar = Bar(bars, "preprocessing")

        def show(progress: Progress, /) -> None:
            note = f"frames, {progress.clips}/{progress.clips_total} clips, {progress.rejected} rejected"
            bar.show(progress.frames, progress.frames_expected, note)

        report = preprocess(
            clips,
            videos,
            data,
            PipelineConfig(
                size_px=size,
                backend=backend,
                detector=detector,
                crop_mode=crop,
                gaze=gaze,
                identity_every=identity_every,
                audio=audio,
                recognise=recognise,
                reject_pictures=reject_pictures,
                clip_timeout_s=clip_timeout,
                clip_memory_mib=clip_memory,
            ),
            workers=workers or None,
            cluster=batch_system(slurm, kubernetes),
            part=Part.parse(part) if part else None,
            retry=_reasons(retry),
            replace=replace,
            progress=show,
            announce=lambda text: err.print(text, markup=False),
        )
    out.print(
        f"{data}: {report.shards_made} shards made, {report.shards_reused} reused"
        + (f", {len(report.quarantined)} tried again clip by clip" if report.quarantined else "")
    )
    _print_status(data)
    if report.info is None:
        out.print("other parts are still to be made; the last one to end, or the same command without --part, finishes")
        return
    if not DatasetLayout(data).statistics.is_file():
        from reports.dataset_page import build_dataset_page

        build_dataset_page(data)
    out.print(f"faces and distributions: {DatasetLayout(data).statistics}")


def _reasons(text: str) -> "set[RejectReason]":
    from pipeline.verdicts import RejectReason

    names = {name.strip() for name in text.split(",") if name.strip()}
    unknown = sorted(names - set(RejectReason))
    if unknown:
        raise HeadshotError(f"--retry {text}: {', '.join(unknown)} is no reason; there are {', '.join(RejectReason)}")
    return {RejectReason(name) for name in names}


def status_command(data: ReadData = str(DATA)) -> None:
    """Say how much of a dataset is done, what was rejected and why.

    Example: [bold]headshot status --data data/demo[/]
    """
    _print_status(data)


def verify_command(data: ReadData = str(DATA)) -> None:
    """Read every shard again: hashes, image positions, row counts. Exit code 1 if one is damaged.

    Example: [bold]headshot verify --data data/demo[/]
    """
    from pipeline.status import verify

    faults = verify(data)
    for fault in faults:
        out.print(f"{fault.shard}: {fault.detail}", markup=False)
    if faults:
        err.print(
            f"{len(faults)} shards are missing or damaged; delete the damaged ones and run `headshot preprocess` again"
        )
        raise typer.Exit(1)
    out.print(f"{data}: every shard is what its record says")


def statistics_command(data: Data = DATA) -> None:
    """Write the page with faces, poses, distributions, rejects and licences of a dataset again.

    `headshot preprocess` writes it when the dataset is finished. It reads the index and a bounded sample of frames, so
    it takes seconds at any size.

    Example: [bold]headshot statistics --data data/demo[/]
    """
    from reports.dataset_page import build_dataset_page

    out.print(f"statistics: {build_dataset_page(data)}")


def _print_status(data: Path | str) -> None:
    from pipeline.status import status
    from pipeline.store import Store

    now = status(data)
    rows = table(f"Dataset {now.name}", "", "")
    rows.add_row("shards", f"{now.shards_done} of {now.shards}")
    rows.add_row("clips", f"{now.clips_in_shards} of {now.clips}, {now.clips_pending} to do")
    rows.add_row("frames", f"{now.frames}, {now.usable_frames} with a face")
    for reason, count in now.rejects_by_reason.items():
        rows.add_row("rejected", f"{count} x {reason}")
    if now.sound is not None:
        rows.add_row("sound", f"{now.sound.clips} of {now.clips_in_shards} clips, {now.sound.seconds / 60:.1f} minutes")
        for flaw, count in now.sound.flaws.items():
            rows.add_row("sound missing or cut", f"{count} x {flaw}")
    out.print(rows)
    if now.finished:
        for reject in Store.open(data).rejects:
            out.print(f"  {reject.key}: {reject.reason}: {reject.detail}", markup=False)

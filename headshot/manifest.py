"""`headshot manifest`: check, divide, count and convert lists of clips."""

from pathlib import Path
from typing import Annotated

import typer

from headshot.console import Bar, err, out, progress_bars, table
from headshot.options import RAW
from manifests.schema import Manifest, Split
from weights.errors import HeadshotError

app = typer.Typer(help="Lists of clips: from corpora and folders, checked, divided, counted.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(metavar="MANIFEST", help="A .toml, .csv or .parquet file.")]
Into = Annotated[
    Path, typer.Option("--out", help="Manifest to write: .parquet, .csv or .toml; replaces no other file.")
]
Videos = Annotated[Path, typer.Option(help="Folder the paths of the videos start from.")]


@app.command()
def validate(
    file: File,
    videos: Videos = RAW,
    consent: Annotated[
        bool, typer.Option("--require-consent", help="Refuse clips that do not state a basis of consent.")
    ] = False,
) -> None:
    """Check fields, names, keys and splits of a manifest, and say what its clips lack.

    Broken rules and refused consent end with exit code 2. What is only lacking (a video, a licence, consent, an
    address, a face box) is counted.

    Example: [bold]headshot manifest validate manifests/demo.toml --videos data/raw[/]
    """
    from manifests.checks import lacks, require_consent

    manifest = _read(file)
    found = lacks(manifest, missing_clips(manifest, videos))
    out.print(f"{file}: all rules are obeyed; {describe(manifest)}")
    for lack in found:
        err.print(f"{lack.clips} clips have {lack.what}, such as {lack.first}", markup=False)
    if consent:
        require_consent(manifest)


@app.command()
def split(
    file: File,
    to: Into,
    val: Annotated[float, typer.Option(min=0, max=1, help="Share of the people for val.")] = 0.0,
    test: Annotated[float, typer.Option(min=0, max=1, help="Share of the people for test.")] = 0.1,
    seed: Annotated[int, typer.Option(min=0, help="Another seed divides otherwise.")] = 0,
    balance: Annotated[
        list[str] | None,
        typer.Option(help="Attribute to balance; several times for several. All with up to 8 values if none."),
    ] = None,
    keep: Annotated[
        list[str] | None, typer.Option(help="Split whose people stay in it: train, val or test; several times.")
    ] = None,
) -> None:
    """Divide the people of a manifest into train, val and test, nobody in two of them.

    By a hash of seed and name: the same people come out the same way in any order, and who is added later moves hardly
    anybody. Each split gets its share of every value of the attributes it is balanced by.

    Example: [bold]headshot manifest split all.parquet --out divided.parquet --val 0.05 --test 0.1 --seed 1[/]
    """
    from manifests.splits import SplitRule, attributes_to_balance, split_manifest
    from manifests.writers import check_target, write_manifest

    check_target(to, file)
    manifest = _read(file)
    by = attributes_to_balance(manifest) if balance is None else tuple(balance)
    rule = SplitRule(val=val, test=test, seed=seed, balance=by, keep=frozenset(_split(name) for name in keep or ()))
    with err.status("dividing"):
        divided = split_manifest(manifest, rule)
        write_manifest(divided, to)
    out.print(f"{to}: {describe(divided)}, balanced by {', '.join(by) or 'nothing'}")
    _print_splits(divided, frozenset())


@app.command()
def stats(file: File, videos: Videos = RAW) -> None:
    """Count people, clips and hours in each split, missing videos, and clips by licence and consent.

    Example: [bold]headshot manifest stats manifests/demo.toml[/]
    """
    from manifests.summary import summarise

    manifest = _read(file)
    missing = missing_clips(manifest, videos)
    _print_splits(manifest, missing)
    summary = summarise(manifest, missing)
    for title, counts in (("licence", summary.licences), ("consent", summary.consents)):
        rows = table("", "clips", title)
        for text, clips in list(counts.items())[:20]:
            rows.add_row(str(clips), text or "not stated")
        if len(counts) > 20:
            rows.add_row(str(sum(list(counts.values())[20:])), f"{len(counts) - 20} others")
        out.print(rows, markup=False)
    if summary.attributes:
        values = (f"{name} ({count} values)" for name, count in summary.attributes.items())
        out.print(f"attributes: {', '.join(values)}")


@app.command()
def convert(file: File, to: Into) -> None:
    """Write a manifest in another format; its clips and its hash stay the same.

    Example: [bold]headshot manifest convert clips.csv --out clips.parquet[/]
    """
    from manifests.writers import check_target, write_manifest

    check_target(to, file)
    manifest = _read(file)
    with err.status("writing"):
        write_manifest(manifest, to)
    out.print(f"{to}: {describe(manifest)}")


@app.command()
def merge(
    files: Annotated[list[Path], typer.Argument(metavar="MANIFEST...", help="Two or more manifests.")],
    to: Into,
    videos: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder the videos' paths start from, once a manifest in their order; paths become absolute."
        ),
    ] = None,
    move: Annotated[
        list[str] | None, typer.Option(help="PERSON=SPLIT, such as ann=test: put somebody into a split; several times.")
    ] = None,
    same_people: Annotated[
        bool, typer.Option("--same-people", help="A name in two manifests is one person, instead of a clash.")
    ] = False,
    title: Annotated[str, typer.Option(help="Title of the merged manifest; the titles of all if none.")] = "",
) -> None:
    """Make one manifest of several, nobody twice and nobody in two splits.

    Clips or people that are in more than one are refused. The merged manifest is named after its file.

    Example: [bold]headshot manifest merge manifests/demo.toml webcam.toml --out both.toml --move ann=test[/]
    """
    from manifests.merge import Part
    from manifests.merge import merge as merged_of
    from manifests.names import safe_name
    from manifests.writers import check_target, write_manifest

    if len(files) < 2:
        raise HeadshotError(f"{files[0]} alone is nothing to merge; give two or more manifests")
    if videos and len(videos) != len(files):
        raise HeadshotError(
            f"{len(files)} manifests and {len(videos)} --videos: give one folder for each manifest, in their order, or "
            "none"
        )
    for file in files:
        check_target(to, file)
    folders: list[Path | None] = [*videos] if videos else [None] * len(files)
    parts = [Part(manifest=_read(file), videos=folder) for file, folder in zip(files, folders, strict=True)]
    merged = merged_of(
        parts,
        name=safe_name(to.stem),
        title=title or " + ".join(part.manifest.title for part in parts),
        move=dict(_assignment(text) for text in move or ()),
        same_people=same_people,
    )
    write_manifest(merged, to)
    out.print(f"{to}: {describe(merged)}", markup=False)
    _print_splits(merged, frozenset())


def describe(manifest: Manifest) -> str:
    """Return a manifest in one line, with its hash."""
    people = len({clip.identity for clip in manifest.clips})
    with err.status("hashing"):
        digest = manifest.sha256()
    return f"{len(manifest.clips)} clips of {people} people; sha256 {digest}"


def _read(file: Path) -> Manifest:
    from manifests.readers import read_manifest

    with err.status(f"reading {file}"):
        return read_manifest(file)


def missing_clips(manifest: Manifest, videos: Path) -> frozenset[str]:
    """Return the keys of the clips whose video is not there, with a bar while that is looked up."""
    from manifests.checks import missing_videos

    with progress_bars() as bars:
        return missing_videos(manifest, videos, Bar(bars, "looking for videos").show)


def _split(name: str, option: str = "--keep") -> Split:
    if name not in ("train", "val", "test"):
        raise HeadshotError(f"{option} {name}: choose train, val or test")
    return name  # type: ignore[return-value]


def _assignment(text: str) -> tuple[str, Split]:
    person, _, name = text.rpartition("=")
    if not person:
        raise HeadshotError(f"--move {text}: give PERSON=SPLIT, such as ann=test")
    return person, _split(name, f"--move {person}=")


def _print_splits(manifest: Manifest, missing: frozenset[str]) -> None:
    from manifests.summary import summarise

    rows = table(f"Manifest {manifest.name}", "split", "people", "clips", "hours", "no video", "withdrawn")
    for part in summarise(manifest, missing).splits:
        hours = f"{part.hours:.1f}" + (f" and {part.open_ended} whole videos" if part.open_ended else "")
        rows.add_row(part.split, str(part.identities), str(part.clips), hours, str(part.missing), str(part.withdrawn))
    out.print(rows)

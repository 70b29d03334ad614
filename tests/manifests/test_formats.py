"""A manifest is the same in TOML, CSV and Parquet."""

import csv
import gc
import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests.readers import DEMO, read_manifest
from manifests.rows import COLUMNS
from manifests.schema import Clip, FileSource, Manifest, PackageSource
from manifests.writers import write_manifest
from weights.errors import HeadshotError

FORMATS = [".toml", ".csv", ".parquet"]
PACKAGE = PackageSource(
    provider="npm", package="@a/b@1.0.0", archive_sha256="0" * 64, member="package/é x.mp4", sha256="1" * 64
)
DEMO_SHA256 = "0cc7223df4508fa56f3a43303ea3ffde5f205284aa0562523cc07fbc088917c1"


def clip(identity: str, **fields: Any) -> Clip:
    given = {"source": FileSource(path=f"{identity}.mp4"), "split": "train", "licence": "", "consent": "", **fields}
    return Clip(identity=identity, video="v", clip="c", **given)


def everything() -> Manifest:
    """Return clips in which every field is set somewhere and unset elsewhere, to values that are hard to write."""
    nasty = 'a "quote", a comma,\ttab\r\nnew line, # hash, \\ backslash, é, \U0001f3ac, \u2028, \x85 and \x7f'
    return Manifest(
        name="all",
        title=nasty,
        description=f"two\nlines\n# {nasty}",
        clips=(
            clip("plain"),
            clip("box", face_box=(0.0, 1 / 3, 0.7, 1.0), start_s=1e-05, end_s=1234567.1 / 3, split="test"),
            clip(
                "terms", licence=nasty, consent=" blanks ", credit="# no comment", source_url="https://example.org/?a=1"
            ),
            clip("package", source=PACKAGE, withdrawn=date(2025, 6, 30)),
            clip("file", source=FileSource(path="-a/#b c.mp4", sha256="2" * 64), split="val"),
            clip("attributes", attributes={"gender": "f", "note": nasty}),
            clip("others", attributes={"age": "30"}),
        ),
    )


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("manifest", [everything(), read_manifest(DEMO)], ids=["everything", "demo"])
def test_what_is_written_reads_back_equal(manifest: Manifest, suffix: str, tmp_path: Path) -> None:
    write_manifest(manifest, tmp_path / f"m{suffix}")
    found = read_manifest(tmp_path / f"m{suffix}")

    assert found == manifest
    assert found.sha256() == manifest.sha256()
    assert [path.name for path in tmp_path.iterdir()] == [f"m{suffix}"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_empty_manifest_reads_back(suffix: str, tmp_path: Path) -> None:
    empty = Manifest(name="none", title="Nobody", clips=())

    write_manifest(empty, tmp_path / f"m{suffix}")

    assert read_manifest(tmp_path / f"m{suffix}") == empty


def test_hashes_of_manifests_from_before_there_were_attributes_hold() -> None:
    assert read_manifest(DEMO).sha256() == DEMO_SHA256
    assert "attributes" not in clip("plain").model_dump()
    assert "attributes" not in json.loads(clip("plain").model_dump_json())


def test_the_hash_is_that_of_the_canonical_json_of_clips_sorted_by_key() -> None:
    manifest = everything()
    content = manifest.model_dump(mode="json")
    content["clips"].sort(key=lambda entry: f"{entry['identity']}/{entry['video']}/{entry['clip']}")
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))

    assert manifest.sha256() == hashlib.sha256(text.encode()).hexdigest()


def test_a_table_without_a_header_is_named_after_its_file(tmp_path: Path) -> None:
    path = tmp_path / "my office.csv"
    path.write_text("identity,video,clip,split,path,licence,consent\nann,v,c,train,ann.mp4,,\n")

    manifest = read_manifest(path)

    assert (manifest.name, manifest.title) == ("x.my.20office", "my office")
    assert manifest.clips == (
        Clip(
            identity="ann",
            video="v",
            clip="c",
            source=FileSource(path="ann.mp4"),
            split="train",
            licence="",
            consent="",
        ),
    )


def test_a_table_that_polars_wrote_is_read(tmp_path: Path) -> None:
    rows = {
        "identity": ["ann", "bob"],
        "video": "v",
        "clip": "c",
        "split": ["train", "test"],
        "path": ["a.mp4", "b.mp4"],
    }
    frame = pl.DataFrame(rows).with_columns(
        pl.lit("CC0").cast(pl.Categorical).alias("licence"),
        pl.lit(None).cast(pl.String).alias("consent"),
        pl.lit(2).alias("start_s"),
        pl.Series("attributes.gender", ["f", None]),
    )
    frame.write_parquet(tmp_path / "mine.parquet")

    ann, bob = read_manifest(tmp_path / "mine.parquet").clips

    assert (ann.licence, ann.consent, ann.start_s, ann.attributes) == ("CC0", "", 2.0, {"gender": "f"})
    assert (bob.split, bob.attributes) == ("test", {})


def test_what_is_written_opens_as_a_table(tmp_path: Path) -> None:
    write_manifest(everything(), tmp_path / "m.parquet")
    write_manifest(everything(), tmp_path / "m.csv")

    table = pq.read_table(tmp_path / "m.parquet")
    with (tmp_path / "m.csv").open(newline="") as file:
        lines = [line for line in file if not line.startswith("# ")]
    cells = list(csv.DictReader(lines))

    names = [*COLUMNS, "attributes.age", "attributes.gender", "attributes.note"]
    assert table.column_names == names == list(cells[0])
    assert table["withdrawn"].to_pylist()[3] == date(2025, 6, 30)
    assert cells[3]["withdrawn"] == "2025-06-30"
    assert cells[0]["end_s"] == ""


HEADER = "identity,video,clip,split,path,licence,consent"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            f"{HEADER}\nann,v,c,dev,a.mp4,,\n",
            "clip ann/v/c, split: Input should be 'train', 'val' or 'test' (found 'dev')",
        ),
        (f"{HEADER}\nann,v,c,train,,,\n", "clip ann/v/c, source, file, path: Field required"),
        (f"{HEADER}\n,v,c,train,a.mp4,,\n", "clip number 1, identity: Field required"),
        (f"{HEADER},start_s\nann,v,c,train,a.mp4,,,soon\n", "start_s: Input should be a valid number"),
        (f"{HEADER},face_x0\nann,v,c,train,a.mp4,,,0.5\n", "face_box, 1: Input should be a valid number"),
        (f"{HEADER}\nann,v,c,train,a.mp4,\n", "a row has 6 cells instead of 7"),
        (f"{HEADER}\nann,v,c,train,a.mp4,,\n" * 2, "clip identity/video/clip, split"),
        (f"{HEADER}\n" + "ann,v,c,train,a.mp4,,\n" * 2, "clip ann/v/c is listed twice"),
        (f"{HEADER}\nann,v,c,train,a.mp4,,\nann,v,d,test,a.mp4,,\n", "identity ann is in the splits train and test"),
        (f"{HEADER},colour\nann,v,c,train,a.mp4,,,red\n", "unknown: colour"),
        (f"{HEADER},path\nann,v,c,train,a.mp4,,,\n", "each once"),
        (HEADER.replace(",consent", ""), "missing columns: consent"),
        (f"{HEADER},package\nann,v,c,train,a.mp4,,,p==1\n", "source, package, path: Extra inputs are not permitted"),
        (f'{HEADER}\n"ann,v,c,train,a.mp4,,\n', "is not valid CSV"),
        (f"# name = mine\n{HEADER}\n", "the lines with # at the top are not TOML"),
        (f"# colour = 3\n{HEADER}\n", "colour: Extra inputs are not permitted"),
        ("", "missing columns: identity"),
    ],
)
def test_what_breaks_a_rule_in_a_table_is_named(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(text)

    with pytest.raises(HeadshotError) as caught:
        read_manifest(tmp_path / "m.csv")
    assert said in str(caught.value)
    assert "m.csv" in str(caught.value)


def test_a_mistake_far_down_a_long_table_is_counted_from_its_start(tmp_path: Path) -> None:
    rows = "".join(f"p{number},v,c,train,a.mp4,,\n" for number in range(9000))
    (tmp_path / "m.csv").write_text(f"{HEADER}\n{rows},v,c,train,a.mp4,,\n")

    with pytest.raises(HeadshotError, match="clip number 9001, identity"):
        read_manifest(tmp_path / "m.csv")


@pytest.mark.parametrize("content", [b"", b"PAR1 and then nothing", b"identity,video\n"])
def test_a_broken_parquet_file_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.parquet").write_bytes(content)

    with pytest.raises(HeadshotError, match=r"m\.parquet is not a Parquet file of clips"):
        read_manifest(tmp_path / "m.parquet")


def test_a_parquet_file_of_other_things_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "m.parquet")

    with pytest.raises(HeadshotError, match=r"m\.parquet: missing columns: identity.*unknown: a"):
        read_manifest(tmp_path / "m.parquet")


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_missing_manifest_or_a_folder_is_refused(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"folder{suffix}").mkdir()

    for name in ("absent", "folder"):
        with pytest.raises(HeadshotError, match="there is no such manifest"):
            read_manifest(tmp_path / f"{name}{suffix}")


def test_no_manifest_is_written_in_an_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(HeadshotError, match=r"m\.xlsx: manifests are written to \.toml, \.csv, \.parquet files"):
        write_manifest(everything(), tmp_path / "m.xlsx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "fields",
    [
        {"face_box": (100, 50, 300, 250)},
        {"face_box": (0.5, 0.1, 0.5, 0.9)},
        {"face_box": (0.1, float("nan"), 0.5, 0.9)},
        {"end_s": float("nan")},
        {"end_s": float("inf")},
        {"start_s": float("nan")},
        {"attributes": {"Gender": "f"}},
        {"attributes": {"gender": ""}},
    ],
)
def test_values_that_mean_nothing_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"face_box|end_s|start_s|attributes"):
        clip("ann", **fields)


def test_the_garbage_collector_works_again_once_a_manifest_is_read_or_refused(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("identity\n")

    read_manifest(DEMO)
    assert gc.isenabled()
    with pytest.raises(HeadshotError):
        read_manifest(tmp_path / "m.csv")
    assert gc.isenabled()

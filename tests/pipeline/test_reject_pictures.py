"""What is left out is shown: one small picture of the frame that says why; faces are discs."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

from manifests.schema import Manifest
from pipeline import follow
from pipeline.images import decode
from pipeline.layout import DatasetLayout
from pipeline.picture_shard import read_pictures, without_header
from pipeline.reject_picture import ASKED, FOUND, draw, telling_row
from pipeline.status import verify
from pipeline.store import Store
from pipeline.takedown import take_out
from pipeline.takedown_notes import begin, finish, traces
from pipeline.traces import scan
from pipeline.track import Track
from pipeline.verdicts import RejectReason
from tests.pipeline.conftest import (
    SMALL,
    DiscBackend,
    clip_of,
    disc_frames,
    discs_for_faces,
    encode_video,
    manifest_of,
    run,
)
from tests.pipeline.takedowns import hashes
from weights.errors import HeadshotError

pytestmark = pytest.mark.usefixtures("discs_are_faces")

TOGETHER = SMALL.model_copy(update={"min_shards": 1})
OFF = TOGETHER.model_copy(update={"reject_pictures": False})
PAIR = [(60, 60, 22), (140, 60, 22)]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """A good clip, and one for each way to be left out."""
    folder = tmp_path_factory.mktemp("films")
    (folder / "text.mp4").write_text("not a video " * 100)
    films = {
        "good": disc_frames(40),
        "pair": disc_frames(12) + disc_frames(48, PAIR)[12:],
        "nobody": disc_frames(40, []),
        "tiny": [np.flipud(frame) for frame in disc_frames(40, [(60, 60, 10)])],  # at a place of their own
        "glimpse": disc_frames(4) + disc_frames(40, []) + disc_frames(4),
        "short": disc_frames(5),
    }
    paths = [encode_video(folder / f"{name}.mp4", frames) for name, frames in films.items()]
    elsewhere = clip_of(folder / "pair.mp4", identity="elsewhere", face_box=(0.8, 0.8, 0.95, 0.95))
    gone = clip_of(folder / "pair.mp4", identity="gone", withdrawn="2024-05-01")
    return manifest_of(*paths, folder / "text.mp4", folder / "absent.mp4", elsewhere, gone)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory, manifest: Manifest) -> Path:
    """A dataset of all that in one shard. Not to be changed."""
    out = tmp_path_factory.mktemp("untouched") / "data"
    with discs_for_faces():
        run(manifest, out, TOGETHER)
    return out


@pytest.fixture
def data(tmp_path: Path, untouched: Path) -> Path:
    """The same dataset, to be changed."""
    return Path(shutil.copytree(untouched, tmp_path / "data"))


def pictures(root: Path) -> dict[str, bytes]:
    """Return what there is to see, by the name of the person."""
    store = Store.open(root)
    found = store.reject_pictures([reject.key for reject in store.rejects])
    return {key.split("/")[0]: picture for key, picture in found.items()}


def boxes(jpeg: bytes, colour: tuple[int, int, int] = FOUND) -> list[tuple[int, int, int, int]]:
    """Return the boxes of a colour in a picture from left to right: x, y, width, height."""
    near = np.abs(decode(jpeg).astype(int) - colour).max(axis=2) < 50
    count, _, stats, _ = cv2.connectedComponentsWithStats(near.astype(np.uint8), connectivity=8)
    hollow = (one for one in stats[1:count] if 30 < one[4] < 0.6 * one[2] * one[3])  # discs are bright, too, but full
    return sorted(tuple(map(int, one[:4])) for one in hollow)


def test_two_faces_are_both_framed_where_they_are(untouched: Path) -> None:
    jpeg = pictures(untouched)["pair"]
    assert decode(jpeg).shape == (96, 160, 3)
    assert len(jpeg) < 10_000
    framed = boxes(jpeg)
    assert len(framed) == 2, "of the 12 frames with one face none is shown"
    for (x, y, width, height), (centre_x, centre_y, radius) in zip(framed, PAIR, strict=True):
        assert x + width / 2 == pytest.approx(0.8 * centre_x, abs=7)
        assert y + height / 2 == pytest.approx(0.8 * centre_y, abs=5)
        assert width == pytest.approx(0.8 * 2 * radius, abs=5)


def test_what_could_be_decoded_has_a_picture_and_nothing_else_has(untouched: Path) -> None:
    found = pictures(untouched)
    assert set(found) == {"pair", "nobody", "tiny", "glimpse", "short", "elsewhere"}
    counted = {name: len(boxes(jpeg)) for name, jpeg in found.items()}
    assert counted == {"pair": 2, "elsewhere": 2, "tiny": 1, "short": 1, "nobody": 0, "glimpse": 0}


def test_the_face_box_that_points_at_nobody_is_drawn_too(untouched: Path) -> None:
    found = pictures(untouched)
    assert len(boxes(found["elsewhere"], ASKED)) == 1
    assert boxes(found["pair"], ASKED) == []


def test_a_clip_that_is_too_long_to_be_kept_in_memory_has_the_same_picture(
    untouched: Path, manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "KEPT_BYTES", 0)
    run(manifest, tmp_path / "data", TOGETHER)
    assert hashes(tmp_path / "data") | times(untouched) == hashes(untouched)


def test_made_again_after_a_kill_the_pictures_are_the_same(data: Path, untouched: Path, manifest: Manifest) -> None:
    layout = DatasetLayout(data)
    name = "train-00000-of-00001"
    layout.record(name).unlink()
    layout.pictures(name).unlink()
    layout.rejects.unlink()
    assert run(manifest, data, TOGETHER).shards_made == 1
    assert hashes(data) | times(untouched) == hashes(untouched)


def times(root: Path) -> dict[str, str]:
    """Return the hashes of the records, which say how long it took."""
    return {name: digest for name, digest in hashes(root).items() if name.startswith("records/")}


def test_where_none_are_wanted_none_are_made_and_all_else_is_the_same(
    untouched: Path, manifest: Manifest, tmp_path: Path
) -> None:
    run(manifest, tmp_path / "data", OFF)
    assert pictures(tmp_path / "data") == {}
    made, other = hashes(tmp_path / "data"), hashes(untouched)
    changed = {name for name in made.keys() | other.keys() if made.get(name) != other.get(name)}
    about = {"rejects.parquet", "croissant.json", "rejects/train-00000-of-00001.parquet"}
    assert changed == {*about, "records/train-00000-of-00001.json"}


def test_a_later_run_without_pictures_removes_them_at_once_and_makes_no_shard(data: Path, manifest: Manifest) -> None:
    kept = [jpeg[len(jpeg) // 2 :][:64] for jpeg in pictures(data).values()]
    assert run(manifest, data, OFF).shards_made == 0
    assert pictures(data) == {}
    everything = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    assert not any(part in everything for part in kept)
    before = hashes(data)
    run(manifest, data, OFF)
    assert hashes(data) == before


def test_a_clip_that_is_mended_takes_its_picture_along(data: Path, manifest: Manifest) -> None:
    mended = [
        clip.model_copy(update={"face_box": (0.2, 0.3, 0.4, 0.7)}) if clip.identity == "elsewhere" else clip
        for clip in manifest.clips
    ]
    run(manifest_of(*mended), data, TOGETHER, replace=True)
    assert set(pictures(data)) == {"pair", "nobody", "tiny", "glimpse", "short"}
    only_good = manifest_of(*(clip for clip in mended if clip.identity == "good"))
    run(only_good, data, TOGETHER, replace=True)
    assert not list((data / "rejects").iterdir())


def test_a_picture_that_cannot_be_made_changes_no_verdict(
    untouched: Path, manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        raise ZeroDivisionError("a bug in the drawing")

    monkeypatch.setattr(follow, "draw", fail)
    run(manifest, tmp_path / "data", TOGETHER)
    assert list(Store.open(tmp_path / "data").rejects) == list(Store.open(untouched).rejects)
    assert pictures(tmp_path / "data") == {}


def test_with_a_person_their_pictures_go_and_those_of_others_stay(data: Path) -> None:
    before = pictures(data)
    begun = begin(data, "tiny")
    left = traces(data, "tiny")
    assert set(scan([data], left).found) == {
        data / "rejects.parquet",
        data / "rejects/train-00000-of-00001.parquet",
    }
    changes = {change.what: (change.files, change.rows) for change in take_out(data, begun)}
    assert changes["pictures of rejected clips"] == (1, 1)
    assert scan([data], left).found == ()
    finish(data, "tiny")
    assert pictures(data) == {name: jpeg for name, jpeg in before.items() if name != "tiny"}
    assert verify(data) == ()


def test_traces_leave_out_the_tables_that_all_pictures_share() -> None:
    grey = np.random.default_rng(0).integers(0, 255, (90, 160, 3), np.uint8)
    one, other = draw(grey, [], None), draw(grey[::-1], [], None)
    header = len(one) - len(without_header(one))
    assert one[:header] == other[:header]
    assert header > 300


def test_a_dataset_of_before_opens_without_pictures(data: Path, manifest: Manifest) -> None:
    layout = DatasetLayout(data)
    shutil.rmtree(data / "rejects")
    table = pq.read_table(layout.rejects)
    pq.write_table(table.drop_columns(["picture"]), layout.rejects, compression="zstd")
    before = hashes(data)
    assert pictures(data) == {}
    assert len(Store.open(data).rejects) == 9
    assert verify(data) == ()
    run(manifest, data, TOGETHER)
    assert hashes(data) == before
    take_out(data, begin(data, "tiny"))
    finish(data, "tiny")
    assert pictures(data) == {}


def test_a_damaged_file_of_pictures_is_said_by_verify_and_is_no_obstacle_to_a_takedown(data: Path) -> None:
    path = DatasetLayout(data).pictures("train-00000-of-00001")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(HeadshotError, match="holds pictures of rejected clips, is damaged"):
        read_pictures(path)
    (fault,) = verify(data)
    assert "is damaged" in fault.detail
    take_out(data, begin(data, "tiny"))
    assert not path.exists()
    assert verify(data) == ()


def test_without_networks_the_first_frame_is_shown(manifest: Manifest, tmp_path: Path) -> None:
    run(manifest, tmp_path / "data", TOGETHER.model_copy(update={"backend": "none"}))
    assert {"good", "nobody", "short"} <= set(pictures(tmp_path / "data"))


def test_croissant_reads_the_pictures(untouched: Path) -> None:
    mlcroissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
    described = mlcroissant.Dataset(jsonld=untouched / "croissant.json")
    records = {one["rejects/identity"].decode(): one["rejects/picture"] for one in described.records("rejects")}
    assert records["pair"].size == (160, 96)
    assert records["text"] is None


def followed(rows: range, centre_x: int = 60) -> Track:
    (face,) = DiscBackend().find(disc_frames(1, [(centre_x, 60, 22)])[0])
    return Track(rows=list(rows), faces=[face] * len(rows))


@pytest.mark.parametrize(
    ("tracks", "reason", "row"),
    [
        ([], RejectReason.NO_FACE, 50),
        ([range(100), range(80, 90)], RejectReason.AMBIGUOUS_FACE, 80),
        ([range(40), range(60, 100)], RejectReason.AMBIGUOUS_FACE, 60),
        ([range(45, 53)], RejectReason.FACE_LOST, 53),
        ([range(100)], RejectReason.FACE_LOST, 50),
        ([range(10, 20)], RejectReason.FACE_TOO_SMALL, 19),
    ],
)
def test_the_frame_is_the_one_that_the_reason_is_about(tracks: list[range], reason: RejectReason, row: int) -> None:
    assert telling_row([followed(rows) for rows in tracks], 100, reason) == row


def test_a_large_frame_is_shrunk_a_small_one_is_not_enlarged_and_no_box_leaves_it() -> None:
    box = np.array([-0.2, 0.5, 0.001, 0.502])
    for shape, shown in (((1080, 1920, 3), (90, 160, 3)), ((1920, 1080, 3), (160, 90, 3)), ((30, 40, 3), (30, 40, 3))):
        assert decode(draw(np.zeros(shape, np.uint8), [box], None)).shape == shown

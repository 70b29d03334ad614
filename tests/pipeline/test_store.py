"""How rows are read from shards on disk."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.files import LocalFiles
from pipeline.images import decode
from pipeline.layout import DatasetLayout
from pipeline.offsets import locate_rows
from pipeline.shard_reader import OPEN_SHARDS, open_shard
from pipeline.store import Store
from tests.pipeline.conftest import SMALL, disc_frames, encode_video, manifest_of, run
from weights.errors import HeadshotError


@pytest.fixture
def store(made: Path) -> Store:
    return Store.open(made)


@pytest.mark.parametrize("often", [False, True])
def test_images_points_and_usable_rows_equal_what_pyarrow_reads(store: Store, often: bool) -> None:
    """By `pread`, and out of the memory map."""
    store = replace(store, stays_in_memory=often)
    for clip in store.clips:
        table = pq.read_table(DatasetLayout(Path(store.root)).shard(clip.shard))
        assert store.encoded(clip, range(clip.frames)) == [image["bytes"] for image in table["image"].to_pylist()]
        points = np.array(table["landmarks"].to_pylist(), np.float32).reshape(-1, 68, 2)
        np.testing.assert_array_equal(store.landmarks(clip, range(clip.frames)), points)
        np.testing.assert_array_equal(store.usable_rows(clip), np.flatnonzero(table["ok"]))


def test_a_dataset_larger_than_a_part_of_memory_is_not_held_in_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    total = sum(shard.size_bytes for shard in store.info.shards)
    for memory, fits in ((total * 4, True), (total * 4 - 4, False)):
        monkeypatch.setattr("pipeline.store._memory_bytes", lambda memory=memory: memory)
        assert Store.open(Path(store.root)).stays_in_memory is fits


@pytest.mark.parametrize("often", [False, True])
def test_a_shard_that_was_cut_off_is_an_error_not_a_short_image(made: Path, tmp_path: Path, often: bool) -> None:
    shutil.copytree(made, tmp_path / "data")
    store = replace(Store.open(tmp_path / "data"), stays_in_memory=often)
    clip = store.clips[0]
    last = locate_rows(DatasetLayout(tmp_path / "data").shard(clip.shard))[-1]
    os.truncate(DatasetLayout(tmp_path / "data").shard(clip.shard), int(last["image"]) + 10)
    with pytest.raises(OSError, match="ends before its images do"):
        store.encoded(clip, [clip.frames - 1])


def test_a_byte_index_of_another_version_is_refused(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "data")
    store = Store.open(tmp_path / "data")
    path = DatasetLayout(tmp_path / "data").offsets(store.clips[0].shard)
    np.save(path, np.zeros(40, [("offset", "<i8"), ("length", "<i4")]))
    with pytest.raises(HeadshotError, match="not a byte index of this version"):
        store.encoded(store.clips[0], [0])


@pytest.mark.usefixtures("discs_are_faces")
def test_a_dataset_made_again_in_the_same_place_is_read_anew(tmp_path: Path) -> None:
    video = encode_video(tmp_path / "ann.mp4", disc_frames(12))
    for size_px in (64, 48):
        run(manifest_of(video), tmp_path / "data", SMALL.model_copy(update={"size_px": size_px}), replace=True)
        store = Store.open(tmp_path / "data")
        clip = store.clips[0]
        assert store.frames(clip, [3]).shape == (1, size_px, size_px, 3)
        assert store.landmarks(clip, [3]).max() < size_px
        assert store.column(clip, "pts_s").shape == (12,)


def open_files() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


def test_files_of_shards_that_were_not_used_for_long_are_closed(store: Store) -> None:
    """Many systems allow a process 1,024 open files."""
    assert isinstance(store.files, LocalFiles)
    before = open_files()
    for number in range(OPEN_SHARDS + 50):
        reader = open_shard(store.files, f"edition {number}", store.clips[0].shard, often=False)
        assert reader.images(reader.places(0, 1))
    assert open_files() - before <= 3 * OPEN_SHARDS < 1024 / 2


def test_damaged_images_are_errors(store: Store) -> None:
    image = store.encoded(store.clips[0], [0])[0]
    for damaged in (image[:-40], b"\xff\xd8 no picture", b"no picture"):
        with pytest.raises(ValueError, match=r"Premature end|Could not determine|not a picture"):
            decode(damaged)
    with pytest.raises(ValueError, match="shape"):
        decode(image, out=np.empty((65, 64, 3), np.uint8))

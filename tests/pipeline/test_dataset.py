"""From videos to a dataset and back, in this process; faces are discs."""

import io
import pickle
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pipeline.layout import DatasetLayout
from pipeline.store import Store
from tests.pipeline.conftest import (
    SMALL,
    clip_of,
    disc_frames,
    encode_video,
    manifest_of,
    number_in,
    numbered_frames,
    run,
)
from weights.errors import HeadshotError

pytestmark = pytest.mark.usefixtures("discs_are_faces")


@pytest.fixture
def dataset(made: Path) -> Store:
    """The dataset of Ann, Bob and Eve."""
    return Store.open(made)


def test_frames_and_points_come_back_where_they_were(dataset: Store) -> None:
    clip = dataset.clip("ann/video/full")
    frames = dataset.frames(clip, range(clip.frames))
    points = dataset.landmarks(clip, range(clip.frames))
    assert frames.shape == (40, 64, 64, 3)
    for frame, ring in zip(frames, points, strict=True):
        yellow = np.argwhere(frame[..., 0] > 150)[:, ::-1]
        assert ring.mean(axis=0) == pytest.approx(yellow.mean(axis=0), abs=0.5)


def test_a_different_size_scales_pictures_and_points_alike(dataset: Store) -> None:
    clip = dataset.clip("bob/video/full")
    frame, points = dataset.frames(clip, [7], 32)[0], dataset.landmarks(clip, [7], 32)[0]
    assert frame.shape == (32, 32, 3)
    yellow = np.argwhere(frame[..., 0] > 150)[:, ::-1]
    assert points.mean(axis=0) == pytest.approx(yellow.mean(axis=0), abs=0.5)


def test_rows_without_a_face_are_kept_marked_and_never_usable(dataset: Store) -> None:
    clip = dataset.clip("eve/video/full")
    ok = dataset.column(clip, "ok")
    assert clip.frames == 40
    assert clip.usable_frames == ok.sum() == 35
    assert dataset.usable_rows(clip).tolist() == [*range(15), *range(20, 40)]
    assert np.isnan(dataset.landmarks(clip, range(15, 20))).all()
    assert np.isfinite(dataset.landmarks(clip, dataset.usable_rows(clip))).all()
    assert set(dataset.column(clip, "reason")[15:20]) == {"no_face"}


def test_a_slower_source_leaves_slots_empty_and_repeats_nothing(dataset: Store) -> None:
    clip = dataset.clip("bob/video/full")
    assert dataset.column(clip, "source_frame").tolist() == list(range(30))
    slots = dataset.column(clip, "frame")
    assert slots[-1] == 30
    assert len(set(slots.tolist())) == 30
    assert dataset.column(clip, "pts_s")[-1] == pytest.approx(29 / 24, abs=1e-3)


def test_every_image_lies_where_the_byte_index_says(dataset: Store) -> None:
    """What `pread` returns equals what pyarrow reads, for every row, also across the row groups of a long clip."""
    for clip in dataset.clips:
        table = pq.read_table(DatasetLayout(Path(dataset.root)).shard(clip.shard), columns=["image"])
        by_arrow = [image["bytes"] for image in table["image"].to_pylist()]
        by_pread = dataset.encoded(clip, range(clip.frames))
        assert by_pread == by_arrow[clip.first_row : clip.first_row + clip.frames]
        assert all(Image.open(io.BytesIO(image)).size == (64, 64) for image in by_pread[:3])


def test_a_clip_of_which_part_is_asked_starts_and_ends_there(tmp_path: Path) -> None:
    path = encode_video(tmp_path / "ann.mp4", disc_frames(60))
    clips = (clip_of(path, start_s=0.4, end_s=1.6),)
    run(manifest_of(*clips), tmp_path / "data")
    store = Store.open(tmp_path / "data")
    assert store.column(store.clips[0], "source_frame").tolist() == list(range(10, 40))
    assert store.column(store.clips[0], "frame").tolist() == list(range(30))


def test_an_unfinished_or_absent_dataset_is_a_clear_error(dataset: Store, tmp_path: Path) -> None:
    with pytest.raises(HeadshotError, match="holds no finished dataset"):
        Store.open(tmp_path / "nothing")
    with pytest.raises(HeadshotError, match="not in its manifest"):
        dataset.clip("nobody/video/full")


def test_an_open_store_can_be_pickled(dataset: Store) -> None:
    copy = pickle.loads(pickle.dumps(dataset))
    assert copy.encoded(copy.clips[0], [3]) == dataset.encoded(dataset.clips[0], [3])


@pytest.mark.parametrize("image_format", ["png", "webp"])
def test_lossless_formats_keep_every_pixel(tmp_path: Path, image_format: str) -> None:
    path = encode_video(tmp_path / "ann.mp4", disc_frames(20))
    config = SMALL.model_copy(update={"image_format": image_format})
    run(manifest_of(path), tmp_path / "data", config)
    store = Store.open(tmp_path / "data")
    from pipeline.clip_work import process_clip

    frames = process_clip(path, manifest_of(path).clips[0], config)
    assert not isinstance(frames, type(None))
    np.testing.assert_array_equal(store.frames(store.clips[0], range(20)), frames.images)  # type: ignore[union-attr]


def test_the_numbers_painted_into_frames_can_be_read() -> None:
    """Guards the fixture that the time tests rest on."""
    assert [number_in(frame) for frame in numbered_frames(400)] == list(range(400))


def test_a_long_clip_has_several_row_groups_and_reads_the_same(
    tmp_path: Path, dataset: Store, videos: list[Path]
) -> None:
    run(manifest_of(*videos), tmp_path / "data", SMALL.model_copy(update={"row_group_frames": 7, "min_shards": 1}))
    split = Store.open(tmp_path / "data")
    assert {clip.shard for clip in split.clips} == {"train-00000-of-00001"}
    assert [clip.row_group for clip in split.clips] == [0, 6, 11]
    for one, other in zip(dataset.clips, split.clips, strict=True):
        rows = range(one.frames)
        assert dataset.encoded(one, rows) == split.encoded(other, rows)
        np.testing.assert_array_equal(dataset.landmarks(one, rows), split.landmarks(other, rows))
        np.testing.assert_array_equal(dataset.column(one, "pts_s"), split.column(other, "pts_s"))

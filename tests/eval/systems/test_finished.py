"""Predictions that were made elsewhere: what counts as a frame, and what does not."""

import struct
import zlib
from pathlib import Path

import av
import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eval.systems.finished import FinishedPredictions
from eval.systems.protocol import Delivered
from eval.systems.received import NotAFrameError, decode_png
from tests.eval.systems.asking import SIZE_PX, asked_of
from weights.errors import HeadshotError

COUNT = 3
FRAMES = np.random.default_rng(7).integers(0, 256, (COUNT, SIZE_PX, SIZE_PX, 3), dtype=np.uint8)


def png(frame: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".png", frame[..., ::-1])[1])


def write_pngs(folder: Path, frames: np.ndarray = FRAMES, first: int = 0) -> Path:
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames):
        (folder / f"{number + first:05d}.png").write_bytes(png(frame))
    return folder


def write_video(path: Path, frames: np.ndarray, codec: str) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))


def read(folder: Path) -> Delivered:
    return next(iter(FinishedPredictions("mine", folder).render_all([asked_of(0)])))


@pytest.fixture
def task(tmp_path: Path) -> Path:
    """Where the frames of the task belong, without an ending."""
    return tmp_path / asked_of(0).id


def test_pictures_arrive_to_the_bit(task: Path) -> None:
    write_pngs(task)
    found = read(task.parent)
    assert found.failures == {}
    assert np.array_equal(found.frames, FRAMES)
    assert found.cost.adaptation_s is None


@pytest.mark.parametrize("image_of", [png, lambda frame: {"bytes": png(frame), "path": None}])
def test_a_table_arrives_to_the_bit_whatever_the_order_of_its_rows(image_of, task: Path) -> None:  # type: ignore[no-untyped-def]
    rows = [{"frame": place, "image": image_of(FRAMES[place])} for place in (2, 0, 1)]
    pq.write_table(pa.Table.from_pylist(rows), task.with_suffix(".parquet"))
    found = read(task.parent)
    assert found.failures == {}
    assert np.array_equal(found.frames, FRAMES)


@pytest.mark.parametrize(("ending", "codec"), [(".mp4", "libx264"), (".webm", "libvpx-vp9")])
def test_frames_of_a_video_arrive_in_their_order(ending: str, codec: str, task: Path) -> None:
    shades = np.stack([np.full((SIZE_PX, SIZE_PX, 3), 50 + 60 * place, np.uint8) for place in range(COUNT)])
    write_video(task.with_suffix(ending), shades, codec)
    found = read(task.parent)
    assert found.failures == {}
    assert np.abs(found.frames.astype(int) - shades).max() < 8


@pytest.mark.parametrize("count", [COUNT - 1, COUNT + 1])
def test_a_video_of_another_length_fails_as_a_whole(count: int, task: Path) -> None:
    write_video(task.with_suffix(".mp4"), np.resize(FRAMES, (count, SIZE_PX, SIZE_PX, 3)), "libx264")
    assert set(read(task.parent).failures) == set(range(COUNT))


def test_a_video_of_another_size_or_none_at_all_fails(task: Path) -> None:
    write_video(task.with_suffix(".mp4"), np.zeros((COUNT, 32, 32, 3), np.uint8), "libx264")
    assert "is 32 x 32 pixels" in read(task.parent).failures[0]
    task.with_suffix(".mp4").write_bytes(b"no video")
    assert "cannot be decoded" in read(task.parent).failures[0]


def test_a_missing_picture_costs_that_frame(task: Path) -> None:
    (write_pngs(task) / "00001.png").unlink()
    found = read(task.parent)
    assert found.failures == {1: "missing: was not written"}
    assert np.array_equal(found.frames[[0, 2]], FRAMES[[0, 2]])


def test_pictures_counted_from_one_are_not_taken_for_others(task: Path) -> None:
    """Frame 1 would be scored against target 1 though it was drawn for target 0."""
    write_pngs(task, first=1)
    found = read(task.parent)
    assert set(found.failures) == {0, 1, 2}
    assert "00003.png was not asked for: frames are counted from 0 to 2" in found.failures[0]


def test_a_table_with_other_frames_fails_and_one_with_a_frame_twice_loses_that_frame(task: Path) -> None:
    path = task.with_suffix(".parquet")
    images = [png(frame) for frame in FRAMES]
    pq.write_table(pa.table({"frame": [1, 2, 3], "image": images}), path)
    assert "frame 3 was not asked for" in read(task.parent).failures[0]
    pq.write_table(pa.table({"frame": [0, 1, 1], "image": images}), path)
    assert read(task.parent).failures == {
        1: "bad_output: the frame is there more than once",
        2: "missing: was not written",
    }
    pq.write_table(pa.table({"number": [0, 1, 2]}), path)
    assert "cannot be read" in read(task.parent).failures[0]
    path.write_bytes(b"PAR1")
    assert "cannot be read" in read(task.parent).failures[0]


def test_two_answers_to_one_task_are_none(task: Path) -> None:
    write_pngs(task)
    task.with_suffix(".mp4").write_bytes(b"")
    assert "which is meant" in read(task.parent).failures[0]


def test_frames_made_for_other_tasks_are_not_found(tmp_path: Path) -> None:
    write_pngs(tmp_path / asked_of(1).id)
    assert set(read(tmp_path).failures.values()) == {f"missing: there is nothing for the task {asked_of(0).id}"}


def test_a_changed_picture_is_another_system(task: Path) -> None:
    write_pngs(task)
    before = FinishedPredictions("mine", task.parent).config
    assert FinishedPredictions("mine", task.parent).config == before
    (task / "00001.png").write_bytes(png(FRAMES[0]))
    assert FinishedPredictions("mine", task.parent).config != before


def test_a_folder_may_say_whom_the_model_learned_from(tmp_path: Path) -> None:
    (tmp_path / "system.toml").write_text('title = "Mine"\ntraining_identities = ["zoe"]\n')
    system = FinishedPredictions("mine", tmp_path)
    assert (system.title, system.training_identities) == ("Mine", {"zoe"})
    (tmp_path / "system.toml").write_text("colour = 1")
    with pytest.raises(HeadshotError, match="colour"):
        FinishedPredictions("mine", tmp_path)
    with pytest.raises(HeadshotError, match="no folder"):
        FinishedPredictions("mine", tmp_path / "absent")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_a_picture_that_says_it_is_huge_is_refused_before_it_is_decoded() -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0))
    with pytest.raises(NotAFrameError, match="2147483647 x 2147483647 pixels"):
        decode_png(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IEND", b""), SIZE_PX)


def test_a_picture_without_content_is_refused() -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", SIZE_PX, SIZE_PX, 8, 2, 0, 0, 0))
    with pytest.raises(NotAFrameError, match="cannot be decoded"):
        decode_png(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b""), SIZE_PX)


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((SIZE_PX, SIZE_PX), np.uint8),
        np.zeros((SIZE_PX, SIZE_PX, 4), np.uint8),
        np.zeros((SIZE_PX, SIZE_PX, 3), np.uint16),
    ],
)
def test_grey_alpha_and_sixteen_bits_are_refused(picture: np.ndarray) -> None:
    with pytest.raises(NotAFrameError, match="8-bit RGB"):
        decode_png(bytes(cv2.imencode(".png", picture)[1]), SIZE_PX)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.99])
def test_half_a_picture_is_none(share: float) -> None:
    whole = png(FRAMES[0])
    with pytest.raises(NotAFrameError, match="cut off"):
        decode_png(whole[: int(share * len(whole))], SIZE_PX)

"""Several stretches from one open video: the frames of a whole decode, without decoding the whole."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline import video
from pipeline.crop import Square, fitted
from pipeline.video import open_video, read_frames
from tests.pipeline.conftest import encode_video, ffmpeg, number_in, numbered_frames

CODECS = {
    "h264.mp4": ("-c:v", "libx264", "-g", "50", "-bf", "2", "-pix_fmt", "yuv420p"),
    "h264.mkv": ("-c:v", "libx264", "-g", "50", "-bf", "2", "-pix_fmt", "yuv420p"),
    "h264.ts": ("-c:v", "libx264", "-g", "50", "-bf", "2", "-pix_fmt", "yuv420p"),
    "hevc.mp4": ("-c:v", "libx265", "-x265-params", "keyint=50:bframes=3:log-level=none", "-pix_fmt", "yuv420p"),
    "vp9.webm": ("-c:v", "libvpx-vp9", "-g", "50", "-deadline", "realtime", "-cpu-used", "8", "-pix_fmt", "yuv420p"),
    "av1.mp4": ("-c:v", "libaom-av1", "-g", "50", "-cpu-used", "8", "-pix_fmt", "yuv420p"),
    "mpeg4.avi": ("-c:v", "mpeg4", "-g", "50", "-bf", "2", "-q:v", "2", "-pix_fmt", "yuv420p"),
    "mpeg1.mpg": ("-c:v", "mpeg1video", "-g", "50", "-bf", "2", "-q:v", "2", "-pix_fmt", "yuv420p"),
    "raw.264": ("-c:v", "libx264", "-g", "50", "-pix_fmt", "yuv420p"),
    "gif.gif": (),
}
STRETCHES = ((6.0, 7.0), (7.0, 7.6), (11.0, None), (0.0, 0.6), (8.0, 8.4), (6.52, 7.2))


def digest(rgb: np.ndarray) -> str:
    return hashlib.sha256(rgb.tobytes()).hexdigest()


@pytest.mark.parametrize("name", CODECS)
def test_stretches_in_any_order_give_the_frames_of_a_whole_decode(tmp_path: Path, name: str) -> None:
    path = encode_video(tmp_path / name, numbered_frames(300), "25", CODECS[name])
    whole = {frame.source_frame: (digest(frame.rgb), frame.pts_s) for frame in read_frames(path)}
    assert len(whole) == 300
    with open_video(path) as reader:
        for start_s, end_s in STRETCHES:
            found = list(reader.frames(start_s, end_s))
            expected = [
                number
                for number, (_, pts_s) in whole.items()
                if start_s - 1e-3 <= pts_s and (end_s is None or pts_s < end_s - 1e-3)
            ]
            assert [raw.source_frame for raw in found] == expected
            assert [digest(reader.picture(raw)) for raw in found] == [whole[number][0] for number in expected]
            assert [raw.index for raw in found] == list(range(len(expected)))


def test_clips_of_one_video_share_one_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 60 seconds, three clips of two seconds decode little more than themselves."""
    options = (*CODECS["h264.mp4"], "-sc_threshold", "0")
    path = encode_video(tmp_path / "v.mp4", numbered_frames(300), "5", options)
    count = 0

    def counted(container: Any, stream: Any) -> Iterator[Any]:
        nonlocal count
        for frame in decoded(container, stream):
            count += 1
            yield frame

    decoded = video.decoded
    monkeypatch.setattr(video, "decoded", counted)
    with open_video(path) as reader:
        frames = [raw for start_s in (20, 22, 50) for raw in reader.frames(start_s, start_s + 2, 25)]
    assert [raw.source_frame for raw in frames] == [*range(100, 120), *range(250, 260)]
    assert count <= 1 + 20 + 1 + 10 + 1  # both key frames are hit exactly; each stop reads one frame ahead


def test_interlaced_video_comes_out_progressive(tmp_path: Path) -> None:
    """A bar moves 8 pixels a field. Woven fields show a comb at its edge; the first field alone shows it straight."""
    fields = []
    for moment in range(40):
        picture = np.full((96, 144, 3), 40, np.uint8)
        picture[:, 8 * (moment % 14) + 8 : 8 * (moment % 14) + 24] = 220
        fields.append(picture)
    progressive = encode_video(tmp_path / "p.mkv", fields, "50")
    woven = tmp_path / "i.mkv"
    options = ("-vf", "tinterlace=interleave_top,setfield=tff", "-c:v", "libx264", "-flags", "+ildct+ilme", "-qp", "0")
    ffmpeg("-i", str(progressive), *options, "-pix_fmt", "yuv420p", str(woven))
    with open_video(woven) as reader:
        frames = list(reader.frames(fps=50))
        pictures = [reader.picture(raw).astype(int) for raw in frames]
        assert reader.info.interlaced
    assert [raw.source_frame for raw in frames] == list(range(20))
    for number, picture in enumerate(pictures[1:-1], start=1):
        comb = np.abs(picture[1:-1] - (picture[:-2] + picture[2:]) / 2).mean()
        assert comb < 4
        truth = fields[2 * number].astype(int)
        assert np.abs(picture - truth).mean() < 12


def test_interlaced_stretches_equal_a_whole_decode(tmp_path: Path) -> None:
    path = tmp_path / "i.mkv"
    source = encode_video(tmp_path / "p.mkv", numbered_frames(400), "50")
    options = ("-c:v", "libx264", "-g", "25", "-flags", "+ildct+ilme", "-pix_fmt", "yuv420p")
    ffmpeg("-i", str(source), "-vf", "tinterlace=interleave_top,setfield=tff", *options, str(path))
    whole = {frame.source_frame: digest(frame.rgb) for frame in read_frames(path)}
    with open_video(path) as reader:
        for start_s in (7.0, 6.0, 6.4):
            for raw in reader.frames(start_s, start_s + 0.4):
                assert digest(reader.picture(raw)) == whole[raw.source_frame]


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "gray"])
def test_a_part_converted_alone_equals_that_part_of_the_whole(tmp_path: Path, pixels: str) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (60, 80, 3), np.uint8)
    picture = np.kron(noise, np.ones((3, 4, 1), np.uint8))
    path = encode_video(tmp_path / "v.mkv", [picture] * 2, "25", ("-c:v", "ffv1", "-pix_fmt", pixels))
    with open_video(path) as reader:
        raw = next(reader.frames())
        whole = reader.picture(raw)
        for area in (video.Area(37, 21, 201, 140), video.Area(0, 0, 64, 64), video.Area(311, 170, 320, 180)):
            part = reader.part(raw, area)
            assert np.array_equal(part, whole[area.top : area.bottom, area.left : area.right])


def test_a_shrunk_picture_shows_the_same(tmp_path: Path) -> None:
    path = encode_video(tmp_path / "v.mkv", numbered_frames(3))
    with open_video(path) as reader:
        raws = list(reader.frames())
        small = [reader.picture(raw, exact_colour=False, shrink=2) for raw in raws]
    assert [number_in(picture) for picture in small] == [0, 1, 2]
    assert small[0].shape == (24, 36, 3)


def test_a_stream_without_seeks_is_read_forward_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = encode_video(tmp_path / "v.mpg", numbered_frames(500), "25", CODECS["mpeg1.mpg"])
    starts = 0

    def counted(container: Any, stream: Any) -> Iterator[Any]:
        nonlocal starts
        starts += 1
        return decoded(container, stream)

    decoded = video.decoded
    monkeypatch.setattr(video, "decoded", counted)
    with open_video(path) as reader:
        found = [raw.source_frame for start_s in (1.0, 9.0, 17.0) for raw in reader.frames(start_s, start_s + 0.2)]
    assert found == [25, 26, 27, 28, 29, 225, 226, 227, 228, 229, 425, 426, 427, 428, 429]
    assert starts == 1


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le"])
def test_shrinking_in_one_step_gives_what_converting_first_gives(tmp_path: Path, pixels: str) -> None:
    """Converted first and averaged by OpenCV: the same place, brightness and colour, to about a grey level."""
    rows, columns = np.mgrid[:240, :320]
    smooth = np.stack([columns * 255 // 319, rows * 255 // 239, 128 + 90 * np.sin(columns / 11) * np.cos(rows / 9)], -1)
    path = encode_video(tmp_path / "v.mkv", [smooth.astype(np.uint8)] * 2, "25", ("-c:v", "ffv1", "-pix_fmt", pixels))
    area = video.Area(22, 14, 222, 214)
    with open_video(path) as reader:
        raw = next(reader.frames())
        shrunk = reader.shrunk(raw, area, 96)
        expected = fitted(reader.part(raw, area), Square(left=22, top=14, side=200), 96)
        assert reader.shrunk(raw, video.Area(21, 14, 221, 214), 96) is None
        assert reader.shrunk(raw, area, 400) is None
    assert shrunk is not None
    difference = shrunk.astype(int) - expected
    assert np.abs(difference).mean() < 0.7
    assert np.abs(difference.mean(axis=(0, 1))).max() < 0.2

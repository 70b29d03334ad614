"""What cameras, phones and archives make: each format shows the picture, colour and time that went in."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.container import MAX_SIDE_PX
from pipeline.verdicts import ClipRejectedError
from pipeline.video import open_video, read_frames
from tests.pipeline.conftest import encode_video, ffmpeg, number_in, numbered_frames

PATCHES = np.array([[(200, 60, 40), (40, 180, 70)], [(50, 70, 210), (190, 190, 60)]], np.uint8)
BT601 = "scale=out_color_matrix=bt601:out_range=tv"
X264 = ("-c:v", "libx264", "-crf", "8")

FORMATS = {
    "h264.mp4": ("-vf", f"{BT601},format=yuv420p", *X264),
    "h264-444.mp4": ("-vf", f"{BT601},format=yuv444p", *X264),
    "h264-10bit.mp4": ("-vf", f"{BT601},format=yuv420p10le", *X264),
    "hevc.mp4": ("-vf", f"{BT601},format=yuv420p", "-c:v", "libx265", "-x265-params", "log-level=none", "-crf", "8"),
    "hevc-10bit.mkv": (
        *("-vf", f"{BT601},format=yuv420p10le", "-c:v", "libx265"),
        *("-x265-params", "log-level=none", "-crf", "8"),
    ),
    "vp9.webm": ("-vf", f"{BT601},format=yuv420p", "-c:v", "libvpx-vp9", "-crf", "10", "-b:v", "0", "-cpu-used", "8"),
    "vp9-alpha.webm": (
        *("-vf", f"{BT601},format=yuva420p", "-c:v", "libvpx-vp9"),
        *("-crf", "10", "-b:v", "0", "-cpu-used", "8"),
    ),
    "av1.mp4": ("-vf", f"{BT601},format=yuv420p", "-c:v", "libaom-av1", "-crf", "10", "-b:v", "0", "-cpu-used", "8"),
    "mpeg1.mpg": ("-vf", f"{BT601},format=yuv420p", "-c:v", "mpeg1video", "-q:v", "1"),
    "mpeg2.ts": ("-vf", f"{BT601},format=yuv422p", "-c:v", "mpeg2video", "-q:v", "1"),
    "mpeg4.avi": ("-vf", f"{BT601},format=yuv420p", "-c:v", "mpeg4", "-q:v", "1"),
    "prores-alpha.mov": ("-vf", "format=yuva444p10le", "-c:v", "prores_ks", "-profile:v", "4444"),
    "mjpeg-full-range.avi": (
        *("-vf", "scale=out_color_matrix=bt601:out_range=pc,format=yuvj420p"),
        *("-c:v", "mjpeg", "-q:v", "1"),
    ),
    "h264-full-range.mp4": (
        *("-vf", "scale=out_color_matrix=bt601:out_range=pc,format=yuvj420p"),
        *(*X264, "-color_range", "pc", "-colorspace", "smpte170m"),
    ),
    "png-alpha.mov": ("-vf", "format=rgba", "-c:v", "png"),
    "ffv1-rgb.mkv": ("-vf", "format=bgr0", "-c:v", "ffv1"),
    "picture.gif": (),
    "raw.264": ("-vf", f"{BT601},format=yuv420p", *X264),
    "raw.265": ("-vf", f"{BT601},format=yuv420p", "-c:v", "libx265", "-x265-params", "log-level=none", "-crf", "8"),
}


def patches(count: int, width: int = 160, height: int = 128) -> list[np.ndarray]:
    """Return frames of four colours above a strip of stripes that number them."""
    colours = np.kron(PATCHES, np.ones((height // 4, width // 2, 1), np.uint8))
    frames = []
    for stripes in numbered_frames(count):
        strip = np.repeat(stripes[:1], height - colours.shape[0], axis=0)
        wide = np.zeros((strip.shape[0], width, 3), np.uint8)
        wide[:, :144] = np.repeat(strip, 2, axis=1)
        frames.append(np.concatenate([colours, wide]))
    return frames


def shown_colours(rgb: np.ndarray) -> np.ndarray:
    height, width = rgb.shape[0] // 4, rgb.shape[1] // 2
    return np.array(
        [
            [
                rgb[y * height + 8 : (y + 1) * height - 8, x * width + 12 : (x + 1) * width - 12].mean((0, 1))
                for x in (0, 1)
            ]
            for y in (0, 1)
        ]
    )


@pytest.mark.parametrize("name", FORMATS)
def test_picture_colour_and_time_come_out_as_they_went_in(tmp_path: Path, name: str) -> None:
    path = encode_video(tmp_path / name, patches(30), "25", FORMATS[name])
    frames = list(read_frames(path))
    assert [number_in(frame.rgb[64:, :144]) for frame in frames] == list(range(30))
    assert [frame.index for frame in frames] == list(range(30))
    assert [frame.pts_s for frame in frames] == pytest.approx([number / 25 for number in range(30)], abs=1.5e-3)
    assert np.abs(shown_colours(frames[10].rgb) - PATCHES).max() < 5


@pytest.mark.parametrize("rate", ["24000/1001", "30000/1001", "50", "60000/1001"])
def test_every_rate_gives_the_frame_that_is_nearest_to_each_slot(tmp_path: Path, rate: str) -> None:
    path = encode_video(tmp_path / "v.mp4", patches(60), rate, FORMATS["h264.mp4"])
    numerator, _, denominator = rate.partition("/")
    rate_fps = int(numerator) / int(denominator or 1)
    frames = list(read_frames(path))
    for frame in frames:
        nearest = np.abs(np.arange(60) / rate_fps - frame.index / 25).argmin()
        assert number_in(frame.rgb[64:, :144]) == nearest
        assert frame.pts_s == pytest.approx(nearest / rate_fps, abs=2e-3)
    slots = [frame.index for frame in frames]
    assert len(set(slots)) == len(slots)


@pytest.mark.parametrize(("width", "height"), [(161, 127), (99, 75)])
def test_odd_sizes_keep_every_row_and_column(tmp_path: Path, width: int, height: int) -> None:
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, -3:] = (250, 250, 250)
    picture[-3:] = (250, 250, 250)
    options = ("-vf", f"{BT601},format=yuv444p", *X264)
    path = encode_video(tmp_path / "v.mkv", [picture] * 3, "25", options)
    rgb = next(read_frames(path)).rgb
    assert rgb.shape == (height, width, 3)
    assert rgb[:, -2:].min() > 200
    assert rgb[-2:].min() > 200
    assert rgb[: height - 6, : width - 6].max() < 40


def test_hdr_is_rejected_and_not_shown_grey(tmp_path: Path) -> None:
    tags = "log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"
    options = ("-vf", "format=yuv420p10le", "-c:v", "libx265", "-x265-params", tags)
    path = encode_video(tmp_path / "v.mp4", patches(3), "25", options)
    with pytest.raises(ClipRejectedError, match="HDR"):
        next(read_frames(path))


def test_sound_alone_and_video_without_frames_are_rejected(tmp_path: Path) -> None:
    sound = tmp_path / "a.mp4"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", str(sound))
    with pytest.raises(ClipRejectedError, match="no video stream"):
        next(read_frames(sound))
    empty = tmp_path / "e.mp4"
    source = encode_video(tmp_path / "v.mp4", patches(3), "25", FORMATS["h264.mp4"])
    ffmpeg("-ss", "5", "-i", str(source), "-c:v", "libx264", str(empty))
    with pytest.raises(ClipRejectedError):
        next(read_frames(empty))


@pytest.mark.parametrize("name", ["h264.mp4", "vp9.webm", "mpeg2.ts"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_broken_tail_costs_only_the_frames_behind_it(tmp_path: Path, name: str, share: float) -> None:
    options = (*FORMATS[name], *(("-movflags", "+faststart") if name.endswith("mp4") else ()))
    path = encode_video(tmp_path / name, patches(150), "25", options)
    content = path.read_bytes()
    broken = tmp_path / f"broken-{name}"
    broken.write_bytes(content[: int(len(content) * share)])
    frames = list(read_frames(broken))
    assert 20 <= len(frames) < 150
    assert [number_in(frame.rgb[64:, :144]) for frame in frames] == list(range(len(frames)))


def test_a_picture_too_large_to_be_a_video_is_rejected(tmp_path: Path) -> None:
    side = MAX_SIDE_PX + 2
    path = encode_video(tmp_path / "v.mkv", [np.zeros((16, side, 3), np.uint8)] * 2, "25", ("-c:v", "ffv1"))
    with pytest.raises(ClipRejectedError, match=str(MAX_SIDE_PX)), open_video(path):
        pass

"""Videos made with ffmpeg, whose frames carry their number, read back."""

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest

from pipeline.verdicts import ClipRejectedError, RejectReason
from pipeline.video import probe, read_frames
from tests.pipeline.conftest import LOSSLESS, encode_video, ffmpeg, number_in, numbered_frames


@pytest.mark.parametrize(
    ("fps", "kept"),
    [
        ("25", lambda i: i),
        ("24", lambda i: i),
        ("24000/1001", lambda i: i),
        ("50", lambda i: 2 * i),
    ],
)
def test_constant_rates_give_the_frames_the_time_rule_says(tmp_path: Path, fps: str, kept) -> None:  # type: ignore[no-untyped-def]
    path = encode_video(tmp_path / "v.mp4", numbered_frames(60), fps)
    frames = list(read_frames(path))
    assert [number_in(frame.rgb) for frame in frames] == [kept(i) for i in range(len(frames))]
    assert [frame.source_frame for frame in frames] == [kept(i) for i in range(len(frames))]
    assert len(frames) == (30 if fps == "50" else 60)


def test_ntsc_rate_loses_frames_between_slots_and_keeps_true_times(tmp_path: Path) -> None:
    path = encode_video(tmp_path / "v.mp4", numbered_frames(90), "30000/1001")
    frames = list(read_frames(path))
    times = np.arange(90) * 1001 / 30000
    assert len(frames) == 75
    for frame in frames:
        assert number_in(frame.rgb) == np.abs(times - frame.index / 25).argmin()
        assert frame.pts_s == pytest.approx(times[frame.source_frame], abs=1e-4)


def test_variable_rate_is_read_by_time_not_by_count(tmp_path: Path) -> None:
    """30 frames every 40 ms, then 30 frames every 100 ms: all are kept, none is repeated to fill the gaps."""
    uneven = "settb=1/1000,setpts='if(lt(N,30),N*40,1200+(N-30)*100)'"
    options = ("-vf", uneven, "-fps_mode", "passthrough", "-enc_time_base", "1:1000", *LOSSLESS)
    path = encode_video(tmp_path / "v.mkv", numbered_frames(60), "25", options)
    frames = list(read_frames(path))
    assert [number_in(frame.rgb) for frame in frames] == list(range(60))
    assert frames[-1].pts_s == pytest.approx(1.2 + 29 * 0.1, abs=2e-3)
    # 100 ms are two and a half slots: the frame in the middle of two slots may go to either.
    assert all(abs(frame.index / 25 - frame.pts_s) <= 0.02 + 2e-3 for frame in frames)


def test_a_stretch_deep_in_a_video_gives_the_same_frames_as_decoding_from_the_start(tmp_path: Path) -> None:
    options = ("-c:v", "libx264", "-g", "50", "-bf", "2", "-pix_fmt", "yuv420p")
    path = encode_video(tmp_path / "v.mp4", numbered_frames(300), "25", options)

    def digest(rgb: np.ndarray) -> str:
        return hashlib.sha256(rgb.tobytes()).hexdigest()

    whole = {frame.source_frame: digest(frame.rgb) for frame in read_frames(path)}
    stretch = list(read_frames(path, 7.0, 9.0))
    assert [frame.source_frame for frame in stretch] == list(range(175, 225))
    assert [frame.index for frame in stretch] == list(range(50))
    assert all(digest(frame.rgb) == whole[frame.source_frame] for frame in stretch)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotated_video_comes_out_upright(tmp_path: Path, degrees: int) -> None:
    """The truth is what the ffmpeg tool itself shows, which turns pictures by default."""
    picture = np.zeros((48, 72, 3), np.uint8)
    picture[:24, :36] = (250, 20, 20)
    picture[24:, 36:] = (20, 250, 20)
    plain = encode_video(tmp_path / "plain.mp4", [picture] * 5)
    turned, shown = tmp_path / "turned.mp4", tmp_path / "shown.avi"
    ffmpeg("-display_rotation", str(degrees), "-i", str(plain), "-c", "copy", str(turned))
    ffmpeg("-i", str(turned), "-c:v", "rawvideo", "-pix_fmt", "bgr24", str(shown))
    ours, truth = next(read_frames(turned)).rgb, next(read_frames(shown)).rgb
    info = probe(turned)
    assert ours.shape == truth.shape == (info.height_px, info.width_px, 3)
    assert np.abs(ours.astype(int) - truth).mean() < 3


@pytest.mark.parametrize(
    ("size", "tags", "rule"),
    [
        ((1280, 720), "", "untagged-hd-bt709"),
        ((640, 360), "", "untagged-sd-bt601"),
        ((640, 360), "bt709", "tagged"),
        ((1280, 720), "smpte170m", "tagged"),
    ],
)
def test_colours_are_true_for_tagged_and_untagged_video(
    tmp_path: Path, size: tuple[int, int], tags: str, rule: str
) -> None:
    """A video is made with the matrix its size or tag stands for; its colour has to come back."""
    colour = (200, 60, 40)
    matrix = {"bt709": "bt709", "smpte170m": "bt601"}.get(tags, "bt709" if size[1] >= 720 else "bt601")
    # Metadata filter "unspecified" takes the tag off again.
    untag = "" if tags else ",setparams=colorspace=unknown:range=unknown"
    convert = f"scale=out_color_matrix={matrix}:out_range=tv,format=yuv420p{untag}"
    tagged = ("-colorspace", tags) if tags else ()
    options = ("-vf", convert, "-c:v", "libx264", "-qp", "0", *tagged)
    path = encode_video(tmp_path / "v.mp4", [np.full((size[1], size[0], 3), colour, np.uint8)] * 3, "25", options)
    assert probe(path).colour_rule == rule
    shown = next(read_frames(path)).rgb.reshape(-1, 3).mean(axis=0)
    assert shown == pytest.approx(colour, abs=2.5)


def test_non_square_pixels_are_made_square(tmp_path: Path) -> None:
    path = encode_video(tmp_path / "v.mp4", numbered_frames(3), "25", ("-vf", "setsar=2/1", *LOSSLESS))
    assert next(read_frames(path)).rgb.shape == (48, 144, 3)


def test_gif_and_raw_streams_without_a_clock_are_read(tmp_path: Path) -> None:
    gif = encode_video(tmp_path / "v.gif", numbered_frames(20), "25", ())
    raw = encode_video(tmp_path / "v.264", numbered_frames(20), "25", ("-c:v", "libx264", "-pix_fmt", "yuv420p"))
    for path in (gif, raw):
        assert [number_in(frame.rgb) for frame in read_frames(path)] == list(range(20))


def test_fast_conversion_differs_little_from_the_exact_one(tmp_path: Path) -> None:
    smooth = np.stack(np.meshgrid(np.arange(160), np.arange(120)), axis=-1)
    picture = np.concatenate([smooth, smooth[..., :1] // 2], axis=-1).astype(np.uint8)
    path = encode_video(tmp_path / "v.mp4", [picture] * 2, "25", ("-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv420p"))
    exact = next(read_frames(path)).rgb.astype(int)
    fast = next(read_frames(path, exact_colour=False)).rgb
    assert np.abs(exact - picture).mean() < 1.0
    assert np.abs(exact - fast).mean() < 3.0


def test_a_truncated_video_gives_its_frames_up_to_the_damage(tmp_path: Path) -> None:
    whole = encode_video(tmp_path / "whole.mkv", numbered_frames(100), "25", ("-c:v", "libx264", "-g", "10"))
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    frames = list(read_frames(cut))
    assert 10 < len(frames) < 90
    assert [number_in(frame.rgb) for frame in frames] == [round(frame.pts_s * 25) for frame in frames]


def test_what_is_no_video_is_rejected_with_a_reason(tmp_path: Path) -> None:
    def reason(path: Path) -> RejectReason:
        with pytest.raises(ClipRejectedError) as rejected:
            probe(path)
        assert path.name in rejected.value.verdict.detail
        return rejected.value.verdict.reason

    empty, text, sound = tmp_path / "empty.mp4", tmp_path / "text.mp4", tmp_path / "sound.mp4"
    empty.touch()
    text.write_text("this is not a video\n" * 50)
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", str(sound))
    headless = tmp_path / "headless.mp4"
    whole = encode_video(tmp_path / "whole.mp4", numbered_frames(50))
    headless.write_bytes(whole.read_bytes()[:-2000])  # the index of an MP4 comes last
    assert reason(empty) == RejectReason.UNREADABLE
    assert reason(text) == RejectReason.UNREADABLE
    assert reason(headless) == RejectReason.UNREADABLE
    assert reason(sound) == RejectReason.NO_VIDEO
    assert reason(tmp_path / "absent.mp4") == RejectReason.MISSING_SOURCE


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{name}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{name}'\n",
    ],
)
def test_a_playlist_that_names_another_file_is_not_followed(tmp_path: Path, playlist: str) -> None:
    target = encode_video(tmp_path / "target.ts", numbered_frames(30), "25", ("-c:v", "libx264"))
    for name in ("list.m3u8", "list.mp4"):
        trap = tmp_path / name
        trap.write_text(playlist.format(name=target.name))
        with pytest.raises(ClipRejectedError, match="unreadable"):
            list(read_frames(trap))


def test_probe_says_what_the_file_says(tmp_path: Path) -> None:
    info = probe(encode_video(tmp_path / "v.mp4", numbered_frames(50), "25"))
    assert (info.width_px, info.height_px, info.fps, info.codec) == (72, 48, 25.0, "h264")
    assert info.duration_s == pytest.approx(2.0)
    raw = encode_video(tmp_path / "v.264", numbered_frames(20), "25", ("-c:v", "libx264", "-pix_fmt", "yuv420p"))
    assert math.isnan(probe(raw).duration_s)

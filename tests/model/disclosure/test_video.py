from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from model.disclosure import video
from model.disclosure.label import LABEL, DigitalSourceType, label, label_below
from model.disclosure.mark import marked_video, write
from model.disclosure.statement import Marks, Shown
from pipeline.audio import Sound
from pipeline.sound_track import Span, read_sound
from reports.drive import GAP_PX, side_by_side
from reports.media import Media
from reports.pictures import marked_picture
from reports.soundtrack import soundtrack
from weights.errors import HeadshotError

STATEMENT = "AI-generated: nobody did that."


def write_video(
    frames: np.ndarray,
    path: Path,
    fps: float,
    source_type: DigitalSourceType = DigitalSourceType.GENERATED,
    sound: Sound | None = None,
) -> None:
    shown = Shown(description=STATEMENT, source_type=source_type)
    write(path, marked_video(frames, fps, shown, Marks(watermark=False), sound=sound))


def labelled(frames: np.ndarray) -> np.ndarray:
    return np.stack([label(frame) for frame in frames])


@pytest.fixture
def frames() -> np.ndarray:
    """Twelve frames of a moving ramp, 96 pixels high and 128 wide, nowhere as dark as the label's bar."""
    ramp = np.linspace(120, 250, 128)[None, None, :, None] - np.arange(12)[:, None, None, None]
    return np.broadcast_to(ramp, (12, 96, 128, 3)).astype(np.uint8)


def decode(path: Path) -> tuple[np.ndarray, av.container.InputContainer]:
    with av.open(str(path)) as video:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]), video


def test_the_written_video_has_every_frame_at_the_given_size_and_rate(tmp_path: Path, frames: np.ndarray) -> None:
    path = tmp_path / "out.mp4"
    write_video(frames, path, 12.5)
    decoded, _ = decode(path)
    with av.open(str(path)) as video:
        stream = video.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert float(stream.average_rate) == 12.5
    assert decoded.shape == frames.shape
    assert list(tmp_path.iterdir()) == [path], "a temporary file was left behind"


def test_colours_survive_encoding(tmp_path: Path, frames: np.ndarray) -> None:
    """A wrong matrix or range between RGB and YUV would shift red and blue by far more than compression does."""
    tinted = (frames * [1.0, 0.6, 0.3]).astype(np.uint8)
    write_video(tinted, tmp_path / "out.mp4", 25.0)
    decoded, _ = decode(tmp_path / "out.mp4")
    assert np.abs(decoded.astype(int) - labelled(tinted)).mean(axis=(0, 1, 2)).max() < 3


def test_the_label_is_in_the_pixels_of_every_decoded_frame(tmp_path: Path, frames: np.ndarray) -> None:
    write_video(frames, tmp_path / "out.mp4", 25.0)
    decoded, _ = decode(tmp_path / "out.mp4")
    marked = (labelled(frames) != frames).any(axis=-1).all(axis=0)
    rows, columns = np.nonzero(marked)
    assert rows.max() == 95 and columns.max() == 127, "the label stands in the lower right corner"
    assert 0.02 < marked.mean() < 0.12, "it is to be seen but does not hide the face"
    bar = decoded[:, rows.min() :, columns.min() :].mean(axis=-1)
    assert (np.median(bar, axis=(1, 2)) < 70).all(), "a dark bar"
    assert (bar.max(axis=(1, 2)) > 200).all(), "with light letters"


def test_the_container_says_that_the_video_is_synthetic(tmp_path: Path, frames: np.ndarray) -> None:
    write_video(frames, tmp_path / "out.mp4", 25.0, source_type=DigitalSourceType.COMPOSITE)
    _, container = decode(tmp_path / "out.mp4")
    assert container.metadata["comment"] == STATEMENT
    assert container.metadata["description"] == STATEMENT
    assert container.metadata["digital_source_type"].endswith("/digitalsourcetype/compositeWithTrainedAlgorithmicMedia")


def test_the_index_comes_first_so_that_a_browser_can_start_at_once(tmp_path: Path, frames: np.ndarray) -> None:
    write_video(frames, tmp_path / "out.mp4", 25.0)
    data = (tmp_path / "out.mp4").read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")


def burst(at_s: float, length_s: float = 2.0, rate_hz: int = 16_000) -> Sound:
    """Return a tone of a tenth of a second in silence."""
    times_s = np.arange(round(length_s * rate_hz)) / rate_hz
    tone = 12_000 * np.sin(2 * np.pi * 1000 * times_s) * ((times_s >= at_s) & (times_s < at_s + 0.1))
    return Sound(samples=tone.astype(np.int16)[:, None], rate_hz=rate_hz, start_s=0.0)


def onset_s(sound: Sound) -> float:
    loud = np.abs(sound.samples[:, 0].astype(int)) > 2000
    return sound.start_s + float(np.flatnonzero(loud)[0]) / sound.rate_hz


def test_the_written_video_is_heard_at_the_frames_it_was_given_with(tmp_path: Path, frames: np.ndarray) -> None:
    path, long = tmp_path / "out.mp4", np.tile(frames, (4, 1, 1, 1))
    write_video(long, path, 25.0, sound=burst(1.2, length_s=48 / 25))
    decoded, _ = decode(path)
    assert len(decoded) == 48
    heard = read_sound(path, Span(start_s=0, end_s=10))
    assert heard is not None
    assert onset_s(heard) == pytest.approx(1.2, abs=0.01)
    assert list(tmp_path.iterdir()) == [path]


def test_without_sound_the_video_has_no_track(tmp_path: Path, frames: np.ndarray) -> None:
    write_video(frames, tmp_path / "out.mp4", 25.0)
    with av.open(str(tmp_path / "out.mp4")) as video:
        assert not video.streams.audio


def test_sound_runs_on_uncut_while_the_frames_do() -> None:
    sound = burst(1.2)
    assert np.array_equal(soundtrack(sound, np.arange(50) / 25, 25.0).samples, sound.samples)
    jitter = np.random.default_rng(0).uniform(-0.01, 0.01, 50)
    jitter[0] = 0
    assert np.array_equal(soundtrack(sound, np.arange(50) / 25 + jitter, 25.0).samples, sound.samples)


def test_frames_that_are_left_out_take_their_sound_along() -> None:
    pts_s = np.arange(50) / 25
    shown = np.delete(pts_s, np.arange(10, 20))
    heard = soundtrack(burst(1.2), shown, 25.0)
    assert len(heard.samples) == 40 * 16_000 // 25
    assert onset_s(heard) == pytest.approx(1.2 - 10 / 25, abs=1e-3)
    assert not soundtrack(burst(0.5), shown, 25.0).samples.any(), "the burst belonged to frames 12 to 15"


def test_a_clip_from_the_middle_is_heard_from_there_and_what_was_not_recorded_is_silent() -> None:
    late = replace(burst(0.3, length_s=1.0), start_s=7.5)
    heard = soundtrack(late, 7 + np.arange(50) / 25, 25.0)
    assert len(heard.samples) == 2 * 16_000
    assert onset_s(heard) == pytest.approx(0.8, abs=1e-3)
    assert not heard.samples[: 16_000 // 2].any()


def test_a_rate_that_drifts_stays_in_sync_to_a_frame() -> None:
    pts_s = np.cumsum(np.full(200, 1 / 24)) - 1 / 24
    heard = soundtrack(burst(6.0, length_s=9.0), pts_s, 25.0)
    shown = int(np.flatnonzero(pts_s >= 6.0)[0])
    assert onset_s(heard) == pytest.approx(shown / 25, abs=1 / 25)


@pytest.mark.parametrize("shape", [(0, 96, 128, 3), (2, 95, 128, 3), (2, 96, 127, 3)])
def test_frames_that_h264_cannot_hold_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="even sides"):
        write_video(np.zeros(shape, np.uint8), tmp_path / "out.mp4", 25.0)
    assert not list(tmp_path.iterdir())


def test_an_encoder_that_fails_leaves_no_file_and_tells_why(
    tmp_path: Path, frames: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More frames than fit into the pipe, so the encoder's death is noticed while writing."""
    monkeypatch.setattr(video, "_command", lambda *_: [video.imageio_ffmpeg.get_ffmpeg_exe(), "-nonsense", "x", "-y"])
    with pytest.raises(HeadshotError, match="nonsense"):
        write_video(np.tile(frames, (20, 1, 1, 1)), tmp_path / "out.mp4", 25.0)
    assert not list(tmp_path.iterdir())


def test_labelling_leaves_the_given_frames_alone(frames: np.ndarray) -> None:
    before = frames.copy()
    labelled(frames)
    assert np.array_equal(frames, before)


@pytest.mark.parametrize("size_px", [64, 128, 256, 512])
def test_a_still_is_labelled_below_and_not_over_the_frame(size_px: int) -> None:
    image = np.full((size_px, size_px, 3), 200, np.uint8)
    below = label_below(image)
    assert np.array_equal(below[:size_px], image)
    strip = below[size_px:].mean(axis=-1)
    lit = np.nonzero((strip > 180).any(axis=0))[0]
    assert 0.5 * size_px < lit.max() - lit.min() < size_px, (
        "the words fill most of the width, so they can be read when small"
    )


def test_the_words_for_a_marked_picture_say_so_first() -> None:
    assert marked_picture(np.zeros((64, 64, 3), np.uint8), "somebody", LABEL, Media()).alt == f"{LABEL}: somebody"


def test_side_by_side_keeps_the_generated_pixels_and_fits_the_driving_ones(frames: np.ndarray) -> None:
    driving = np.full((12, 192, 192, 3), 90, np.uint8)
    composed = side_by_side(driving, frames)
    assert composed.shape == (12, 96, 96 + GAP_PX + 128, 3)
    assert np.array_equal(composed[:, :, -128:], frames)
    assert (composed[:, :, :96] == 90).all()


def test_side_by_side_has_even_sides_whatever_comes_in() -> None:
    composed = side_by_side(np.zeros((1, 100, 75, 3), np.uint8), np.zeros((1, 65, 65, 3), np.uint8))
    assert composed.shape[1] % 2 == composed.shape[2] % 2 == 0


def test_side_by_side_refuses_halves_of_different_length(frames: np.ndarray) -> None:
    with pytest.raises(ValueError, match="11 driving frames but 12 generated"):
        side_by_side(frames[:11], frames)


def test_the_label_lies_on_the_generated_half(frames: np.ndarray) -> None:
    composed = side_by_side(frames[:, :, :96], frames)
    changed = (labelled(composed) != composed).any(axis=(0, 1, 3))
    assert np.nonzero(changed)[0].min() >= 96 + GAP_PX

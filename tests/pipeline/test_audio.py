"""Sound is cut to the sample, at the same times as the frames."""

from pathlib import Path

import numpy as np
import pytest

from pipeline import sound_track
from pipeline.audio import Sound, decode_flac, encode_flac
from pipeline.sound_track import Span
from tests.pipeline.conftest import ffmpeg

RATE_HZ = 16_000


def read_sound(path: Path, start_s: float, end_s: float) -> Sound | None:
    return sound_track.read_sound(path, Span(start_s=start_s, end_s=end_s))


def sweep(start_s: float, end_s: float) -> np.ndarray:
    """Return a tone that rises with time, so that every moment sounds different."""
    times = np.arange(round(start_s * RATE_HZ), round(end_s * RATE_HZ)) / RATE_HZ
    return 0.5 * np.sin(2 * np.pi * times * (200 + 100 * times))


def film(path: Path, *options: str) -> Path:
    picture = ("-f", "lavfi", "-i", "testsrc=size=128x96:rate=25:duration=4")
    tone = ("-f", "lavfi", "-i", f"aevalsrc=0.5*sin(2*PI*t*(200+100*t)):s={RATE_HZ}:d=4")
    ffmpeg(*picture, *tone, "-c:v", "libx264", *options, str(path))
    return path


def test_uncompressed_sound_comes_out_sample_by_sample(tmp_path: Path) -> None:
    sound = read_sound(film(tmp_path / "v.mkv", "-c:a", "pcm_s16le"), 1.0, 2.5)
    assert sound is not None
    assert (sound.rate_hz, sound.start_s, sound.samples.shape) == (RATE_HZ, 1.0, (RATE_HZ * 3 // 2, 1))
    assert np.abs(sound.samples[:, 0] - sweep(1.0, 2.5) * 32767).max() <= 1.5


def test_compressed_sound_is_not_shifted(tmp_path: Path) -> None:
    sound = read_sound(film(tmp_path / "v.mp4", "-c:a", "aac", "-ac", "2"), 1.0, 2.0)
    assert sound is not None
    assert sound.samples.shape == (RATE_HZ, 2)
    assert np.corrcoef(sound.samples[:, 0], sweep(1.0, 2.0))[0, 1] > 0.999


def test_times_count_from_the_first_frame_even_if_the_file_starts_later(tmp_path: Path) -> None:
    plain, late = film(tmp_path / "v.mkv", "-c:a", "pcm_s16le"), tmp_path / "late.mkv"
    ffmpeg("-i", str(plain), "-c", "copy", "-output_ts_offset", "7", str(late))
    one, other = read_sound(plain, 0.5, 1.5), read_sound(late, 0.5, 1.5)
    assert one is not None
    assert other is not None
    assert np.array_equal(one.samples, other.samples)


def test_what_was_not_recorded_is_absent(tmp_path: Path) -> None:
    silent, path = tmp_path / "s.mkv", film(tmp_path / "v.mkv", "-c:a", "pcm_s16le")
    ffmpeg("-i", str(path), "-an", "-c:v", "copy", str(silent))
    assert read_sound(silent, 0, 1) is None
    assert read_sound(path, 10, 11) is None
    tail = read_sound(path, 3.5, 9)
    assert tail is not None
    assert len(tail.samples) == RATE_HZ // 2


@pytest.mark.parametrize("channels", [1, 2])
def test_flac_keeps_every_sample_and_always_the_same_bytes(tmp_path: Path, channels: int) -> None:
    sound = read_sound(film(tmp_path / "v.mkv", "-c:a", "pcm_s16le", "-ac", str(channels)), 0.0, 1.0)
    assert sound is not None
    encoded = encode_flac(sound)
    assert encoded == encode_flac(sound)
    assert np.array_equal(decode_flac(encoded), sound.samples)
    assert len(encoded) < sound.samples.nbytes

"""Cutting a track to the time of a clip: in step or not at all."""

from pathlib import Path

import numpy as np
import pytest

from pipeline import sound_track
from pipeline.audio import FlacEncoder, Sound, decode_flac, encode_flac
from pipeline.sound_track import Span, cut_sound, read_sound
from pipeline.verdicts import SoundFlaw
from tests.pipeline.conftest import ffmpeg
from tests.pipeline.sounds import BURST_S, LENGTH_S, NOISE, RATE_HZ, TONE, WITH_SOUND, film, make_films, onset_s


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A burst, no sound, a damaged track, stereo. Not to be changed."""
    return make_films(tmp_path_factory.mktemp("films"))


def test_a_clip_behind_the_damage_stays_without_sound(films: dict[str, Path]) -> None:
    cut = cut_sound(films["cy"], 0.0, Span(start_s=2.3, end_s=2.9), WITH_SOUND)
    assert (cut.flac, cut.samples, cut.flaw) == (b"", 0, SoundFlaw.DAMAGED)


def test_sound_with_a_gap_ends_there_instead_of_getting_out_of_step(tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.mkv", f"{NOISE}5", "-c:a", "pcm_s16le")
    cut = r"aselect=not(between(t\,1\,1.5))"
    ffmpeg("-i", str(whole), "-af", cut, "-c:a", "pcm_s16le", "-c:v", "copy", str(tmp_path / "gap.mkv"))
    sound = cut_sound(tmp_path / "gap.mkv", 0.0, Span(start_s=0.5, end_s=2.5), WITH_SOUND)
    assert sound.flaw is SoundFlaw.DISCONTINUOUS
    assert sound.samples / RATE_HZ == pytest.approx(0.5, abs=0.1)
    behind = cut_sound(tmp_path / "gap.mkv", 0.0, Span(start_s=1.8, end_s=2.5), WITH_SOUND)
    assert (behind.flaw, behind.samples) == (None, round(0.7 * RATE_HZ))


def test_a_track_that_begins_after_the_frames_says_when_it_begins(tmp_path: Path) -> None:
    path = film(tmp_path / "ann.mkv", TONE, "-c:a", "pcm_s16le")
    late = tmp_path / "late.mkv"
    ffmpeg("-i", str(path), "-itsoffset", "0.5", "-i", str(path), "-map", "0:v", "-map", "1:a", "-c", "copy", str(late))
    sound = read_sound(late, Span(start_s=0.2, end_s=3.0))
    assert sound is not None
    assert sound.start_s == pytest.approx(0.5, abs=1e-3)
    assert onset_s(sound) == pytest.approx(BURST_S + 0.5, abs=2e-3)


def test_sound_without_samples_at_that_time_is_a_flaw_of_its_own(films: dict[str, Path]) -> None:
    assert cut_sound(films["ann"], 0.0, Span(start_s=8, end_s=9), WITH_SOUND).flaw is SoundFlaw.NO_SAMPLES


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "aac"), ("mkv", "libmp3lame"), ("mkv", "pcm_s16le")])
def test_a_seek_gives_the_samples_that_decoding_from_the_start_gives(
    tmp_path: Path, suffix: str, codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = ("-f", "lavfi", "-i", "color=size=64x64:rate=25:duration=12", "-c:v", "libx264", "-g", "50")
    noise = f"anoisesrc=d=12:c=pink:r={RATE_HZ}:a=0.3:seed=6"
    path = tmp_path / f"long.{suffix}"
    ffmpeg(*picture[:4], "-f", "lavfi", "-i", noise, *picture[4:], "-c:a", codec, str(path))
    sought = read_sound(path, Span(start_s=9.03, end_s=10.5))
    monkeypatch.setattr(sound_track, "SEEKABLE", set())
    read = read_sound(path, Span(start_s=9.03, end_s=10.5))
    assert sought is not None
    assert read is not None
    assert sought.start_s == read.start_s
    assert np.array_equal(sought.samples, read.samples)


def test_an_unknown_codec_is_a_flaw_of_its_own(films: dict[str, Path], tmp_path: Path) -> None:
    strange = tmp_path / "strange.mkv"
    strange.write_bytes(films["ann"].read_bytes().replace(b"A_PCM/INT/LIT", b"A_XYZ/INT/LIT"))
    cut = cut_sound(strange, 0.0, Span(start_s=0, end_s=1), WITH_SOUND)
    assert (cut.flac, cut.flaw) == (b"", SoundFlaw.UNSUPPORTED)


def test_an_interlaced_video_is_heard_in_time_too(films: dict[str, Path], tmp_path: Path) -> None:
    """Deinterlacing changes the unit of time stamps."""
    path = tmp_path / "fields.mp4"
    fields = ("-vf", "setfield=tff", "-c:v", "libx264", "-flags", "+ildct+ilme", "-x264opts", "tff=1")
    ffmpeg("-i", str(films["ann"]), *fields, "-c:a", "aac", "-output_ts_offset", "7", str(path))
    sound = read_sound(path, Span(start_s=1.0, end_s=2.4))
    assert sound is not None
    assert onset_s(sound) == pytest.approx(BURST_S, abs=0.01)


def test_memory_is_bounded_by_leaving_out_what_is_too_large(films: dict[str, Path], tmp_path: Path) -> None:
    noise = f"anoisesrc=d={LENGTH_S}:r=192000:a=0.9"
    loud = film(tmp_path / "loud.mkv", f"{noise}[l];{noise}:seed=2[r];[l][r]amerge", "-c:a", "pcm_s16le")
    tight = WITH_SOUND.model_copy(update={"clip_memory_mib": 16})
    cut = cut_sound(loud, 0.0, Span(start_s=0, end_s=LENGTH_S), tight)
    assert (cut.flac, cut.flaw) == (b"", SoundFlaw.TOO_LARGE)
    assert cut_sound(films["ann"], 0.0, Span(start_s=0, end_s=LENGTH_S), tight).flaw is None


def test_a_clip_whose_sound_takes_too_long_is_kept_without(films: dict[str, Path]) -> None:
    hurried = WITH_SOUND.model_copy(update={"clip_timeout_s": 0.0})
    assert cut_sound(films["ann"], 0.0, Span(start_s=0, end_s=1), hurried).flaw is SoundFlaw.TIMEOUT


def test_flac_in_pieces_is_the_flac_of_the_whole() -> None:
    samples = np.random.default_rng(3).integers(-9000, 9000, (30_000, 2)).astype(np.int16)
    whole = encode_flac(Sound(samples=samples, rate_hz=RATE_HZ, start_s=0.0))
    encoder = FlacEncoder(RATE_HZ, 2)
    for piece in np.split(samples, [1, 17, 5000, 5001, 20_000]):
        encoder.add(piece)
    assert encoder.finish() == whole
    np.testing.assert_array_equal(decode_flac(whole), samples)

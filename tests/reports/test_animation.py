"""Driving a person: what can be given, what comes out, and what is refused."""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from pipeline.sound_track import Span, read_sound
from reports.animation import Request, animate
from tests.model.conftest import write_tiny
from tests.pipeline.conftest import SMALL, disc_frames, discs_for_faces, encode_video, ffmpeg, manifest_of, run
from weights.errors import HeadshotError


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that has learned nothing. Not to be changed."""
    return write_tiny(tmp_path_factory.mktemp("checkpoint"))


def request(support: str, driving: str, shots: int = 1) -> Request:
    return Request(support=support, driving=driving, shots=shots, fine_tune=False, data=Path("absent"), seed=0)


def test_only_mp4_is_written(untrained: Path) -> None:
    with pytest.raises(HeadshotError, match=r"ends in \.mp4"):
        animate(request("a", "b"), untrained, Path("out.gif"))


def test_a_folder_without_pictures_is_refused(untrained: Path, tmp_path: Path) -> None:
    with pytest.raises(HeadshotError, match="holds no picture"):
        animate(request(str(tmp_path), "b"), untrained, tmp_path / "out.mp4")


def test_a_name_that_is_neither_file_nor_clip_is_refused(untrained: Path, tmp_path: Path) -> None:
    with pytest.raises(HeadshotError, match="dataset"):
        animate(request("nobody/nothing/full", "b"), untrained, tmp_path / "out.mp4")


@pytest.mark.slow
def test_the_driving_clip_is_heard_in_sync_with_its_frames(untrained: Path, tmp_path: Path) -> None:
    """Faces are discs; frames 20 to 24 have none and are left out, so the burst at 1.2 s is heard at 1.0 s."""
    frames = disc_frames(50)
    frames[20:25] = disc_frames(5, [])
    silent, video = encode_video(tmp_path / "silent.mp4", frames), tmp_path / "ann.mkv"
    tone = r"aevalsrc=0.5*sin(2*PI*1000*t)*between(t\,1.2\,1.3):s=16000:d=2"
    ffmpeg("-i", str(silent), "-f", "lavfi", "-i", tone, "-c:v", "copy", "-c:a", "pcm_s16le", str(video))
    data, out, key = tmp_path / "data", tmp_path / "out.mp4", "ann/video/full"
    asked = replace(request(key, key), data=data)
    with discs_for_faces():
        run(manifest_of(video), data, SMALL.model_copy(update={"audio": True}))
        result = animate(asked, untrained, out)
        assert (result.frames, result.skipped, result.fps, result.sound) == (45, 5, pytest.approx(25), True)
        assert heard_at_s(out) == pytest.approx(1.0, abs=0.02)
        animate(replace(asked, driving=str(video)), untrained, out)
        assert heard_at_s(out) == pytest.approx(1.0, abs=0.02)
        assert not animate(replace(asked, driving=str(silent)), untrained, out).sound
    with av.open(str(out)) as written:
        assert not written.streams.audio


def heard_at_s(video: Path) -> float:
    sound = read_sound(video, Span(start_s=0, end_s=10))
    assert sound is not None
    return float(np.flatnonzero(np.abs(sound.samples[:, 0].astype(int)) > 4000)[0]) / sound.rate_hz


@pytest.mark.slow
def test_a_picture_without_a_face_is_refused(untrained: Path, tmp_path: Path) -> None:
    Image.fromarray(np.full((200, 200, 3), 90, np.uint8)).save(tmp_path / "wall.png")
    with pytest.raises(HeadshotError, match="shows no face"):
        animate(request(str(tmp_path / "wall.png"), "b"), untrained, tmp_path / "out.mp4")


@pytest.mark.slow
def test_a_still_follows_a_clip_and_is_labelled(untrained: Path, shared_dir: Path, tmp_path: Path) -> None:
    """One public-domain picture, driven by a real clip: as many frames as the clip, marked as synthetic."""
    from skimage import data

    Image.fromarray(data.astronaut()).save(tmp_path / "person.png")
    driving = shared_dir / "clips" / "LipNet-GRID__brbk7n.mpg"
    out = tmp_path / "out.mp4"
    result = animate(request(str(tmp_path / "person.png"), str(driving)), untrained, out)
    assert result.frames + result.skipped == 75
    assert result.fps == pytest.approx(25, rel=0.01)
    assert result.sound
    with av.open(str(out)) as video:
        assert sum(1 for _ in video.decode(video=0)) == result.frames
        assert video.metadata["comment"].startswith("AI-generated")
    with pytest.raises(HeadshotError, match="1 usable frames, --shots asks for 2"):
        animate(request(str(tmp_path / "person.png"), str(driving), shots=2), untrained, out)

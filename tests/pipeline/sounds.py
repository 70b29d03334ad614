"""Films with sound, and where in it something is heard."""

from pathlib import Path

import av
import numpy as np

from pipeline.audio import Sound
from tests.pipeline.conftest import SMALL, disc_frames, encode_video, ffmpeg

RATE_HZ = 16_000
BURST_S = 1.6
LENGTH_S = 3
WITH_SOUND = SMALL.model_copy(update={"audio": True, "min_shards": 1})
TONE = f"aevalsrc=0.5*sin(2*PI*1000*t)*between(t\\,{BURST_S}\\,{BURST_S + 0.1}):s={RATE_HZ}:d={LENGTH_S}"
NOISE = f"anoisesrc=d={LENGTH_S}:c=pink:r={RATE_HZ}:a=0.3:seed="


def film(path: Path, sound: str | None, *options: str) -> Path:
    """Write three seconds of a swaying disc, with sound."""
    silent = encode_video(path.with_name(f"silent-{path.stem}.mp4"), disc_frames(25 * LENGTH_S))
    if sound is None:
        return silent.rename(path)
    ffmpeg("-i", str(silent), "-f", "lavfi", "-i", sound, "-c:v", "copy", *options, str(path))
    silent.unlink()
    return path


def damage_sound(path: Path, from_s: float) -> None:
    """Overwrite the packets of the sound track from some time on."""
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        for packet in container.demux(container.streams.audio[0]):
            if packet.size and packet.pos is not None and packet.pts * packet.time_base >= from_s:
                content[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    path.write_bytes(content)


def onset_s(sound: Sound) -> float:
    """Return when the burst begins, on the clock of `start_s`."""
    loud = np.abs(sound.samples[:, 0].astype(int)) > 1000
    return sound.start_s + float(np.flatnonzero(loud)[0]) / sound.rate_hz


def make_films(folder: Path) -> dict[str, Path]:
    """Write Ann with a burst, Bob without sound, Cy whose track is damaged from 2 s on, and Dora in stereo."""
    found = {
        "ann": film(folder / "ann.mkv", TONE, "-c:a", "pcm_s16le"),
        "bob": film(folder / "bob.mp4", None),
        "cy": film(folder / "cy.mp4", f"{NOISE}3", "-c:a", "aac"),
        "dora": film(folder / "dora.mp4", f"{NOISE}4", "-c:a", "aac", "-ac", "2"),
    }
    damage_sound(found["cy"], 2.0)
    return found

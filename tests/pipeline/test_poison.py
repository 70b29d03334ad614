"""Files that are made to hurt end as rejects, in their time and memory, and touch nothing beside themselves."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipeline.config import PipelineConfig
from pipeline.store import Store
from tests.pipeline import poison
from tests.pipeline.conftest import REPOSITORY, SMALL, clip_of, disc_frames, encode_video, ffmpeg, manifest_of, run

H264 = ("-c:v", "libx264", "-g", "12", "-pix_fmt", "yuv420p")


def rejected(files: list[Path], folder: Path, config: PipelineConfig = SMALL) -> dict[str, str]:
    """Make a dataset of the files and a good one among them, which has to land; return why the others did not."""
    good = encode_video(folder / "good.mp4", disc_frames(30))
    clips = [clip_of(path, identity=path.name.replace(".", "-")) for path in [*files, good]]
    run(manifest_of(*clips), folder / "data", config)
    store = Store.open(folder / "data")
    assert [clip.identity for clip in store.clips] == ["good-mp4"]
    assert all(reject.detail for reject in store.rejects)
    return {reject.identity: reject.reason for reject in store.rejects}


@pytest.mark.usefixtures("discs_are_faces")
def test_files_that_claim_huge_pictures_are_not_decoded(tmp_path: Path) -> None:
    files = list(poison.header_bombs(tmp_path))
    reasons = rejected(files, tmp_path)
    assert len(reasons) == len(files)
    assert set(reasons.values()) == {"unreadable", "unsupported"}


@pytest.mark.usefixtures("discs_are_faces")
def test_files_whose_boxes_lie_about_their_size_are_rejected(tmp_path: Path) -> None:
    files = list(poison.tiny_boxes(tmp_path))
    reasons = rejected(files, tmp_path)
    assert len(reasons) == len(files)
    assert set(reasons.values()) <= {"unreadable", "no_video", "too_short", "failed"}


@pytest.mark.usefixtures("discs_are_faces")
def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    """Opening a pipe that nobody writes to would block, and /dev/zero has no end."""
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "zero.mp4").symlink_to("/dev/zero")
    (tmp_path / "loop.mp4").symlink_to("loop.mp4")
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "zeros.mp4").write_bytes(bytes(3_000_000))
    names = ("pipe", "zero", "loop", "folder", "empty", "zeros")
    reasons = rejected([tmp_path / f"{name}.mp4" for name in names], tmp_path)
    assert reasons == {
        **{f"{name}-mp4": "missing_source" for name in names[:4]},
        "empty-mp4": "unreadable",
        "zeros-mp4": "unreadable",
    }


@pytest.mark.usefixtures("discs_are_faces")
def test_frames_that_are_years_apart_have_damaged_time_stamps(tmp_path: Path) -> None:
    path = poison.far_apart(tmp_path)
    assert rejected([path], tmp_path) == {"far-mkv": "unreadable"}
    (reject,) = Store.open(tmp_path / "data").rejects
    assert re.search(r"frame \d+ says that it is shown [\d,]+ days after the first", reject.detail)


@dataclass
class Traps:
    """A pipe that notices being opened for reading, and a port that notices connections."""

    pipe: Path
    listener: socket.socket
    opened: int = 0
    connected: int = 0
    _stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def watch(self) -> None:
        """Whoever opens the pipe waits for a writer, so looking now and then misses nobody."""
        self.listener.setblocking(False)
        while not self._stopped.wait(0.005):
            try:
                os.close(os.open(self.pipe, os.O_WRONLY | os.O_NONBLOCK))
                self.opened += 1
            except OSError:  # nobody reads
                pass
            try:
                self.listener.accept()[0].close()
                self.connected += 1
            except BlockingIOError:
                pass

    def stop(self) -> None:
        self._stopped.set()


@pytest.fixture
def traps(tmp_path: Path) -> Iterator[Traps]:
    """Traps that are being watched."""
    os.mkfifo(tmp_path / "canary.mp4")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Traps(pipe=tmp_path / "canary.mp4", listener=listener)
        watcher = threading.Thread(target=made.watch, daemon=True)
        watcher.start()
        yield made
        made.stop()
        watcher.join()


@pytest.mark.usefixtures("discs_are_faces")
def test_playlists_open_no_other_file_and_no_connection(tmp_path: Path, traps: Traps) -> None:
    files = list(poison.playlists(tmp_path, traps.pipe, traps.url))
    reasons = rejected(files, tmp_path)
    assert len(reasons) == len(files)
    assert set(reasons.values()) == {"unreadable"}
    assert (traps.opened, traps.connected) == (0, 0)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("scheme.m3u8", {"allowed_extensions": "ALL", "extension_picky": "0"}),
        ("host.m3u8", {"allowed_extensions": "ALL", "extension_picky": "0", "protocol_whitelist": "file,http,tcp"}),
        ("file.ffconcat", {"safe": "0"}),
        ("host.ffconcat", {"safe": "0", "protocol_whitelist": "file,http,tcp"}),
        ("reference.mov", {"enable_drefs": "1", "use_absolute_path": "1"}),
    ],
)
def test_the_traps_catch_a_reader_without_our_limits(
    tmp_path: Path, traps: Traps, name: str, options: dict[str, str]
) -> None:
    """Guards the test above: the files do name the traps in a way that FFmpeg follows."""
    list(poison.playlists(tmp_path, traps.pipe, traps.url))
    code = f"import av; c = av.open({str(tmp_path / name)!r}, options={options!r}); next(c.decode(video=0))"
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as reader:
        end = time.monotonic() + 20
        while not traps.opened + traps.connected and reader.poll() is None and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.05)
        reader.kill()
    assert (traps.connected if name.startswith("host") else traps.opened) > 0


@pytest.mark.slow
@pytest.mark.usefixtures("discs_are_faces")
def test_damaged_files_end_as_frames_or_as_rejects_with_a_reason(tmp_path: Path) -> None:
    """200 files with every thousandth byte changed, in five containers and codecs; none ends in an exception."""
    kinds = {"mp4": H264, "mkv": H264, "avi": ("-c:v", "mpeg4"), "mpg": ("-c:v", "mpeg1video"), "webm": ("-c:v", "vp9")}
    whole = {
        suffix: encode_video(tmp_path / f"whole.{suffix}", disc_frames(40), "25", options).read_bytes()
        for suffix, options in kinds.items()
    }
    clips = []
    for seed in range(200):
        suffix = list(kinds)[seed % len(kinds)]
        path = tmp_path / f"damaged-{seed}.{suffix}"
        path.write_bytes(poison.corrupted(whole[suffix], seed))
        clips.append(clip_of(path))
    run(manifest_of(*clips, encode_video(tmp_path / "good.mp4", disc_frames(30))), tmp_path / "data")
    store = Store.open(tmp_path / "data")
    assert len(store.clips) + len(store.rejects) == 201
    assert "good" in {clip.identity for clip in store.clips}
    failed = [reject.detail for reject in store.rejects if reject.reason == "failed"]
    assert all("more memory than a clip may take" in detail for detail in failed)  # a damaged number of bytes


RUN_GUARDED = """
import json, re, sys
from pathlib import Path
from manifests.schema import Manifest
from pipeline.config import PipelineConfig
from pipeline.jobs import ShardJob
from pipeline.limits import guarded
from pipeline.plan import make_plan
from pipeline.shards import build_shard
from tests.pipeline.conftest import discs_for_faces
manifest, out, limits = Manifest.model_validate_json(Path(sys.argv[1]).read_text()), Path(sys.argv[2]), sys.argv[3]
config = PipelineConfig(size_px=64, min_frames=10, min_shards=1, recognise=False, **json.loads(limits))
(plan,) = make_plan(manifest, config).shards
job = ShardJob(plan=plan, config=config, clip_folder=out, root=out, condemned={})
with discs_for_faces():
    record = build_shard(job, guard=guarded)
# Not ru_maxrss: that of a new process begins at the size of the process it was forked from.
peak_mib = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024
clips = {clip.clip.identity: "" for clip in record.clips}
rejects = {reject.clip.identity: [reject.reason, reject.detail] for reject in record.rejects}
print(json.dumps([peak_mib, clips | rejects]))
"""
"""What a worker does with a shard, in a process of its own, with discs for faces."""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is bounded on Linux")
def test_files_that_would_take_all_memory_or_time_end_within_what_a_clip_may_take(tmp_path: Path) -> None:
    """Time and memory of a clip are small here; a process that had to be ended by its alarm would fail the test."""
    hour = tmp_path / "hour.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=gray:size=64x48:rate=25:duration=3600", "-c:v", "mpeg4", "-g", "600", str(hour))
    sparse = tmp_path / "terabyte.mkv"
    sparse.write_bytes(encode_video(tmp_path / "head.mkv", disc_frames(30), "25", H264).read_bytes())
    os.truncate(sparse, 2**40)
    expected = {
        hour: {"no_face"},
        sparse: set(),
        poison.gif_of_many_canvases(tmp_path): {"failed"},
        poison.inflating(tmp_path): {"unreadable"},
        poison.million_samples(tmp_path): {"unreadable", "failed"},
        poison.far_apart(tmp_path): {"unreadable"},
    }
    good = encode_video(tmp_path / "good.mp4", disc_frames(30))
    manifest, out = tmp_path / "manifest.json", tmp_path / "data"
    clips = [clip_of(path, identity=path.stem) for path in [*expected, good]]
    manifest.write_text(manifest_of(*clips).model_dump_json())
    limits = {"clip_timeout_s": 5, "clip_memory_mib": 512}
    command = [sys.executable, "-c", RUN_GUARDED, str(manifest), str(out), json.dumps(limits)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    peak_mib, verdicts = json.loads(ended.stdout.splitlines()[-1])
    assert verdicts.pop("good") == "", verdicts
    for path, reasons in expected.items():
        reason, detail = verdicts.pop(path.stem)
        assert reason in reasons | {"timeout"}, detail
    assert not verdicts
    assert peak_mib < 512 + 400  # Python, OpenCV and the libraries take the rest

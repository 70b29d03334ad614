"""What a clip may take: a clip that hangs, eats memory or kills its process is left out, and no other."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.config import PipelineConfig
from pipeline.preprocess import preprocess
from pipeline.store import Store
from tests.pipeline.conftest import REPOSITORY, clip_of, disc_frames, encode_video, manifest_of

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is bounded on Linux")

ASK_FOR_MEMORY = """
import sys
from pipeline.config import PipelineConfig
from pipeline.limits import guarded
before = bytearray(200 << 20)
with guarded(PipelineConfig(clip_memory_mib=100)):
    fits = bytearray(80 << 20)
    try:
        bytearray(100 << 20)
    except MemoryError:
        print("refused")
    del fits
bytearray(300 << 20)
print("free again")
"""


@linux
def test_memory_beyond_the_bound_is_refused_and_given_again_afterwards() -> None:
    """What the process had before does not count."""
    command = [sys.executable, "-c", ASK_FOR_MEMORY]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert ended.stdout.split() == ["refused", "free", "again"]


HANG = """
import ctypes, signal
from pipeline import limits
from pipeline.config import PipelineConfig
limits.GRACE_S = 0.5
with limits.guarded(PipelineConfig(clip_timeout_s=0.1)):
    pass
with limits.guarded(PipelineConfig(clip_timeout_s=0.1)):
    ctypes.PyDLL(None).sleep(60)
"""


def test_a_call_that_never_returns_to_python_ends_with_its_process() -> None:
    """`PyDLL` keeps the interpreter locked: no thread of Python could do anything about it."""
    ended = subprocess.run([sys.executable, "-c", HANG], check=False, cwd=REPOSITORY, timeout=30)
    assert ended.returncode == -signal.SIGALRM


def test_limits_change_no_plan() -> None:
    tight = PipelineConfig(clip_timeout_s=1, clip_memory_mib=100)
    assert tight.sha256() == PipelineConfig().sha256()
    assert PipelineConfig(size_px=64).sha256() != PipelineConfig().sha256()


MISBEHAVE = """
import ctypes, os, sys
if os.environ.get("MISBEHAVE"):
    from pipeline import limits, sources
    limits.hard_limit_s = lambda _: 8.0
    opened = sources.open_video

    def open_video(path):
        if path.stem == "hang":
            ctypes.PyDLL(None).sleep(600)
        if path.stem == "hog":
            hoard = [bytearray(50 << 20) for _ in range(1000)]
        if path.stem == "abort":
            os.abort()
        return opened(path)

    sources.open_video = open_video
"""
"""What every Python process of a run does first, workers and quarantine included."""


@linux
@pytest.mark.slow
def test_clips_that_hang_hog_or_abort_are_rejected_and_their_neighbours_land(
    samples: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In real workers, in the same shards as good clips; the hanging one holds the interpreter."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(MISBEHAVE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "site"), str(REPOSITORY)]))
    monkeypatch.setenv("MISBEHAVE", "1")
    bad = [encode_video(tmp_path / f"{name}.mp4", disc_frames(30)) for name in ("abort", "hang", "hog")]
    good = [clip_of(samples["pyfeat-man"], identity=name) for name in ("alice", "hugo", "ines", "zoe")]
    config = PipelineConfig(size_px=64, min_frames=10, min_shards=2, clip_memory_mib=600)
    out = tmp_path / "data"
    preprocess(manifest_of(*bad, *good), tmp_path, out, config, workers=2)
    store = Store.open(out)
    rejects = {reject.identity: (reject.reason, reject.detail) for reject in store.rejects}
    assert set(rejects) == {"abort", "hang", "hog"}, rejects
    assert [clip.identity for clip in store.clips] == ["alice", "hugo", "ines", "zoe"]
    assert rejects["abort"][0] == "crashed"
    assert "SIGABRT" in rejects["abort"][1]
    assert rejects["hang"][0] == "timeout"
    assert "stuck in one call" in rejects["hang"][1]
    assert rejects["hog"][0] == "failed"
    assert "more memory than a clip may take (600 MiB" in rejects["hog"][1]

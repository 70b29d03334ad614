"""Real processes that are killed while they work; `python -m benchmarks.chaos --kills 50` does more of it."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import chaos
from manifests.readers import read_manifest
from pipeline.config import PipelineConfig
from pipeline.preprocess import preprocess
from pipeline.status import status, verify

pytestmark = pytest.mark.slow


@pytest.mark.usefixtures("samples")
def test_kills_of_workers_scheduler_and_client_leave_no_trace(tmp_path: Path) -> None:
    outcome = chaos.chaos(kills=4, workers=2, seed=0, folder=tmp_path)
    assert outcome.kills.total() == 4
    assert outcome.runs >= 1
    assert outcome.faults == []


@pytest.mark.usefixtures("samples")
def test_parts_that_are_killed_and_called_again_leave_no_trace(tmp_path: Path) -> None:
    """Three parts at once, like an array job; each is killed once while it may be writing."""
    chaos.write_manifest(tmp_path)
    manifest, data = tmp_path / "chaos.toml", tmp_path / "data"
    config = PipelineConfig(size_px=chaos.SIZE_PX)
    preprocess(read_manifest(manifest), tmp_path, tmp_path / "calm", config, workers=0)
    command = [sys.executable, "-m", "headshot", "preprocess", "--size", str(chaos.SIZE_PX), "--workers", "1"]
    command += ["--manifest", str(manifest), "--videos", str(tmp_path), "--data", str(data), "--part"]

    def start() -> list[subprocess.Popen[bytes]]:
        parts = (f"{number}/3" for number in (1, 2, 3))
        return [subprocess.Popen([*command, part], start_new_session=True, stdout=subprocess.DEVNULL) for part in parts]

    rng = random.Random(0)
    for process in start():
        time.sleep(rng.uniform(1.0, 3.0))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert [process.wait() for process in start()] == [0, 0, 0]
    assert status(data).finished
    assert verify(data) == ()
    assert chaos.differences(chaos.files_of(tmp_path / "calm"), data) == []

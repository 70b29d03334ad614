"""Kill workers, scheduler and client at random, and look at what is left: `python -m benchmarks.chaos --kills 50`.

Real `dask scheduler` and `dask worker` processes on this machine make the same small dataset again and again, and
are killed with SIGKILL at random moments. Whatever dies is started again, as a batch system would, and the client's
command is repeated until the dataset is finished. Then every file has to be what an undisturbed run makes of it, no
clip may have been rejected that is not bad, and no temporary file may be left.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.loopback import Loopback, loopback
from manifests.readers import DEMO, read_manifest
from manifests.samples import fetch_samples
from pipeline.config import PipelineConfig
from pipeline.layout import DatasetLayout
from pipeline.preprocess import preprocess
from weights.errors import HeadshotError
from weights.files import sha256_of

ODDS = {"worker": 4, "nanny": 2, "scheduler": 2, "client": 2}
"""How often each is killed. A nanny takes its worker along."""
AT_WORK = 0.8
"""Share of the kills that wait until a shard is being written; the others come at any moment."""
PAUSE_S = 8.0
"""Longest time between two kills."""
FRESH_S = 1.0
STRETCHES = 12
SIZE_PX = 64
STUCK_S = 180.0
"""A run without a kill that takes longer is taken for stuck."""
CLIP = """
[[clips]]
identity = "man"
video = "carphone"
clip = "part-{number:02d}"
split = "train"
licence = "see manifests/demo.toml"
consent = "see manifests/demo.toml"
source = {{ kind = "file", path = "{path}" }}
start_s = {start_s}
end_s = {end_s}
"""


@dataclass
class Outcome:
    """What came of it."""

    kills: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    """Finished datasets."""
    commands: int = 0
    """Clients started for them."""
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        kills = ", ".join(f"{count} x {kind}" for kind, count in sorted(self.kills.items()))
        result = "; ".join(self.faults) or "same bytes, no innocent clip rejected, no temporary file left"
        return (
            f"{self.kills.total()} kills ({kills}) over {self.runs} datasets and {self.commands} commands in "
            f"{self.seconds:.0f} s: {result}"
        )


class Client:
    """`headshot preprocess` in a process of its own, repeated until it gets through."""

    def __init__(self, address: str, folder: Path, data: Path) -> None:
        self._command = [sys.executable, "-m", "headshot", "preprocess", "--size", str(SIZE_PX)]
        self._command += ["--manifest", str(folder / "chaos.toml"), "--videos", str(folder), "--data", str(data)]
        self._address = address
        self.layout = DatasetLayout(data)
        self._log = folder / "client.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.started = 0

    @property
    def pids(self) -> list[int]:
        """Its process, if it is alive."""
        return [self._process.pid] if self._process and self._process.poll() is None else []

    def tend(self) -> int | None:
        """Start it if it is not running; return how the last one ended, None while it is at work."""
        code = self._process.poll() if self._process else None
        if self._process is None or (code is not None and code != 0):
            with self._log.open("ab") as log:
                environment = {**os.environ, "DASK_SCHEDULER_ADDRESS": self._address}
                self._process = subprocess.Popen(self._command, stdout=log, stderr=log, env=environment)
            self.started += 1
        return code

    def stop(self) -> None:
        """End it."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def is_writing(self) -> bool:
        """Return whether some worker is writing a shard; what a dead one left behind does not count."""
        now = time.time()
        return any(now - _changed(path) < FRESH_S for path in self.layout.stale_files())


def chaos(kills: int, workers: int, seed: int, folder: Path) -> Outcome:
    """Kill that many processes and return what came of it.

    Args:
        kills: SIGKILLs.
        workers: Worker processes.
        seed: Of moments and victims.
        folder: For everything that is made.
    """
    rng, outcome, started = random.Random(seed), Outcome(), time.monotonic()
    calm, data = folder / "calm", folder / "data"
    write_manifest(folder)
    config = PipelineConfig(size_px=SIZE_PX)
    preprocess(read_manifest(folder / "chaos.toml"), folder, calm, config, workers=0)
    truth = files_of(calm)
    with loopback(workers, folder) as cluster:
        while outcome.kills.total() < kills:
            shutil.rmtree(data, ignore_errors=True)
            client = Client(cluster.address, folder, data)
            try:
                _disturb(cluster, client, kills, rng, outcome)
            finally:
                client.stop()
            outcome.runs += 1
            outcome.commands += client.started
            outcome.faults += [f"run {outcome.runs}: {fault}" for fault in differences(truth, data)]
    outcome.seconds = time.monotonic() - started
    return outcome


def _disturb(cluster: Loopback, client: Client, kills: int, rng: random.Random, outcome: Outcome) -> None:
    """Have the dataset made, with kills in between, until it is finished."""
    started = time.monotonic()
    after, at_work = started + rng.uniform(0.0, PAUSE_S), rng.random() < AT_WORK
    while True:
        cluster.tend()
        code = client.tend()
        if code == 0:
            return
        if code is not None and code not in (2, -signal.SIGKILL):
            outcome.faults.append(f"a client ended with code {code}")
        now = time.monotonic()
        if outcome.kills.total() < kills and now >= after and (not at_work or client.is_writing()):
            time.sleep(rng.uniform(0.0, 0.5))
            (kind,) = rng.choices(list(ODDS), weights=list(ODDS.values()))
            pids = client.pids if kind == "client" else cluster.pids(kind)
            if pids:
                os.kill(rng.choice(pids), signal.SIGKILL)
                outcome.kills[kind] += 1
                started = time.monotonic()
                after, at_work = started + rng.uniform(0.0, PAUSE_S), rng.random() < AT_WORK
        elif now > started + STUCK_S:
            raise HeadshotError(f"nothing gets finished any more in {client.layout.root}; see the logs beside it")
        time.sleep(0.02)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def differences(truth: dict[str, str], data: Path) -> list[str]:
    """Return what is not as in the undisturbed run."""
    found = files_of(data)
    faults = [f"{name} differs" for name in sorted(truth.keys() | found.keys()) if truth.get(name) != found.get(name)]
    stale = [path.name for path in DatasetLayout(data).stale_files()]
    return faults + [f"{name} is left" for name in stale]


def files_of(data: Path) -> dict[str, str]:
    """Return the hash of every file of a dataset but the records, which hold times."""
    layout = DatasetLayout(data)
    files = [*layout.files_of_dataset(), *(path for path in layout.files_of_shards() if path.suffix != ".json")]
    return {str(path.relative_to(data)): sha256_of(path) for path in files if path.is_file()}


def write_manifest(folder: Path) -> None:
    """Write a manifest of short stretches of a small sample video, and of what has to be rejected.

    That is a stretch that is too short, of which a picture is kept, and two files that show nothing.
    """
    demo = read_manifest(DEMO)
    wanted = tuple(clip for clip in demo.clips if clip.identity == "carphone-man")
    (status,) = fetch_samples(demo.model_copy(update={"clips": wanted}), folder / "raw")
    if status.path is None:
        raise HeadshotError(f"the sample video cannot be had: {status.reason}")
    (folder / "text.mp4").write_text("not a video " * 100)
    clips = [
        CLIP.format(number=number, path=status.path, start_s=number * 0.15, end_s=number * 0.15 + 1.6)
        for number in range(STRETCHES)
    ]
    clips += [
        CLIP.format(number=STRETCHES, path="text.mp4", start_s=0, end_s=1),
        CLIP.format(number=STRETCHES + 1, path="absent.mp4", start_s=0, end_s=1),
        CLIP.format(number=STRETCHES + 2, path=status.path, start_s=0, end_s=0.4),
    ]
    (folder / "chaos.toml").write_text('schema_version = 1\nname = "chaos"\ntitle = "Chaos"\n' + "".join(clips))


def main() -> None:
    """Run it and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="how many processes to kill")
    parser.add_argument("--workers", type=int, default=2, help="worker processes")
    parser.add_argument("--seed", type=int, default=0, help="of moments and victims")
    parser.add_argument("--folder", type=Path, help="keep what is made, and the logs, there")
    chosen = parser.parse_args()
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="headshot-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    outcome = chaos(chosen.kills, chosen.workers, chosen.seed, folder.resolve())
    print(outcome)
    if outcome.faults:
        sys.exit(1)
    if not chosen.folder:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
